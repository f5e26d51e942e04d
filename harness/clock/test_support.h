/* SPDX-License-Identifier: MIT */
/*
 * What the clock's tests share. The clock cannot be switched off again, so the body of every
 * test runs in a process of its own: in_child_process() and in_virtual_time().
 *
 * A body proves things with REQUIRE, and "at once" by comparison only: the real time that was
 * spent against the virtual time that was moved over.
 */
#ifndef LOOPCHECK_TEST_SUPPORT_H
#define LOOPCHECK_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#define MS   INT64_C(1000000)
#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)

/* End the process with a message, unless the condition holds. */
#define REQUIRE(condition) require((condition), #condition, __FILE__, __LINE__)
void require(bool holds, const char *text, const char *file, int line);

/* Run the body in a forked child, with the clock off or on, and fail the test unless it
 * returns. */
void in_child_process(void (*body)(void));
void in_virtual_time(void (*body)(void));

/* What the process sees (interposed), and what is real (the bare system call). Nanoseconds. */
int64_t seen_ns(clockid_t clock);
int64_t real_ns(clockid_t clock);

struct timespec as_timespec(int64_t ns);

/* Sleep by the clock that the process sees, or by the real one. */
void sleep_ns(int64_t ns);
void really_sleep_ns(int64_t ns);

/* Both clocks at one moment. */
struct moment {
    int64_t seen;
    int64_t real;
};
struct moment moment_now(void);

/* Virtual time moved by this much at least, and hardly any real time was spent on it. */
void require_jumped(struct moment start, int64_t at_least);

/* Time passed for real: this much at least was really spent, seen, and nothing was jumped over. */
void require_passed(struct moment start, int64_t at_least);

#endif
