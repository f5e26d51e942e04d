/* SPDX-License-Identifier: MIT */
/*
 * time.monotonic(): the same doubles that Python makes of the same nanoseconds.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_SECOND INT64_C(1000000000)

/* The monotonic clock in nanoseconds. */
int64_t clock_monotonic_ns(void);

/* Nanoseconds as seconds. */
double clock_seconds(int64_t ns);

/* time.monotonic() */
double clock_monotonic(void);

/* time.get_clock_info("monotonic").resolution */
double clock_resolution(void);

/* math.ulp(): the distance from a number to the next one away from zero. */
double clock_ulp(double seconds);

#endif
