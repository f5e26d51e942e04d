/* SPDX-License-Identifier: MIT */
/* The sleeps of a process that is alone, and where virtual time ends. */
#include "test_support.h"
#include "virtual_clock.h"

#include <errno.h>
#include <unistd.h>

static int
nanosleep_an_hour(void)
{
    struct timespec hour = as_timespec(HOUR);
    return nanosleep(&hour, NULL);
}

static int
clock_nanosleep_an_hour(void)
{
    struct timespec hour = as_timespec(HOUR);
    return clock_nanosleep(CLOCK_REALTIME, 0, &hour, NULL);
}

static int
clock_nanosleep_until_an_hour_later(void)
{
    struct timespec later = as_timespec(seen_ns(CLOCK_REALTIME) + HOUR);
    return clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &later, NULL);
}

static int
usleep_an_hour(void)
{
    return usleep(3600u * 1000u * 1000u);
}

static int
sleep_an_hour(void)
{
    return (int)sleep(3600);
}

static void
sleep_body(void)
{
    static int (*const sleeps[])(void) = {
        nanosleep_an_hour, clock_nanosleep_an_hour, clock_nanosleep_until_an_hour_later,
        usleep_an_hour, sleep_an_hour,
    };

    for (size_t i = 0; i < sizeof sleeps / sizeof sleeps[0]; i++) {
        struct moment start = moment_now();
        REQUIRE(sleeps[i]() == 0);
        require_jumped(start, HOUR);
    }
    REQUIRE(loopcheck_clock_passed_ns() == 0);
}

static void
sleeping_an_hour_returns_at_once(void **state)
{
    (void)state;
    in_virtual_time(sleep_body);
}

static void
past_body(void)
{
    struct timespec past = as_timespec(seen_ns(CLOCK_MONOTONIC) - MS);

    REQUIRE(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL) == 0);
    REQUIRE(loopcheck_clock_jumped_ns() == 0);
}

static void
sleeping_until_a_past_time_does_not_jump(void **state)
{
    (void)state;
    in_virtual_time(past_body);
}

/* ---- the end of time ------------------------------------------------------- */

#define END_OF_TIME ((INT64_C(1) << 62) - 1)

/* Sleep a century, then ever shorter, until only 20 ms of virtual time are left. */
static void
end_of_time_body(void)
{
    struct timespec duration = as_timespec(100 * 365 * 24 * HOUR);

    REQUIRE(nanosleep(&duration, NULL) == 0);
    for (int64_t step = 365 * 24 * HOUR; step > 20 * MS; step /= 2) {
        duration = as_timespec(step);
        while (END_OF_TIME - seen_ns(CLOCK_MONOTONIC) > step)
            REQUIRE(nanosleep(&duration, NULL) == 0);
    }
    int64_t jumped = loopcheck_clock_jumped_ns();
    int64_t start = real_ns(CLOCK_MONOTONIC);
    duration = as_timespec(40 * MS);
    REQUIRE(nanosleep(&duration, NULL) == 0);
    REQUIRE(loopcheck_clock_jumped_ns() == jumped);
    REQUIRE(real_ns(CLOCK_MONOTONIC) - start >= 40 * MS);
}

static void
at_the_end_of_time_a_wait_is_real(void **state)
{
    (void)state;
    in_virtual_time(end_of_time_body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleeping_an_hour_returns_at_once),
        cmocka_unit_test(sleeping_until_a_past_time_does_not_jump),
        cmocka_unit_test(at_the_end_of_time_a_wait_is_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
