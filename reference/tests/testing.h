/* SPDX-License-Identifier: MIT */
/*
 * What the tests share: a fresh loop with a clock that is driven by hand, a trace of what ran, a
 * log, and the check that a test leaves nothing behind: no descriptor, thread or block.
 *
 * A test that is registered with testing_case() gets a struct testing as *state. Its loop uses
 * the selector named by ASY_TEST_SELECTOR (epoll, poll or select), else the default one.
 *
 * Nothing here sleeps: the loop's clock moves when the loop would wait.
 */
#ifndef TESTS_TESTING_H
#define TESTS_TESTING_H

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <asy/asy.h>
#include <cmocka.h>

/* The thread sanitizer has a thread of its own, and puts signal handlers off in select(). */
#if defined(__SANITIZE_THREAD__)
#define UNDER_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_THREAD_SANITIZER 1
#endif
#endif
#ifndef UNDER_THREAD_SANITIZER
#define UNDER_THREAD_SANITIZER 0
#endif

#define START 1000.0            /* what the clock shows at first */

struct testing {
    asy_loop *loop;
    double    now;
    char      trace[1024];      /* names of what ran, each followed by a blank */
    char      log[4096];        /* "LEVEL message\n", and "  Class: text\n" for an exception */
    int       fds_before;
    int       threads_before;
    long      blocks_before;
};

/* ---- fixture ------------------------------------------------------------------ */

#define testing_case(function)                                                             \
    cmocka_unit_test_setup_teardown(function, testing_setup, testing_teardown)

int testing_setup(void **state);
int testing_teardown(void **state);

/* Options of a loop like that of the fixture: to change, and to make another with. */
asy_loop_options testing_options(struct testing *t);

/* A loop, which the test closes with testing_close(). */
asy_loop *testing_new_loop(const asy_loop_options *options);
void testing_close(asy_loop *loop);

/* Replace the loop of the fixture by one of another profile. */
void testing_use_profile(struct testing *t, int profile);

/* ---- what callbacks do -------------------------------------------------------- */

/* A callback that adds the name to the trace; its argument is an allocation, so that a callback
 * that is never dropped is found. */
asy_callback testing_mark(struct testing *t, const char *name);

/* A callback that adds the name to the trace and then raises a new error of the kind. */
asy_callback testing_raise(struct testing *t, const char *name, asy_error_kind kind);

void testing_trace(struct testing *t, const char *name);

/* The trace is exactly this; it is empty afterwards. */
#define require_trace(t, expected) testing_require_trace(t, expected, __FILE__, __LINE__)
void testing_require_trace(struct testing *t, const char *expected, const char *file, int line);

/* Put into the loop's queue a handle that adds the name to the trace. */
void testing_call_soon(struct testing *t, const char *name);

/* Run one iteration of the loop. */
void testing_run_once(struct testing *t);

/* ---- errors ------------------------------------------------------------------- */

#define require_ok(err) testing_require_ok(err, __FILE__, __LINE__)
void testing_require_ok(asy_error *err, const char *file, int line);

/* The error is of exactly this kind and text; it is given back. */
#define require_error(err, kind, message)                                                  \
    testing_require_error(err, kind, message, __FILE__, __LINE__)
void testing_require_error(asy_error *err, asy_error_kind kind, const char *message,
                           const char *file, int line);

/* ---- the process -------------------------------------------------------------- */

int testing_count_fds(void);
int testing_count_threads(void);

/* Two connected non-blocking sockets; and both closed. */
void testing_socket_pair(int fds[2]);
void testing_close_pair(int fds[2]);

#endif
