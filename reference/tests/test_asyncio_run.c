/* SPDX-License-Identifier: MIT */
/*
 * run(): a loop of its own around a coroutine. The loop has the system's clock, and nothing in
 * here waits for it.
 */
#include "await_trace.h"
#include "cancel_sweep.h"

#include "core/thread.h"

/* Notes of one run; as a fixture, it does without a loop of its own. */
struct seen {
    struct testing *t;
    asy_loop       *loop;
};

static asy_error *
run(struct testing *t, asy_coro *(*make)(asy_loop *loop, void *argument))
{
    struct seen seen = { t, NULL };
    return asy_run(make, &seen);
}

/* ---- a coroutine that returns, or raises ------------------------------------------- */

struct looks {
    asy_coro     co;
    struct seen *seen;
};

ASYNC(looks)
{
    asy_loop *loop;

    ASYNC_BEGIN;

    assert_ptr_equal(asy_running_loop(), self->seen->loop);
    AWAIT(asy_sleep(self->seen->loop, 0));
    require_ok(asy_get_event_loop(&loop));
    assert_ptr_equal(loop, self->seen->loop);
    testing_trace(self->seen->t, "ran");

    ASYNC_END;
}

FINALLY(looks)
{
}

static asy_coro *
make_looks(asy_loop *loop, void *argument)
{
    struct seen *seen = argument;

    seen->loop = loop;
    return ASYNC_CALL(looks, .seen = seen);
}

static void
coroutine_runs_in_a_loop_that_is_gone_afterwards(void **state)
{
    struct testing *t = *state;
    asy_loop *loop;

    require_ok(run(t, make_looks));
    require_trace(t, "ran");
    assert_null(asy_running_loop());
    require_error(asy_get_event_loop(&loop), ASY_RuntimeError,
                  "There is no current event loop in thread 'MainThread'.");
}

static asy_coro *
make_raises(asy_loop *loop, void *argument)
{
    struct seen *seen = argument;

    (void)loop;
    return nap_and_raise(seen->t, "main", 0);
}

static void
exception_of_the_coroutine_comes_out(void **state)
{
    struct testing *t = *state;

    require_error(run(t, make_raises), ASY_LookupError, "main");
}

static asy_coro *
make_nothing(asy_loop *loop, void *argument)
{
    (void)loop;
    (void)argument;
    return NULL;
}

static void
no_coroutine_is_refused(void **state)
{
    require_error(run(*state, make_nothing), ASY_TypeError,
                  "An asyncio.Future, a coroutine or an awaitable is required");
}

static asy_error *
run_within(void *argument)
{
    require_error(run(argument, make_looks), ASY_RuntimeError,
                  "asyncio.run() cannot be called from a running event loop");
    testing_trace(argument, "refused");
    return ASY_OK;
}

static void
running_loop_is_refused(void **state)
{
    struct testing *t = *state;

    require_ok(asy_loop_call_soon(t->loop, asy_borrow(run_within, t), NULL));
    trace_run(t, 1);
    require_trace(t, "refused");
}

/* ---- the tasks that are left -------------------------------------------------------- */

struct leaves {
    asy_coro     co;
    struct seen *seen;
    bool         is_fatal;
};

static asy_error *
note_report(asy_loop *loop, const asy_report *report, void *argument)
{
    (void)loop;
    testing_trace(argument, report->message);
    testing_trace(argument, report->exception->message);
    assert_non_null(report->task);
    return ASY_OK;
}

struct cleanup {
    asy_coro        co;
    struct testing *t;
    asy_loop       *loop;
    const char     *name;
    bool            raises;
};

ASYNC(cleanup)
{
    asy_error *err;

    ASYNC_BEGIN;

    TRY_AWAIT(err, asy_sleep(self->loop, 3600));
    testing_trace(self->t, asy_error_kind_name(err->kind));
    asy_error_unref(err);
    AWAIT(asy_sleep(self->loop, 0));
    testing_trace(self->t, self->name);
    if (self->raises)
        RAISE(ValueError, "from %s", self->name);

    ASYNC_END;
}

FINALLY(cleanup)
{
}

static void
start_cleanup(struct seen *seen, const char *name, bool raises)
{
    require_ok(asy_loop_create_task(
        seen->loop,
        ASYNC_CALL(cleanup, .t = seen->t, .loop = seen->loop, .name = name, .raises = raises),
        NULL, NULL));
}

ASYNC(leaves)
{
    ASYNC_BEGIN;

    asy_loop_set_exception_handler(self->seen->loop, note_report, self->seen->t, NULL);
    start_cleanup(self->seen, "a", false);
    start_cleanup(self->seen, "b", true);
    AWAIT(asy_sleep(self->seen->loop, 0));
    testing_trace(self->seen->t, "main");
    if (self->is_fatal)
        RAISE(SystemExit, "1");

    ASYNC_END;
}

FINALLY(leaves)
{
}

static asy_coro *
make_leaves(asy_loop *loop, void *argument)
{
    struct seen *seen = argument;

    seen->loop = loop;
    return ASYNC_CALL(leaves, .seen = seen);
}

static asy_coro *
make_fatal(asy_loop *loop, void *argument)
{
    struct seen *seen = argument;

    seen->loop = loop;
    return ASYNC_CALL(leaves, .seen = seen, .is_fatal = true);
}

#define WHAT_IS_LEFT                                                                       \
    "main CancelledError CancelledError a b unhandled exception during asyncio.run() "     \
    "shutdown from b"

static void
tasks_that_are_left_are_cancelled_and_waited_for(void **state)
{
    struct testing *t = *state;

    require_ok(run(t, make_leaves));
    require_trace(t, WHAT_IS_LEFT);
}

static void
they_are_also_after_a_fatal_error(void **state)
{
    struct testing *t = *state;

    require_error(run(t, make_fatal), ASY_SystemExit, "1");
    require_trace(t, WHAT_IS_LEFT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(coroutine_runs_in_a_loop_that_is_gone_afterwards),
        trace_case(exception_of_the_coroutine_comes_out),
        trace_case(no_coroutine_is_refused),
        trace_case(running_loop_is_refused),
        trace_case(tasks_that_are_left_are_cancelled_and_waited_for),
        trace_case(they_are_also_after_a_fatal_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
