/* SPDX-License-Identifier: MIT */
/* See test_support.h. */
#include "test_support.h"

#include "virtual_clock.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a jump may cost in real time: a 100th of what it moved. */
#define AT_ONCE 100

void
require(bool holds, const char *text, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, text);
    _exit(1);
}

static void
run_child(void (*body)(void), bool virtual_time)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        alarm(20);      /* a test that hangs is ended by the kernel, on the real clock */
        if (virtual_time)
            loopcheck_clock_on();
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

void
in_child_process(void (*body)(void))
{
    run_child(body, false);
}

void
in_virtual_time(void (*body)(void))
{
    run_child(body, true);
}

static int64_t
as_ns(struct timespec time)
{
    return time.tv_sec * SECOND + time.tv_nsec;
}

struct timespec
as_timespec(int64_t ns)
{
    return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}

int64_t
seen_ns(clockid_t clock)
{
    struct timespec now;
    REQUIRE(clock_gettime(clock, &now) == 0);
    return as_ns(now);
}

int64_t
real_ns(clockid_t clock)
{
    struct timespec now;
    REQUIRE(syscall(SYS_clock_gettime, clock, &now) == 0);
    return as_ns(now);
}

struct moment
moment_now(void)
{
    return (struct moment){ .seen = seen_ns(CLOCK_MONOTONIC), .real = real_ns(CLOCK_MONOTONIC) };
}

void
require_jumped(struct moment start, int64_t at_least)
{
    struct moment end = moment_now();
    REQUIRE(end.seen - start.seen >= at_least);
    REQUIRE(end.real - start.real < (end.seen - start.seen) / AT_ONCE);
    REQUIRE(loopcheck_clock_jumped_ns() > 0);
}

void
require_passed(struct moment start, int64_t at_least)
{
    struct moment end = moment_now();
    REQUIRE(end.real - start.real >= at_least);
    REQUIRE(end.seen - start.seen >= at_least);
    REQUIRE(loopcheck_clock_jumped_ns() == 0);
}

void
sleep_ns(int64_t ns)
{
    struct timespec duration = as_timespec(ns);
    REQUIRE(nanosleep(&duration, NULL) == 0);
}

void
really_sleep_ns(int64_t ns)
{
    struct timespec duration = as_timespec(ns);
    syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &duration, NULL);
}
