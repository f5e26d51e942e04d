/* SPDX-License-Identifier: MIT */
/*
 * What gather() and shield() hold, and that it goes when the loop is closed: an outer future and a
 * pending inner one hold each other. What is left the teardown finds.
 */
#include "await_trace.h"

#include <string.h>

/* ---- gather ------------------------------------------------------------------------- */

static asy_future *
gather(struct testing *t, asy_future *const *futures, size_t count, bool return_exceptions)
{
    asy_future *gathering;
    require_ok(asy_gather(t->loop, futures, count, return_exceptions, &gathering));
    return gathering;
}

static void
gathering_of_what_stays_pending_goes_with_its_loop(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_future *g = gather(t, &future, 1, false);

    asy_future_unref(gather(t, (asy_future *const[]){ g, future }, 2, true));
    asy_future_unref(g);
    asy_future_unref(future);
}

static void
gathering_that_has_failed_goes_with_its_loop(void **state)
{
    struct testing *t = *state;
    asy_future *futures[] = { asy_loop_create_future(t->loop), asy_loop_create_future(t->loop) };
    asy_future *g = gather(t, futures, 2, false);

    require_ok(asy_future_set_exception(futures[0], asy_error_new(ASY_ValueError, "failed")));
    trace_run(t, 1);
    require_error(asy_future_result(g, NULL), ASY_ValueError, "failed");
    asy_future_unref(g);
    asy_future_unref(futures[0]);
    asy_future_unref(futures[1]);
}

static void
gathering_that_is_held_when_its_loop_is_closed_stays_pending(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);
    asy_future *future = asy_loop_create_future(loop);
    asy_future *g;
    bool cancelled = true;

    require_ok(asy_gather(loop, &future, 1, false, &g));
    asy_future_unref(future);
    testing_close(loop);
    assert_false(asy_future_done(g));
    require_ok(asy_future_cancel(g, NULL, &cancelled));
    assert_false(cancelled);
    asy_future_unref(g);
}

static void
gathering_in_a_closed_loop_is_no_circle(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    require_ok(asy_loop_close(t->loop));
    asy_future_unref(gather(t, &future, 1, false));
    require_error(asy_future_set_result(future, NULL, NULL), ASY_RuntimeError,
                  "Event loop is closed");
    asy_future_unref(future);
}

static void
results_outlive_the_loop_that_is_closed(void **state)
{
    struct testing *t = *state;
    asy_future *futures[] = { asy_loop_create_future(t->loop), asy_loop_create_future(t->loop) };
    asy_future *g = gather(t, futures, 2, true);
    void *results;
    int value;

    require_ok(asy_future_set_result(futures[0], &value, NULL));
    require_ok(asy_future_set_exception(futures[1], asy_error_new(ASY_ValueError, "failed")));
    asy_future_unref(futures[0]);
    asy_future_unref(futures[1]);
    trace_run(t, 1);
    require_ok(asy_loop_close(t->loop));
    require_ok(asy_future_result(g, &results));
    assert_ptr_equal(((asy_gathered *)results)[0].result, &value);
    assert_string_equal(((asy_gathered *)results)[1].exception->message, "failed");
    asy_future_unref(g);
}

/* A task that is pending ends, and is reported, as the gathering lets it go. */
static void
task_that_only_a_gathering_holds_ends_when_its_loop_is_closed(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);
    asy_task *task;
    asy_future *g;

    require_ok(asy_loop_create_task(loop, asy_sleep(loop, 5), NULL, &task));
    require_ok(asy_gather(loop, (asy_future *const[]){ asy_task_future(task) }, 1, false, &g));
    asy_task_unref(task);
    require_ok(asy_loop_run_once(loop));
    t->log[0] = '\0';
    testing_close(loop);
    assert_non_null(strstr(t->log, "ERROR Task was destroyed but it is pending!\n"));
    asy_future_unref(g);
}

/* ---- shield ------------------------------------------------------------------------- */

static void
shield_of_what_stays_pending_goes_with_its_loop(void **state)
{
    struct testing *t = *state;
    asy_future *inner = asy_loop_create_future(t->loop);

    asy_future_unref(asy_shield(inner));
    asy_future_unref(inner);
}

static void
shield_that_is_cancelled_as_its_loop_is_closed_goes_with_it(void **state)
{
    struct testing *t = *state;
    asy_future *inner = asy_loop_create_future(t->loop);
    asy_future *outer = asy_shield(inner);

    require_ok(asy_future_cancel(outer, NULL, NULL));
    asy_future_unref(outer);
    asy_future_unref(inner);
}

static void
shield_in_a_closed_loop_is_no_circle(void **state)
{
    struct testing *t = *state;
    asy_future *inner = asy_loop_create_future(t->loop);

    require_ok(asy_loop_close(t->loop));
    asy_future *outer = asy_shield(inner);
    asy_future_unref(inner);
    assert_false(asy_future_done(outer));
    asy_future_unref(outer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(gathering_of_what_stays_pending_goes_with_its_loop),
        trace_case(gathering_that_has_failed_goes_with_its_loop),
        trace_case(gathering_that_is_held_when_its_loop_is_closed_stays_pending),
        trace_case(gathering_in_a_closed_loop_is_no_circle),
        trace_case(results_outlive_the_loop_that_is_closed),
        trace_case(task_that_only_a_gathering_holds_ends_when_its_loop_is_closed),
        trace_case(shield_of_what_stays_pending_goes_with_its_loop),
        trace_case(shield_that_is_cancelled_as_its_loop_is_closed_goes_with_it),
        trace_case(shield_in_a_closed_loop_is_no_circle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
