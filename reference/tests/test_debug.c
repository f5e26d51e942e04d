/* SPDX-License-Identifier: MIT */
/* Debug mode: slow callbacks, the wrong thread, what a running loop hears of set_debug(). */
#include "testing.h"

#include <pthread.h>
#include <string.h>

static asy_error *
take_a_second(void *argument)
{
    struct testing *t = argument;
    t->now += 1;
    return ASY_OK;
}

static asy_callback
slow_callback(struct testing *t)
{
    return (asy_callback){ take_a_second, t, NULL, "take_a_second", "s.c", 1 };
}

static void
run_slow(struct testing *t)
{
    t->log[0] = '\0';
    require_ok(asy_loop_call_soon(t->loop, slow_callback(t), NULL));
    testing_run_once(t);
}

/* Spec: slow_callback_duration.logs, slow_callback_duration.settable,
 * slow_callback_duration.needs-debug */
static void
callback_that_takes_at_least_the_duration_is_logged_in_debug_mode(void **state)
{
    static const char line[] =
        "WARNING Executing <Handle take_a_second() at s.c:1> took 1.000 seconds\n";
    struct testing *t = *state;

    run_slow(t);
    assert_string_equal(t->log, "");
    asy_loop_set_debug(t->loop, true);
    run_slow(t);
    assert_string_equal(t->log, line);
    asy_loop_set_slow_callback_duration(t->loop, 1.0);
    run_slow(t);
    assert_string_equal(t->log, line);
    asy_loop_set_slow_callback_duration(t->loop, 1.5);
    run_slow(t);
    assert_string_equal(t->log, "");
}

static asy_error *
look_at_current(void *argument)
{
    struct testing *t = argument;
    testing_trace(t, asy_loop_current_handle(t->loop) ? "current" : "none");
    return ASY_OK;
}

static void
current_handle_is_known_in_debug_mode_only(void **state)
{
    struct testing *t = *state;
    for (int debug = 0; debug < 2; debug++) {
        asy_loop_set_debug(t->loop, debug);
        require_ok(asy_loop_call_soon(t->loop, asy_borrow(look_at_current, t), NULL));
        testing_run_once(t);
        assert_null(asy_loop_current_handle(t->loop));
    }
    require_trace(t, "none current");
}

/* ---- the wrong thread --------------------------------------------------------- */

#define WRONG_THREAD "Non-thread-safe operation invoked on an event loop other than the current one"

static void *
call_from_outside(void *argument)
{
    struct testing *t = argument;
    bool debug = asy_loop_get_debug(t->loop);
    asy_callback nothing = { 0 };

    if (!debug)
        return NULL;
    require_error(asy_loop_call_soon(t->loop, nothing, NULL), ASY_RuntimeError, WRONG_THREAD);
    require_error(asy_loop_call_later(t->loop, 1, nothing, NULL), ASY_RuntimeError, WRONG_THREAD);
    require_error(asy_loop_call_at(t->loop, 1, nothing, NULL), ASY_RuntimeError, WRONG_THREAD);
    require_ok(asy_loop_call_soon_threadsafe(t->loop, testing_mark(t, "safe"), NULL));
    return NULL;
}

static asy_error *
let_others_call(void *argument)
{
    struct testing *t = argument;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, call_from_outside, t), 0);
    pthread_join(thread, NULL);
    testing_call_soon(t, "own thread");
    asy_loop_stop(t->loop);
    return ASY_OK;
}

/* Spec: call_soon.debug-wrong-thread */
static void
other_threads_are_refused_while_the_loop_runs(void **state)
{
    struct testing *t = *state;
    asy_loop_set_debug(t->loop, true);
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(let_others_call, t), NULL));
    require_ok(asy_loop_run_forever(t->loop));
    testing_run_once(t);
    require_trace(t, "safe own thread");
}

/* ---- set_debug ---------------------------------------------------------------- */

static void
hear_of_debug(void *host, bool enabled)
{
    testing_trace(host, enabled ? "on" : "off");
}

static asy_loop *loop_with_ears;

static asy_error *
switch_debug(void *argument)
{
    asy_loop_set_debug(loop_with_ears, true);
    testing_trace(argument, "switched");
    asy_loop_set_debug(loop_with_ears, false);
    asy_loop_stop(loop_with_ears);
    return ASY_OK;
}

/* Spec: set_debug.sets. Through the queue, and with a byte to the self-pipe, as in CPython. */
static void
running_loop_tells_its_host_one_iteration_later(void **state)
{
    struct testing *t = *state;
    const asy_host host = { .debug_changed = hear_of_debug };
    asy_loop_options options = testing_options(t);

    options.host = &host;
    loop_with_ears = testing_new_loop(&options);
    asy_loop_set_debug(loop_with_ears, true);
    require_ok(asy_loop_call_soon(loop_with_ears, asy_borrow(switch_debug, t), NULL));
    require_ok(asy_loop_run_forever(loop_with_ears));
    require_trace(t, "switched");
    assert_int_equal(asy_loop_ready_count(loop_with_ears), 2);
    require_ok(asy_loop_run_once(loop_with_ears));
    require_trace(t, "on off");
    testing_close(loop_with_ears);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(callback_that_takes_at_least_the_duration_is_logged_in_debug_mode),
        testing_case(current_handle_is_known_in_debug_mode_only),
        testing_case(other_threads_are_refused_while_the_loop_runs),
        testing_case(running_loop_tells_its_host_one_iteration_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
