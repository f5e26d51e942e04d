/* SPDX-License-Identifier: MIT */
/* The waits for descriptors of a process that is alone: each jumps over an hour, unless
 * something is to be reported first. */
#include "test_support.h"
#include "virtual_clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#define HOUR_MS 3600000

/* A pipe, and an epoll instance that watches its reading end. */
struct watched_pipe {
    int read_fd, write_fd, epoll_fd;
};

static struct watched_pipe
open_watched_pipe(void)
{
    int fds[2];
    struct epoll_event event = { .events = EPOLLIN };

    REQUIRE(pipe(fds) == 0);
    int epoll_fd = epoll_create1(0);
    REQUIRE(epoll_fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[0], &event) == 0);
    return (struct watched_pipe){ .read_fd = fds[0], .write_fd = fds[1], .epoll_fd = epoll_fd };
}

static int
wait_epoll_wait(struct watched_pipe *pipe)
{
    struct epoll_event event;
    return epoll_wait(pipe->epoll_fd, &event, 1, HOUR_MS);
}

static int
wait_epoll_pwait(struct watched_pipe *pipe)
{
    struct epoll_event event;
    sigset_t none;
    sigemptyset(&none);
    return epoll_pwait(pipe->epoll_fd, &event, 1, HOUR_MS, &none);
}

static int
wait_epoll_pwait2(struct watched_pipe *pipe)
{
    struct epoll_event event;
    struct timespec hour = as_timespec(HOUR);
    sigset_t none;
    sigemptyset(&none);
    return epoll_pwait2(pipe->epoll_fd, &event, 1, &hour, &none);
}

static int
wait_poll(struct watched_pipe *pipe)
{
    struct pollfd fd = { .fd = pipe->read_fd, .events = POLLIN };
    return poll(&fd, 1, HOUR_MS);
}

static int
wait_ppoll(struct watched_pipe *pipe)
{
    struct pollfd fd = { .fd = pipe->read_fd, .events = POLLIN };
    struct timespec hour = as_timespec(HOUR);
    sigset_t none;
    sigemptyset(&none);
    return ppoll(&fd, 1, &hour, &none);
}

static int
wait_select(struct watched_pipe *pipe)
{
    struct timeval hour = { .tv_sec = 3600 };
    fd_set fds;

    FD_ZERO(&fds);
    FD_SET(pipe->read_fd, &fds);
    int ready = select(pipe->read_fd + 1, &fds, NULL, NULL, &hour);
    REQUIRE(hour.tv_sec == (ready == 0 ? 0 : 3600) && hour.tv_usec == 0);
    REQUIRE(ready < 0 || (FD_ISSET(pipe->read_fd, &fds) != 0) == (ready == 1));
    return ready;
}

static int
wait_pselect(struct watched_pipe *pipe)
{
    struct timespec hour = as_timespec(HOUR);
    sigset_t none;
    fd_set fds;

    sigemptyset(&none);
    FD_ZERO(&fds);
    FD_SET(pipe->read_fd, &fds);
    return pselect(pipe->read_fd + 1, &fds, NULL, NULL, &hour, &none);
}

typedef int wait_function(struct watched_pipe *pipe);

/* epoll_pwait2() stands last, so that it can be left out. */
static wait_function *const descriptor_waits[] = {
    wait_epoll_wait, wait_epoll_pwait, wait_poll, wait_ppoll,
    wait_select, wait_pselect, wait_epoll_pwait2,
};
#define DESCRIPTOR_WAIT_COUNT (sizeof descriptor_waits / sizeof descriptor_waits[0])

/* Older kernels do not have epoll_pwait2(), nor does valgrind: how many of count waits to try. */
static size_t
waits_there(size_t count)
{
    struct epoll_event event;
    bool there = epoll_pwait2(-1, &event, 1, NULL, NULL) == 0 || errno != ENOSYS;
    return there ? count : count - 1;
}

static void
hour_body(void)
{
    struct watched_pipe pipe = open_watched_pipe();

    for (size_t i = 0; i < waits_there(DESCRIPTOR_WAIT_COUNT); i++) {
        struct moment start = moment_now();
        REQUIRE(descriptor_waits[i](&pipe) == 0);
        require_jumped(start, HOUR);
        REQUIRE(loopcheck_clock_jumped_ns() == (int64_t)(i + 1) * HOUR);
    }
}

static void
waiting_an_hour_for_a_descriptor_returns_at_once(void **state)
{
    (void)state;
    in_virtual_time(hour_body);
}

static void
ready_body(void)
{
    struct watched_pipe pipe = open_watched_pipe();

    REQUIRE(write(pipe.write_fd, "x", 1) == 1);
    for (size_t i = 0; i < waits_there(DESCRIPTOR_WAIT_COUNT); i++)
        REQUIRE(descriptor_waits[i](&pipe) == 1);
    REQUIRE(loopcheck_clock_jumped_ns() == 0);
}

static void
a_ready_descriptor_is_reported_without_a_jump(void **state)
{
    (void)state;
    in_virtual_time(ready_body);
}

static void
zero_body(void)
{
    struct watched_pipe pipe = open_watched_pipe();
    struct pollfd fd = { .fd = pipe.read_fd, .events = POLLIN };
    struct epoll_event event;
    int64_t before = seen_ns(CLOCK_MONOTONIC);

    REQUIRE(poll(&fd, 1, 0) == 0);
    REQUIRE(epoll_wait(pipe.epoll_fd, &event, 1, 0) == 0);
    REQUIRE(seen_ns(CLOCK_MONOTONIC) - before == 1000);
}

static void
a_time_out_of_zero_takes_no_time(void **state)
{
    (void)state;
    in_virtual_time(zero_body);
}

static void
mistake_body(void)
{
    struct epoll_event event;
    struct timespec negative = { .tv_sec = -1 }, too_many = { .tv_nsec = SECOND };
    struct timeval negative_val = { .tv_sec = -1 };

    REQUIRE(epoll_wait(-1, &event, 1, HOUR_MS) == -1 && errno == EBADF);
    REQUIRE(ppoll(NULL, 0, &negative, NULL) == -1 && errno == EINVAL);
    REQUIRE(pselect(0, NULL, NULL, NULL, &too_many, NULL) == -1 && errno == EINVAL);
    REQUIRE(select(-1, NULL, NULL, NULL, NULL) == -1 && errno == EINVAL);
    REQUIRE(select(0, NULL, NULL, NULL, &negative_val) == -1 && errno == EINVAL);
    REQUIRE(nanosleep(&too_many, NULL) == -1 && errno == EINVAL);
    REQUIRE(clock_nanosleep(CLOCK_MONOTONIC, 0, &negative, NULL) == EINVAL);
    REQUIRE(clock_nanosleep(1000, 0, &too_many, NULL) == EINVAL);
    REQUIRE(loopcheck_clock_jumped_ns() == 0);
}

static void
mistakes_get_the_real_errors(void **state)
{
    (void)state;
    in_virtual_time(mistake_body);
}

/* ---- signals --------------------------------------------------------------- */

static volatile sig_atomic_t signals_handled;

static void
count_signal(int number)
{
    (void)number;
    signals_handled++;
}

/* SIGUSR1 is blocked and pending; the waits with an empty mask let it through. */
static void
pending_body(void)
{
    static wait_function *const masked[] = {
        wait_epoll_pwait, wait_ppoll, wait_pselect, wait_epoll_pwait2,
    };
    struct watched_pipe pipe = open_watched_pipe();
    struct sigaction action = { .sa_handler = count_signal };
    sigset_t blocked;

    REQUIRE(sigaction(SIGUSR1, &action, NULL) == 0);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    REQUIRE(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
    for (int i = 0; i < (int)waits_there(4); i++) {
        REQUIRE(raise(SIGUSR1) == 0 && signals_handled == i);
        REQUIRE(masked[i](&pipe) == -1 && errno == EINTR);
        REQUIRE(signals_handled == i + 1);
    }
    REQUIRE(loopcheck_clock_jumped_ns() == 0);
}

static void
a_pending_signal_interrupts_instead_of_a_jump(void **state)
{
    (void)state;
    in_virtual_time(pending_body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_an_hour_for_a_descriptor_returns_at_once),
        cmocka_unit_test(a_ready_descriptor_is_reported_without_a_jump),
        cmocka_unit_test(a_time_out_of_zero_takes_no_time),
        cmocka_unit_test(mistakes_get_the_real_errors),
        cmocka_unit_test(a_pending_signal_interrupts_instead_of_a_jump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
