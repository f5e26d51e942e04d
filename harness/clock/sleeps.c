/* SPDX-License-Identifier: MIT */
/*
 * The interposed sleeps: nanosleep, clock_nanosleep, usleep, sleep.
 *
 * All are one: sleep for a duration, and tell how much of it is left when a signal interrupts.
 * A sleep until a point in time is a sleep for what is missing to it on the virtual clock. An
 * invalid argument goes to the real function, which knows the error.
 */
#include "clock_state.h"
#include "real_functions.h"
#include "timed_wait.h"

#include <errno.h>

/* result is 0 or EINTR. */
static bool
attempt_sleep(struct timed_wait *self, int64_t timeout)
{
    struct timespec duration = timespec_from_ns(timeout);
    self->result = timeout > 0 ? real()->clock_nanosleep(CLOCK_MONOTONIC, 0, &duration, NULL) : 0;
    return self->result != 0;
}

/* Returns 0 or EINTR, and what is left of the duration in *ret_left. */
static int
sleep_for(int64_t duration, int64_t *ret_left)
{
    struct timed_wait wait = { .attempt = attempt_sleep };
    *ret_left = timed_wait_run(&wait, duration);
    return wait.result;
}

EXPORT int
clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                struct timespec *remaining)
{
    int64_t left;

    if (!clock_is_on() || !clock_is_virtual(clock) || !timespec_is_valid(request))
        return real()->clock_nanosleep(clock, flags, request, remaining);
    if (flags & TIMER_ABSTIME)
        return sleep_for(timespec_to_ns(request) - clock_look(clock), &left);
    int error = sleep_for(timespec_to_ns(request), &left);
    if (error != 0 && remaining != NULL)
        *remaining = timespec_from_ns(left);
    return error;
}

EXPORT int
nanosleep(const struct timespec *request, struct timespec *remaining)
{
    if (!clock_is_on())
        return real()->nanosleep(request, remaining);
    int error = clock_nanosleep(CLOCK_MONOTONIC, 0, request, remaining);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

EXPORT int
usleep(useconds_t microseconds)
{
    int64_t left;

    if (!clock_is_on())
        return real()->usleep(microseconds);
    int error = sleep_for((int64_t)microseconds * NS_PER_US, &left);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

EXPORT unsigned int
sleep(unsigned int seconds)
{
    int64_t left;

    if (!clock_is_on())
        return real()->sleep(seconds);
    int error = sleep_for((int64_t)seconds * NS_PER_SECOND, &left);
    return error == 0 ? 0 : (unsigned int)(left / NS_PER_SECOND);
}
