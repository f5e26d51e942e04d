/* SPDX-License-Identifier: MIT */
/*
 * Eager tasks: the traces of oracle/await_traces.py, as CPython 3.14 prints them, and what happens
 * when the first step cannot be taken.
 */
#include "await_trace.h"

/* ---- beginning at once ------------------------------------------------------------ */

struct begins {
    asy_coro        co;
    struct testing *t;
    asy_task       *b;
};

static void
make_eager_tasks(struct begins *self)
{
    struct testing *t = self->t;
    asy_task *current = asy_current_task(t->loop);
    asy_task *a = trace_eager(t, nap(t, "a", 0));

    trace_note(t, "%s", asy_future_done(asy_task_future(a)) ? "a done" : "not");
    trace_note(t, "%s", asy_task_get_coro(a) ? "coro" : "none");
    asy_task_unref(a);
    self->b = trace_eager(t, nap(t, "b", 1));
    trace_note(t, "%s", asy_future_done(asy_task_future(self->b)) ? "b done" : "not");
    trace_note(t, "%s", asy_current_task(t->loop) == current ? "same" : "other");
}

ASYNC(begins)
{
    ASYNC_BEGIN;

    trace_note(self->t, "m>");
    make_eager_tasks(self);
    AWAIT(self->b);
    trace_note(self->t, "m.");

    ASYNC_END;
}

FINALLY(begins)
{
    asy_task_unref(self->b);
}

static void
eager_tasks_begin_at_once(void **state)
{
    struct testing *t = *state;
    asy_task *m = trace_eager(t, ASYNC_CALL(begins, .t = t));

    trace_note(t, "made");
    trace_run(t, 5);
    require_trace(t, "0:made 1:m> 1:a> 1:a. 1:a done 1:none 1:b> 1:not 1:same 2:b. 3:m.");
    asy_task_unref(m);
}

/* ---- being current ----------------------------------------------------------------- */

struct current {
    asy_coro        co;
    struct testing *t;
    bool            makes_another;
};

static void
note_current(struct testing *t)
{
    trace_note(t, "%s", asy_task_get_name(asy_current_task(t->loop)));
}

static void
note_task_count(struct testing *t)
{
    size_t count;
    asy_task **tasks = asy_all_tasks(t->loop, &count);

    for (size_t i = 0; i < count; i++)
        asy_task_unref(tasks[i]);
    asy_free(tasks);
    trace_note(t, "%zu", count);
}

static asy_coro *current(struct testing *t, bool makes_another);

ASYNC(current)
{
    ASYNC_BEGIN;

    note_current(self->t);
    if (self->makes_another) {
        require_ok(asy_loop_create_task(
            self->t->loop, current(self->t, false),
            &(asy_task_options){ .name = "inner", .eager_start = true }, NULL));
        note_current(self->t);
    }
    note_task_count(self->t);

    ASYNC_END;
}

FINALLY(current)
{
}

static asy_coro *
current(struct testing *t, bool makes_another)
{
    return ASYNC_CALL(current, .t = t, .makes_another = makes_another);
}

static void
eager_tasks_are_current_meanwhile(void **state)
{
    struct testing *t = *state;

    require_ok(asy_loop_create_task(t->loop, current(t, true),
                                    &(asy_task_options){ .name = "main" }, NULL));
    trace_run(t, 2);
    require_trace(t, "1:main 1:inner 1:2 1:main 1:1");
    assert_null(asy_current_task(t->loop));
}

/* ---- a host with tasks of its own ---------------------------------------------------- */

/* The account of a host, such as asyncio, in whose loop also tasks run that are not the library's.
 * They have names here, and so have the library's. */
struct account {
    struct testing *t;
    const char     *current;
    bool            refuses;
};

static asy_error *
account_enter(void *host, asy_task *task)
{
    struct account *self = host;

    if (self->current)
        RAISE(RuntimeError, "Cannot enter into task");
    self->current = asy_task_get_name(task);
    return ASY_OK;
}

static asy_error *
account_leave(void *host, asy_task *task)
{
    struct account *self = host;

    assert_string_equal(self->current, asy_task_get_name(task));
    self->current = NULL;
    return ASY_OK;
}

static asy_error *
account_swap(void *host, asy_task *task, void **ret_outer)
{
    struct account *self = host;

    if (self->refuses)
        RAISE(ValueError, "refused");
    *ret_outer = (void *)(uintptr_t)self->current;
    self->current = asy_task_get_name(task);
    return ASY_OK;
}

static void
account_restore(void *host, void *outer)
{
    struct account *self = host;
    self->current = outer;
}

static const asy_host accounting_host = {
    .enter_task = account_enter,
    .leave_task = account_leave,
    .swap_current_task = account_swap,
    .restore_current_task = account_restore,
};

static void
use_account(struct account *account, struct testing *t)
{
    asy_loop_options options = testing_options(t);

    *account = (struct account){ .t = t };
    options.host = &accounting_host;
    options.host_data = account;
    testing_close(t->loop);
    t->loop = testing_new_loop(&options);
}

static void
note_account(const struct account *account)
{
    const asy_task *task = asy_current_task(account->t->loop);

    trace_note(account->t, "%s/%s", task ? asy_task_get_name(task) : "none",
               account->current ? account->current : "none");
}

/* The host begins a task of its own, by itself; that makes one of the library, eagerly. */
static asy_error *
make_eager_in_hosts_task(void *argument)
{
    struct account *account = argument;
    const char *outer = account->current;

    note_account(account);
    account->current = "hosts";
    asy_error *err = asy_loop_create_task(
        account->t->loop, nap(account->t, "inner", 1),
        &(asy_task_options){ .name = "inner", .eager_start = true }, NULL);
    note_account(account);
    account->current = outer;
    return err;
}

struct accounted {
    asy_coro        co;
    struct account *account;
};

ASYNC(accounted)
{
    ASYNC_BEGIN;

    TRY(make_eager_in_hosts_task(self->account));
    AWAIT(asy_sleep(self->account->t->loop, 0));
    note_account(self->account);

    ASYNC_END;
}

FINALLY(accounted)
{
}

static void
task_of_a_host_is_hidden_by_an_eager_task_and_current_again(void **state)
{
    struct testing *t = *state;
    struct account account;

    use_account(&account, t);
    require_ok(asy_loop_call_soon(
        t->loop, (asy_callback){ .function = make_eager_in_hosts_task, .argument = &account },
        NULL));
    trace_run(t, 3);
    require_trace(t, "1:none/none 1:inner> 1:none/hosts 2:inner.");
    assert_null(account.current);
}

static void
task_of_a_host_within_a_task_is_hidden_by_an_eager_task_and_current_again(void **state)
{
    struct testing *t = *state;
    struct account account;

    use_account(&account, t);
    require_ok(asy_loop_create_task(t->loop, ASYNC_CALL(accounted, .account = &account),
                                    &(asy_task_options){ .name = "outer" }, NULL));
    trace_run(t, 3);
    require_trace(t, "1:outer/outer 1:inner> 1:outer/hosts 2:inner. 2:outer/outer");
    assert_null(account.current);
}

static void
eager_task_that_the_host_refuses_changes_nothing(void **state)
{
    struct testing *t = *state;
    struct account account;

    use_account(&account, t);
    account.refuses = true;
    asy_task *outer = trace_task(t, ASYNC_CALL(accounted, .account = &account));
    asy_task_set_name(outer, "outer");
    trace_run(t, 1);
    require_error(asy_future_result(asy_task_future(outer), NULL), ASY_ValueError, "refused");
    require_trace(t, "1:outer/outer 1:outer/hosts");
    assert_null(asy_current_task(t->loop));
    asy_task_unref(outer);
}

/* ---- exceptions --------------------------------------------------------------------- */

struct makes {
    asy_coro        co;
    struct testing *t;
    asy_coro       *eager;
    asy_error_kind  raises;             /* what making it raises; 0: nothing */
    int             naps;
};

static void
make_one(struct makes *self)
{
    const asy_task_options options = { .eager_start = true };
    asy_coro *coro = self->eager;
    asy_task *task;

    self->eager = NULL;
    asy_error *err = asy_loop_create_task(self->t->loop, coro, &options, &task);
    assert_int_equal(err ? err->kind : 0, self->raises);
    if (!err) {
        trace_note_task_done(self->t, "x done", task);
        asy_task_unref(task);
    }
    asy_error_unref(err);
}

ASYNC(makes)
{
    ASYNC_BEGIN;

    make_one(self);
    AWAIT(nap(self->t, "m", self->naps));

    ASYNC_END;
}

FINALLY(makes)
{
    assert_null(self->eager);
}

static void
eager_task_raises(void **state)
{
    struct testing *t = *state;

    trace_reports(t);
    trace_start(t, ASYNC_CALL(makes, .t = t, .eager = nap_and_raise(t, "x", 0), .naps = 2));
    trace_run(t, 4);
    require_trace(t, "1:x> 1:xx 1:m> 2:x done 2:report:Task exception was never 3:m.");
}

struct interrupt {
    asy_coro co;
};

ASYNC(interrupt)
{
    ASYNC_BEGIN;

    RAISE(KeyboardInterrupt, "enough");

    ASYNC_END;
}

FINALLY(interrupt)
{
}

/* In CPython, too, it comes out of the constructor, and is reported when the task goes. */
static void
fatal_error_of_the_first_step_comes_out_of_making_the_task(void **state)
{
    struct testing *t = *state;

    trace_reports(t);
    trace_start(t, ASYNC_CALL(makes, .t = t, .eager = ASYNC_CALL(interrupt),
                              .raises = ASY_KeyboardInterrupt));
    trace_run(t, 2);
    require_trace(t, "1:report:Task exception was never 1:m> 1:m.");
}

/* A context cannot be entered twice. The task never began, and is done with: no report. */
struct reenters {
    asy_coro        co;
    struct testing *t;
};

ASYNC(reenters)
{
    asy_task *task;
    asy_error *err;

    ASYNC_BEGIN;

    err = asy_loop_create_task(
        self->t->loop, nap(self->t, "x", 0),
        &(asy_task_options){
            .context = asy_task_get_context(asy_current_task(self->t->loop)),
            .eager_start = true,
        }, &task);
    assert_non_null(err);
    trace_note(self->t, "%s", asy_error_kind_name(err->kind));
    asy_error_unref(err);

    ASYNC_END;
}

FINALLY(reenters)
{
}

static void
eager_task_in_a_context_that_is_entered_is_refused(void **state)
{
    struct testing *t = *state;

    trace_reports(t);
    trace_start(t, ASYNC_CALL(reenters, .t = t));
    trace_run(t, 2);
    require_trace(t, "1:RuntimeError");
    assert_string_equal(t->log, "WARNING coroutine 'nap' was never awaited\n");
}

/* ---- the factory -------------------------------------------------------------------- */

struct uses_factory {
    asy_coro        co;
    struct testing *t;
};

ASYNC(uses_factory)
{
    ASYNC_BEGIN;

    trace_note(self->t, "m>");
    trace_start(self->t, nap(self->t, "a", 1));
    trace_note(self->t, "m.");

    ASYNC_END;
}

FINALLY(uses_factory)
{
}

static void
eager_factory(void **state)
{
    struct testing *t = *state;

    asy_loop_set_task_factory(t->loop, asy_eager_task_factory, NULL, NULL);
    trace_start(t, ASYNC_CALL(uses_factory, .t = t));
    trace_run(t, 4);
    require_trace(t, "1:m> 1:a> 1:m. 2:a.");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(eager_tasks_begin_at_once),
        trace_case(eager_tasks_are_current_meanwhile),
        trace_case(task_of_a_host_is_hidden_by_an_eager_task_and_current_again),
        trace_case(task_of_a_host_within_a_task_is_hidden_by_an_eager_task_and_current_again),
        trace_case(eager_task_that_the_host_refuses_changes_nothing),
        trace_case(eager_task_raises),
        trace_case(fatal_error_of_the_first_step_comes_out_of_making_the_task),
        trace_case(eager_task_in_a_context_that_is_entered_is_refused),
        trace_case(eager_factory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
