/* SPDX-License-Identifier: MIT */
/* Alone or not: what another thread, a child process, a fork and an exec do to the clock. */
#include "test_support.h"
#include "virtual_clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WHILE_NOT_ALONE (30 * MS)

static const char *program;     /* argv[0], to execute this program again */

static void
sleep_ns(int64_t ns)
{
    struct timespec duration = as_timespec(ns);
    REQUIRE(nanosleep(&duration, NULL) == 0);
}

/* Spend real time, whatever the clock is. */
static void
really_sleep_ns(int64_t ns)
{
    struct timespec duration = as_timespec(ns);
    syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &duration, NULL);
}

/* ---- another thread --------------------------------------------------------- */

static int gate[2];     /* a pipe; who reads from it waits until somebody writes or closes */

static void *
wait_at_gate(void *unused)
{
    char byte;
    (void)unused;
    REQUIRE(read(gate[0], &byte, 1) == 1);
    return NULL;
}

static void
thread_body(void)
{
    pthread_t other;

    REQUIRE(pipe(gate) == 0);
    REQUIRE(pthread_create(&other, NULL, wait_at_gate, NULL) == 0);
    struct moment start = moment_now();
    sleep_ns(WHILE_NOT_ALONE);
    require_passed(start, WHILE_NOT_ALONE);
    REQUIRE(loopcheck_clock_passed_ns() >= WHILE_NOT_ALONE);

    REQUIRE(write(gate[1], "x", 1) == 1);
    REQUIRE(pthread_join(other, NULL) == 0);
    start = moment_now();
    sleep_ns(HOUR);
    require_jumped(start, HOUR);
}

static void
a_second_thread_stops_jumping_until_it_ended(void **state)
{
    (void)state;
    in_virtual_time(thread_body);
}

static void *
really_sleep_a_moment(void *unused)
{
    (void)unused;
    really_sleep_ns(WHILE_NOT_ALONE);
    return NULL;
}

static void
rest_body(void)
{
    pthread_t other;
    struct moment start = moment_now();

    REQUIRE(pthread_create(&other, NULL, really_sleep_a_moment, NULL) == 0);
    sleep_ns(HOUR);
    require_jumped(start, HOUR);
    REQUIRE(loopcheck_clock_passed_ns() > 0);
    REQUIRE(loopcheck_clock_jumped_ns() < HOUR);
    REQUIRE(pthread_join(other, NULL) == 0);
}

static void
when_a_thread_ends_the_rest_of_the_wait_is_jumped_over(void **state)
{
    (void)state;
    in_virtual_time(rest_body);
}

/* Interrupt the owner again and again, until it says that it saw it. */
static pthread_t owner;
static sem_t interrupted;

static void
do_nothing(int number)
{
    (void)number;
}

static void *
interrupt_owner(void *unused)
{
    (void)unused;
    while (sem_trywait(&interrupted) != 0) {
        REQUIRE(pthread_kill(owner, SIGUSR1) == 0);
        really_sleep_ns(MS);
    }
    return NULL;
}

static void
interrupt_body(void)
{
    struct sigaction action = { .sa_handler = do_nothing };
    struct timespec hour = as_timespec(HOUR), left = { 0 };
    pthread_t other;

    owner = pthread_self();
    REQUIRE(sigaction(SIGUSR1, &action, NULL) == 0);
    REQUIRE(sem_init(&interrupted, 0, 0) == 0);
    REQUIRE(pthread_create(&other, NULL, interrupt_owner, NULL) == 0);
    REQUIRE(nanosleep(&hour, &left) == -1 && errno == EINTR);
    REQUIRE(left.tv_sec > 1800 && left.tv_sec <= 3600);
    REQUIRE(poll(NULL, 0, 3600000) == -1 && errno == EINTR);
    REQUIRE(sem_post(&interrupted) == 0);
    REQUIRE(pthread_join(other, NULL) == 0);
    REQUIRE(loopcheck_clock_jumped_ns() == 0);
}

static void
a_signal_interrupts_a_wait_in_company(void **state)
{
    (void)state;
    in_virtual_time(interrupt_body);
}

static sem_t never_posted;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never_signalled = PTHREAD_COND_INITIALIZER;

/* Deadlines by the virtual wall clock, which an hour's jump has put far ahead of the real one. */
static void *
wait_for_deadlines(void *unused)
{
    (void)unused;
    struct moment start = moment_now();
    struct timespec deadline = as_timespec(seen_ns(CLOCK_REALTIME) + WHILE_NOT_ALONE);
    REQUIRE(sem_timedwait(&never_posted, &deadline) == -1 && errno == ETIMEDOUT);
    REQUIRE(seen_ns(CLOCK_MONOTONIC) - start.seen >= WHILE_NOT_ALONE);
    REQUIRE(real_ns(CLOCK_MONOTONIC) - start.real < HOUR / 100);

    deadline = as_timespec(seen_ns(CLOCK_REALTIME) + WHILE_NOT_ALONE);
    REQUIRE(pthread_mutex_lock(&mutex) == 0);
    REQUIRE(pthread_cond_timedwait(&never_signalled, &mutex, &deadline) == ETIMEDOUT);
    REQUIRE(pthread_mutex_unlock(&mutex) == 0);
    REQUIRE(real_ns(CLOCK_MONOTONIC) - start.real >= 2 * WHILE_NOT_ALONE - MS);
    REQUIRE(real_ns(CLOCK_MONOTONIC) - start.real < HOUR / 100);
    return NULL;
}

static void
deadline_body(void)
{
    pthread_t other;

    REQUIRE(sem_init(&never_posted, 0, 0) == 0);
    sleep_ns(HOUR);
    REQUIRE(pthread_create(&other, NULL, wait_for_deadlines, NULL) == 0);
    REQUIRE(pthread_join(other, NULL) == 0);
    REQUIRE(loopcheck_clock_jumped_ns() == HOUR);
}

static void
a_threads_deadline_after_a_jump_is_its_own_duration_away(void **state)
{
    (void)state;
    in_virtual_time(deadline_body);
}

static void *
post_after_a_moment(void *unused)
{
    (void)unused;
    really_sleep_ns(WHILE_NOT_ALONE);
    REQUIRE(sem_post(&never_posted) == 0);
    return wait_at_gate(NULL);
}

/* The owner's wait for a semaphore is cut into slices; the post must end it in whichever it
 * comes. */
static void
post_body(void)
{
    pthread_t other;
    struct timespec deadline = as_timespec(seen_ns(CLOCK_REALTIME) + HOUR);

    REQUIRE(pipe(gate) == 0);
    REQUIRE(sem_init(&never_posted, 0, 0) == 0);
    REQUIRE(pthread_create(&other, NULL, post_after_a_moment, NULL) == 0);
    struct moment start = moment_now();
    REQUIRE(sem_timedwait(&never_posted, &deadline) == 0);
    REQUIRE(seen_ns(CLOCK_MONOTONIC) - start.seen < HOUR / 2);
    REQUIRE(write(gate[1], "x", 1) == 1);
    REQUIRE(pthread_join(other, NULL) == 0);
    REQUIRE(loopcheck_clock_jumped_ns() == 0);
}

static void
a_threads_post_ends_the_owners_wait(void **state)
{
    (void)state;
    in_virtual_time(post_body);
}

static void *
signal_without_the_mutex(void *ret_flag)
{
    bool *flag = ret_flag;

    really_sleep_ns(WHILE_NOT_ALONE);
    REQUIRE(pthread_mutex_lock(&mutex) == 0);
    *flag = true;
    REQUIRE(pthread_mutex_unlock(&mutex) == 0);
    REQUIRE(pthread_cond_signal(&never_signalled) == 0);
    return wait_at_gate(NULL);
}

static void
signal_body(void)
{
    pthread_t other;
    bool flag = false;
    struct timespec deadline = as_timespec(seen_ns(CLOCK_REALTIME) + HOUR);

    REQUIRE(pipe(gate) == 0);
    REQUIRE(pthread_mutex_lock(&mutex) == 0);
    REQUIRE(pthread_create(&other, NULL, signal_without_the_mutex, &flag) == 0);
    while (!flag)
        REQUIRE(pthread_cond_timedwait(&never_signalled, &mutex, &deadline) == 0);
    REQUIRE(pthread_mutex_unlock(&mutex) == 0);
    REQUIRE(write(gate[1], "x", 1) == 1);
    REQUIRE(pthread_join(other, NULL) == 0);
    REQUIRE(loopcheck_clock_jumped_ns() == 0);
}

static void
a_threads_signal_ends_the_owners_wait(void **state)
{
    (void)state;
    in_virtual_time(signal_body);
}

static void *
write_after_a_moment(void *write_fd)
{
    really_sleep_ns(WHILE_NOT_ALONE);
    REQUIRE(write(*(int *)write_fd, "x", 1) == 1);
    return wait_at_gate(NULL);
}

/* Every slice of a select must ask for the same descriptors, though each call overwrites the sets. */
static void
ready_later_body(void)
{
    int fds[2];
    fd_set asked;
    pthread_t other;
    struct timeval hour = { .tv_sec = 3600 };

    REQUIRE(pipe(gate) == 0 && pipe(fds) == 0);
    REQUIRE(pthread_create(&other, NULL, write_after_a_moment, &fds[1]) == 0);
    FD_ZERO(&asked);
    FD_SET(fds[0], &asked);
    REQUIRE(select(fds[0] + 1, &asked, NULL, NULL, &hour) == 1 && FD_ISSET(fds[0], &asked));
    REQUIRE(hour.tv_sec < 3600 && hour.tv_sec > 1800);
    REQUIRE(write(gate[1], "x", 1) == 1);
    REQUIRE(pthread_join(other, NULL) == 0);
    REQUIRE(loopcheck_clock_jumped_ns() == 0);
}

static void
a_descriptor_that_becomes_ready_in_company_is_reported(void **state)
{
    (void)state;
    in_virtual_time(ready_later_body);
}

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
        cmocka_unit_test(a_second_thread_stops_jumping_until_it_ended),
        cmocka_unit_test(when_a_thread_ends_the_rest_of_the_wait_is_jumped_over),
        cmocka_unit_test(a_signal_interrupts_a_wait_in_company),
        cmocka_unit_test(a_threads_deadline_after_a_jump_is_its_own_duration_away),
        cmocka_unit_test(a_threads_post_ends_the_owners_wait),
        cmocka_unit_test(a_threads_signal_ends_the_owners_wait),
        cmocka_unit_test(a_descriptor_that_becomes_ready_in_company_is_reported),
        cmocka_unit_test(a_child_stops_jumping_until_it_is_reaped),
        cmocka_unit_test(an_infinite_wait_in_company_counts_in_full),
        cmocka_unit_test(a_forked_child_keeps_virtual_time_but_does_not_jump),
        cmocka_unit_test(a_forked_child_may_switch_the_clock_on_for_itself),
        cmocka_unit_test(an_executed_program_starts_with_the_clock_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
