/* SPDX-License-Identifier: MIT */
/* The waits for locks of a process that is alone: nobody is there to end them. */
#include "test_support.h"
#include "virtual_clock.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

static void
sem_body(void)
{
    sem_t sem;
    struct moment start = moment_now();
    struct timespec later = as_timespec(seen_ns(CLOCK_REALTIME) + HOUR);

    REQUIRE(sem_init(&sem, 0, 1) == 0);
    REQUIRE(sem_timedwait(&sem, &later) == 0 && loopcheck_clock_jumped_ns() == 0);
    errno = 0;
    REQUIRE(sem_timedwait(&sem, &later) == -1 && errno == ETIMEDOUT);
    require_jumped(start, HOUR);
    REQUIRE(seen_ns(CLOCK_REALTIME) >= later.tv_sec * SECOND + later.tv_nsec);

    start = moment_now();
    later = as_timespec(seen_ns(CLOCK_MONOTONIC) + HOUR);
    errno = 0;
    REQUIRE(sem_clockwait(&sem, CLOCK_MONOTONIC, &later) == -1 && errno == ETIMEDOUT);
    require_jumped(start, HOUR);
}

static void
a_semaphore_that_nobody_posts_times_out_at_once(void **state)
{
    (void)state;
    in_virtual_time(sem_body);
}

static void
cond_body(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_condattr_t attributes;
    pthread_cond_t cond;
    static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC };

    for (size_t i = 0; i < 2; i++) {
        REQUIRE(pthread_condattr_init(&attributes) == 0);
        REQUIRE(pthread_condattr_setclock(&attributes, clocks[i]) == 0);
        REQUIRE(pthread_cond_init(&cond, &attributes) == 0);
        REQUIRE(pthread_mutex_lock(&mutex) == 0);
        int64_t jumped = loopcheck_clock_jumped_ns();
        struct moment start = moment_now();
        struct timespec later = as_timespec(seen_ns(clocks[i]) + HOUR);
        REQUIRE(pthread_cond_timedwait(&cond, &mutex, &later) == ETIMEDOUT);
        require_jumped(start, HOUR);
        REQUIRE(loopcheck_clock_jumped_ns() - jumped <= HOUR);     /* the right clock was chosen */
        later = as_timespec(seen_ns(clocks[i]) + HOUR);
        start = moment_now();
        REQUIRE(pthread_cond_clockwait(&cond, &mutex, clocks[i], &later) == ETIMEDOUT);
        require_jumped(start, HOUR - SECOND);
        REQUIRE(pthread_mutex_unlock(&mutex) == 0);
    }
}

static void
a_condition_that_nobody_signals_times_out_at_once(void **state)
{
    (void)state;
    in_virtual_time(cond_body);
}

static void
mutex_body(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct moment start = moment_now();
    struct timespec later = as_timespec(seen_ns(CLOCK_REALTIME) + HOUR);

    REQUIRE(pthread_mutex_timedlock(&mutex, &later) == 0 && loopcheck_clock_jumped_ns() == 0);
    REQUIRE(pthread_mutex_timedlock(&mutex, &later) == ETIMEDOUT);
    require_jumped(start, HOUR);
    start = moment_now();
    later = as_timespec(seen_ns(CLOCK_MONOTONIC) + HOUR);
    REQUIRE(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &later) == ETIMEDOUT);
    require_jumped(start, HOUR - SECOND);
    REQUIRE(pthread_mutex_unlock(&mutex) == 0);
}

static void
a_mutex_that_nobody_unlocks_times_out_at_once(void **state)
{
    (void)state;
    in_virtual_time(mutex_body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_semaphore_that_nobody_posts_times_out_at_once),
        cmocka_unit_test(a_condition_that_nobody_signals_times_out_at_once),
        cmocka_unit_test(a_mutex_that_nobody_unlocks_times_out_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
