/* SPDX-License-Identifier: MIT */
/* What a child process, a fork and an exec do to the clock. */
#include "test_support.h"
#include "virtual_clock.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WHILE_NOT_ALONE (30 * MS)

static const char *program;     /* argv[0], to execute this program again */
static int gate[2];     /* a pipe; who reads from it waits until somebody writes or closes */

/* ---- a child process -------------------------------------------------------- */

static void
child_body(void)
{
    char byte;
    siginfo_t info;

    REQUIRE(pipe(gate) == 0);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
    }
    struct moment start = moment_now();
    sleep_ns(WHILE_NOT_ALONE);
    require_passed(start, WHILE_NOT_ALONE);

    REQUIRE(close(gate[1]) == 0);
    REQUIRE(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    start = moment_now();
    sleep_ns(WHILE_NOT_ALONE);
    require_passed(start, WHILE_NOT_ALONE);     /* it ended, but is not reaped */

    REQUIRE(waitpid(child, NULL, 0) == child);
    start = moment_now();
    sleep_ns(HOUR);
    require_jumped(start, HOUR);
}

static void
a_child_stops_jumping_until_it_is_reaped(void **state)
{
    (void)state;
    in_virtual_time(child_body);
}

/* The whole of an infinite wait counts, though the child that ended it is gone at the next
 * look. */
static void
infinite_body(void)
{
    struct moment start = moment_now();

    REQUIRE(pipe(gate) == 0);
    REQUIRE(signal(SIGCHLD, SIG_IGN) != SIG_ERR);       /* children are reaped by themselves */
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        really_sleep_ns(WHILE_NOT_ALONE);
        _exit(0);
    }
    struct pollfd fd = { .fd = gate[0], .events = POLLIN };
    REQUIRE(close(gate[1]) == 0);
    REQUIRE(poll(&fd, 1, -1) == 1);
    require_passed(start, WHILE_NOT_ALONE);
}

static void
an_infinite_wait_in_company_counts_in_full(void **state)
{
    (void)state;
    in_virtual_time(infinite_body);
}

/* ---- fork and exec ---------------------------------------------------------- */

static void
in_forked_child(void)
{
    int64_t jumped = loopcheck_clock_jumped_ns();
    struct moment start = moment_now();

    REQUIRE(loopcheck_clock_active() == 0);
    REQUIRE(start.seen - start.real > HOUR / 2);        /* still the parent's virtual time */
    sleep_ns(WHILE_NOT_ALONE);
    struct moment end = moment_now();
    REQUIRE(end.real - start.real >= WHILE_NOT_ALONE);
    REQUIRE(end.seen - start.seen >= WHILE_NOT_ALONE);
    REQUIRE(loopcheck_clock_jumped_ns() == jumped);
}

static void
fork_body(void)
{
    int status;

    sleep_ns(HOUR);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        in_forked_child();
        _exit(0);
    }
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

static void
a_forked_child_keeps_virtual_time_but_does_not_jump(void **state)
{
    (void)state;
    in_virtual_time(fork_body);
}

static void
again_body(void)
{
    int status;

    sleep_ns(HOUR);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        loopcheck_clock_on();
        REQUIRE(loopcheck_clock_active() == 1 && loopcheck_clock_jumped_ns() == 0);
        struct moment start = moment_now();
        REQUIRE(start.seen - start.real < HOUR / 2);
        sleep_ns(HOUR);
        require_jumped(start, HOUR);
        _exit(0);
    }
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

static void
a_forked_child_may_switch_the_clock_on_for_itself(void **state)
{
    (void)state;
    in_virtual_time(again_body);
}

#define REPORT_ARGUMENT "exit-with-the-clocks-state"

static void
exec_body(void)
{
    int status;
    pid_t child = fork();

    REQUIRE(child >= 0);
    if (child == 0) {
        execl(program, program, REPORT_ARGUMENT, (char *)NULL);
        _exit(127);
    }
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

static void
an_executed_program_starts_with_the_clock_off(void **state)
{
    (void)state;
    in_virtual_time(exec_body);
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], REPORT_ARGUMENT) == 0)
        return loopcheck_clock_active();
    program = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_stops_jumping_until_it_is_reaped),
        cmocka_unit_test(an_infinite_wait_in_company_counts_in_full),
        cmocka_unit_test(a_forked_child_keeps_virtual_time_but_does_not_jump),
        cmocka_unit_test(a_forked_child_may_switch_the_clock_on_for_itself),
        cmocka_unit_test(an_executed_program_starts_with_the_clock_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
