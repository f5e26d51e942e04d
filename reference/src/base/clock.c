/* SPDX-License-Identifier: MIT */
/* See clock.h. */
#include "base/clock.h"

#include <math.h>
#include <time.h>

int64_t
clock_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

/* CPython: _PyTime_AsSecondsDouble. Whole seconds are divided as integers, so that they do not
 * lose a bit on the way through a double. */
double
clock_seconds(int64_t ns)
{
    if (ns % NS_PER_SECOND == 0)
        return (double)(ns / NS_PER_SECOND);
    return (double)ns / 1e9;
}

double
clock_monotonic(void)
{
    return clock_seconds(clock_monotonic_ns());
}

double
clock_resolution(void)
{
    struct timespec step;
    if (clock_getres(CLOCK_MONOTONIC, &step) != 0)
        return 1e-9;
    return (double)step.tv_sec + (double)step.tv_nsec * 1e-9;
}

double
clock_ulp(double seconds)
{
    double size = fabs(seconds);
    double next = nextafter(size, INFINITY);

    if (isinf(size))
        return size;
    return isinf(next) ? size - nextafter(size, 0) : next - size;
}
