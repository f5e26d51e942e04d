/* SPDX-License-Identifier: MIT */
/*
 * What the interposed waits ask of the virtual clock. Everything here is private to the library.
 *
 * A duration or a point in time is an int64_t of nanoseconds. None exceeds END_OF_TIME_NS, so
 * two can be added.
 */
#ifndef LOOPCHECK_CLOCK_STATE_H
#define LOOPCHECK_CLOCK_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS     INT64_C(1000000)
#define NS_PER_US     INT64_C(1000)
#define END_OF_TIME_NS ((INT64_C(1) << 62) - 1)

bool clock_is_on(void);

/* Is the caller the thread that switched the clock on? Never true in a forked child. */
bool clock_is_owner(void);

/* Is there neither another thread nor a child process? Asked by the owner only. */
bool clock_is_alone(void);

/* May the caller jump this far? That is: it is the owner, it is alone, and virtual time does
 * not end before. */
bool clock_can_jump(int64_t duration);

/* Move virtual time forward. Only after clock_can_jump(). */
void clock_jump(int64_t duration);

/* Bring virtual time up to date while it passes for real; returns the virtual monotonic time. */
int64_t clock_pass(void);

/* Does this clock follow virtual time? The CPU-time clocks and unknown ones do not. */
bool clock_is_virtual(clockid_t clock);

/* Look at a clock for which clock_is_virtual(). */
int64_t clock_look(clockid_t clock);

/* Conversions. A time beyond END_OF_TIME_NS becomes END_OF_TIME_NS; a negative one becomes 0. */
bool timespec_is_valid(const struct timespec *time);
int64_t timespec_to_ns(const struct timespec *time);
struct timespec timespec_from_ns(int64_t ns);

#endif
