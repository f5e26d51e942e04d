/* SPDX-License-Identifier: MIT */
/* In the company of another thread: time passes for real, and its posts, signals and writes
 * arrive. */
#include "test_support.h"
#include "virtual_clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/select.h>
#include <unistd.h>

#define WHILE_NOT_ALONE (30 * MS)

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

/* Time counts from the last look before the company came: virtual time moves no more than real
 * time does from there, but for the microsecond that each look adds at least. */
static void
alone_before_body(void)
{
    pthread_t other;

    REQUIRE(pipe(gate) == 0);
    really_sleep_ns(WHILE_NOT_ALONE);
    int64_t really_before = real_ns(CLOCK_MONOTONIC);
    int64_t before = seen_ns(CLOCK_MONOTONIC);
    REQUIRE(pthread_create(&other, NULL, wait_at_gate, NULL) == 0);
    int64_t moved = seen_ns(CLOCK_MONOTONIC) - before;
    REQUIRE(moved <= real_ns(CLOCK_MONOTONIC) - really_before + 2000);
    REQUIRE(write(gate[1], "x", 1) == 1);
    REQUIRE(pthread_join(other, NULL) == 0);
}

static void
real_time_spent_alone_never_counts(void **state)
{
    (void)state;
    in_virtual_time(alone_before_body);
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

/* Every slice of a select must ask for the same descriptors, though each call overwrites the
 * sets. */
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_thread_stops_jumping_until_it_ended),
        cmocka_unit_test(when_a_thread_ends_the_rest_of_the_wait_is_jumped_over),
        cmocka_unit_test(real_time_spent_alone_never_counts),
        cmocka_unit_test(a_signal_interrupts_a_wait_in_company),
        cmocka_unit_test(a_threads_deadline_after_a_jump_is_its_own_duration_away),
        cmocka_unit_test(a_threads_post_ends_the_owners_wait),
        cmocka_unit_test(a_threads_signal_ends_the_owners_wait),
        cmocka_unit_test(a_descriptor_that_becomes_ready_in_company_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
