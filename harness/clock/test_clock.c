/* SPDX-License-Identifier: MIT */
/* The clocks: what they show while the library is off, and that they agree with each other
 * while it is on. */
#include "test_support.h"
#include "virtual_clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

static const clockid_t all_clocks[] = {
    CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_TAI,
    CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_COARSE,
};
#define CLOCK_COUNT (sizeof all_clocks / sizeof all_clocks[0])

/* ---- off ------------------------------------------------------------------- */

static void
off_body(void)
{
    struct timespec duration = as_timespec(20 * MS);
    int64_t before = real_ns(CLOCK_MONOTONIC);
    int64_t seen = seen_ns(CLOCK_MONOTONIC);

    REQUIRE(before <= seen && seen <= real_ns(CLOCK_MONOTONIC));
    REQUIRE(nanosleep(&duration, NULL) == 0);
    REQUIRE(poll(NULL, 0, 20) == 0);
    REQUIRE(real_ns(CLOCK_MONOTONIC) - before >= 40 * MS);
    seen = seen_ns(CLOCK_MONOTONIC);
    REQUIRE(before + 40 * MS <= seen && seen <= real_ns(CLOCK_MONOTONIC));
    REQUIRE(loopcheck_clock_active() == 0);
    REQUIRE(loopcheck_clock_jumped_ns() == 0 && loopcheck_clock_passed_ns() == 0);
}

static void
off_is_transparent(void **state)
{
    (void)state;
    in_child_process(off_body);
}

static void
off_time_body(void)
{
    struct timeval now;
    int64_t before = real_ns(CLOCK_REALTIME_COARSE);

    REQUIRE(gettimeofday(&now, NULL) == 0);
    REQUIRE(before / 1000 <= now.tv_sec * 1000000 + now.tv_usec);
    REQUIRE(before / SECOND <= time(NULL) && time(NULL) <= real_ns(CLOCK_REALTIME) / SECOND);
}

static void
off_time_and_gettimeofday_are_real(void **state)
{
    (void)state;
    in_child_process(off_time_body);
}

/* ---- on -------------------------------------------------------------------- */

static void
start_body(void)
{
    int64_t before[CLOCK_COUNT];

    for (size_t i = 0; i < CLOCK_COUNT; i++)
        before[i] = real_ns(all_clocks[i]);
    loopcheck_clock_on();
    REQUIRE(loopcheck_clock_active() == 1);
    for (size_t i = 0; i < CLOCK_COUNT; i++) {
        int64_t seen = seen_ns(all_clocks[i]);
        REQUIRE(before[i] <= seen && seen - before[i] < HOUR);
    }
}

static void
every_clock_starts_at_its_real_value(void **state)
{
    (void)state;
    in_child_process(start_body);
}

static void
same_progress_body(void)
{
    int64_t before[CLOCK_COUNT];
    struct timespec hour = as_timespec(HOUR);

    for (size_t i = 0; i < CLOCK_COUNT; i++)
        before[i] = seen_ns(all_clocks[i]);
    REQUIRE(nanosleep(&hour, NULL) == 0);
    for (size_t i = 0; i < CLOCK_COUNT; i++) {
        /* Between its two looks each clock saw the same number of looks at the others. */
        REQUIRE(seen_ns(all_clocks[i]) - before[i] == HOUR + (int64_t)CLOCK_COUNT * 1000);
    }
}

static void
every_clock_makes_the_same_progress(void **state)
{
    (void)state;
    in_virtual_time(same_progress_body);
}

static void
look_body(void)
{
    int64_t before = seen_ns(CLOCK_MONOTONIC);
    int64_t spent = real_ns(CLOCK_MONOTONIC);

    while (real_ns(CLOCK_MONOTONIC) - spent < 20 * MS)
        continue;       /* be slow, as a preempted process is */
    REQUIRE(seen_ns(CLOCK_MONOTONIC) - before == 1000);
    REQUIRE(loopcheck_clock_passed_ns() == 0);
}

static void
alone_a_look_adds_a_microsecond_however_slow_the_machine_is(void **state)
{
    (void)state;
    in_virtual_time(look_body);
}

static void
wall_clock_body(void)
{
    struct timeval now;
    struct timespec hour = as_timespec(HOUR);
    time_t stored = 0;

    REQUIRE(nanosleep(&hour, NULL) == 0);
    int64_t seen = seen_ns(CLOCK_REALTIME);
    REQUIRE(seen - real_ns(CLOCK_REALTIME) > HOUR / 2);
    REQUIRE(gettimeofday(&now, NULL) == 0);
    REQUIRE(now.tv_sec * SECOND + now.tv_usec * 1000 - seen <= 1000);
    time_t returned = time(&stored);
    REQUIRE(returned == stored && returned - seen / SECOND <= 1);
}

static void
time_and_gettimeofday_agree_with_the_wall_clock(void **state)
{
    (void)state;
    in_virtual_time(wall_clock_body);
}

static void
cpu_body(void)
{
    struct timespec hour = as_timespec(HOUR);

    REQUIRE(nanosleep(&hour, NULL) == 0);
    REQUIRE(seen_ns(CLOCK_PROCESS_CPUTIME_ID) < HOUR / 2);
    REQUIRE(seen_ns(CLOCK_THREAD_CPUTIME_ID) < HOUR / 2);
    errno = 0;
    struct timespec now;
    REQUIRE(clock_gettime(1000, &now) == -1 && errno == EINVAL);
}

static void
cpu_time_clocks_and_unknown_clocks_are_real(void **state)
{
    (void)state;
    in_virtual_time(cpu_body);
}

static void
twice_body(void)
{
    struct timespec hour = as_timespec(HOUR);

    REQUIRE(nanosleep(&hour, NULL) == 0);
    loopcheck_clock_on();
    REQUIRE(loopcheck_clock_jumped_ns() == HOUR);
    REQUIRE(seen_ns(CLOCK_MONOTONIC) - real_ns(CLOCK_MONOTONIC) > HOUR / 2);
}

static void
switching_on_twice_changes_nothing(void **state)
{
    (void)state;
    in_virtual_time(twice_body);
}

static void
errno_body(void)
{
    errno = ENOTTY;
    seen_ns(CLOCK_MONOTONIC);
    REQUIRE(errno == ENOTTY);
}

static void
a_look_preserves_errno(void **state)
{
    (void)state;
    in_virtual_time(errno_body);
}

/* ---- strictly increasing ---------------------------------------------------- */

#define LOOKS 5000

static int64_t looks[2][LOOKS];

static void *
look_many_times(void *row)
{
    int64_t *mine = row;
    for (size_t i = 0; i < LOOKS; i++)
        mine[i] = seen_ns(CLOCK_MONOTONIC);
    return NULL;
}

static void
require_increasing(const int64_t *values, size_t count)
{
    for (size_t i = 1; i < count; i++)
        REQUIRE(values[i] - values[i - 1] >= 1000);
}

static void
increasing_body(void)
{
    look_many_times(looks[0]);
    require_increasing(looks[0], LOOKS);
}

static void
alone_every_look_adds_a_microsecond(void **state)
{
    (void)state;
    in_virtual_time(increasing_body);
}

static int
compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void
threads_body(void)
{
    pthread_t other;

    REQUIRE(pthread_create(&other, NULL, look_many_times, looks[1]) == 0);
    look_many_times(looks[0]);
    REQUIRE(pthread_join(other, NULL) == 0);
    require_increasing(looks[0], LOOKS);
    require_increasing(looks[1], LOOKS);
    qsort(looks, (size_t)2 * LOOKS, sizeof looks[0][0], compare);
    require_increasing(&looks[0][0], (size_t)2 * LOOKS);
}

static void
the_looks_of_two_threads_are_a_microsecond_apart(void **state)
{
    (void)state;
    in_virtual_time(threads_body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_is_transparent),
        cmocka_unit_test(off_time_and_gettimeofday_are_real),
        cmocka_unit_test(every_clock_starts_at_its_real_value),
        cmocka_unit_test(every_clock_makes_the_same_progress),
        cmocka_unit_test(alone_a_look_adds_a_microsecond_however_slow_the_machine_is),
        cmocka_unit_test(time_and_gettimeofday_agree_with_the_wall_clock),
        cmocka_unit_test(cpu_time_clocks_and_unknown_clocks_are_real),
        cmocka_unit_test(switching_on_twice_changes_nothing),
        cmocka_unit_test(a_look_preserves_errno),
        cmocka_unit_test(alone_every_look_adds_a_microsecond),
        cmocka_unit_test(the_looks_of_two_threads_are_a_microsecond_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
