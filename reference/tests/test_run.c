/* SPDX-License-Identifier: MIT */
/* run_forever, run_until_complete, stop, and the loop of a thread. */
#include "testing.h"

#include "core/thread.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static asy_error *
stop(void *argument)
{
    struct testing *t = argument;
    testing_trace(t, "stop");
    asy_loop_stop(t->loop);
    return ASY_OK;
}

static void
call_stop(struct testing *t)
{
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(stop, t), NULL));
}

/* Spec: run_forever.stop-during.batch-completes, run_forever.restartable, stop.flag-consumed */
static void
stop_completes_the_batch_and_leaves_what_it_added(void **state)
{
    struct testing *t = *state;
    testing_call_soon(t, "a");
    call_stop(t);
    testing_call_soon(t, "b");
    require_ok(asy_loop_run_forever(t->loop));
    require_trace(t, "a stop b");
    testing_call_soon(t, "c");
    call_stop(t);
    require_ok(asy_loop_run_forever(t->loop));
    require_trace(t, "c stop");
}

/* Spec: run_forever.stop-before.exits, run_forever.stop-before.polls-once-zero */
static void
stop_before_the_run_gives_one_iteration_without_waiting(void **state)
{
    struct testing *t = *state;
    require_ok(asy_loop_call_later(t->loop, 10, testing_mark(t, "timer"), NULL));
    asy_loop_stop(t->loop);
    require_ok(asy_loop_run_forever(t->loop));
    assert_true(t->now == START);
    require_trace(t, "");
}

static asy_error *
look_around(void *argument)
{
    struct testing *t = argument;
    asy_loop *running;

    assert_true(asy_loop_is_running(t->loop));
    require_ok(asy_get_running_loop(&running));
    assert_ptr_equal(running, t->loop);
    require_ok(asy_get_event_loop(&running));
    assert_ptr_equal(running, t->loop);
    asy_loop_stop(t->loop);
    return ASY_OK;
}

/* Spec: get_running_loop.returns-running, get_running_loop.none.raises */
static void
running_loop_is_known_inside_only(void **state)
{
    struct testing *t = *state;
    asy_loop *running;

    require_ok(asy_loop_call_soon(t->loop, asy_borrow(look_around, t), NULL));
    require_ok(asy_loop_run_forever(t->loop));
    assert_false(asy_loop_is_running(t->loop));
    assert_null(asy_running_loop());
    require_error(asy_get_running_loop(&running), ASY_RuntimeError, "no running event loop");
}

static asy_error *
run_again(void *argument)
{
    struct testing *t = argument;
    asy_loop_options options = testing_options(t);
    asy_loop *other = testing_new_loop(&options);

    require_error(asy_loop_run_forever(t->loop), ASY_RuntimeError,
                  "This event loop is already running");
    require_error(asy_loop_run_forever(other), ASY_RuntimeError,
                  "Cannot run the event loop while another loop is running");
    assert_ptr_equal(asy_running_loop(), t->loop);
    assert_true(asy_loop_is_running(t->loop));
    testing_close(other);
    return stop(t);
}

/* Spec: run_forever.nested.raises */
static void
nested_runs_are_refused_and_change_nothing(void **state)
{
    struct testing *t = *state;
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(run_again, t), NULL));
    require_ok(asy_loop_run_forever(t->loop));
    require_trace(t, "stop");
}

static void
closed_loop_cannot_run(void **state)
{
    struct testing *t = *state;
    require_ok(asy_loop_close(t->loop));
    require_error(asy_loop_run_forever(t->loop), ASY_RuntimeError, "Event loop is closed");
    require_error(asy_loop_run_once(t->loop), ASY_RuntimeError, "Event loop is closed");
}

static void
loop_is_reusable_after_a_fatal_error(void **state)
{
    struct testing *t = *state;
    require_ok(asy_loop_call_soon(t->loop, testing_raise(t, "exit", ASY_SystemExit), NULL));
    call_stop(t);
    require_error(asy_loop_run_forever(t->loop), ASY_SystemExit, "exit raised");
    assert_false(asy_loop_is_running(t->loop));
    assert_null(asy_running_loop());
    require_ok(asy_loop_run_forever(t->loop));
    require_trace(t, "exit stop");
}

/* ---- run_until_complete ------------------------------------------------------- */

/* A future without a result, and with one done callback. */
struct future {
    struct testing *t;
    bool            done;
    bool            fatal;
    bool            watched;
    int             consumed;
};

static bool
future_done(void *self)
{
    return ((struct future *)self)->done;
}

static asy_error *
future_call_back(void *argument)
{
    struct future *future = argument;
    if (future->watched)
        asy_loop_run_until_complete_done(future->t->loop, future->fatal);
    return ASY_OK;
}

static asy_error *
future_add_done_callback(void *self, asy_loop *loop)
{
    struct future *future = self;
    future->watched = true;
    if (!future->done)
        return ASY_OK;
    return asy_loop_call_soon(loop, asy_borrow(future_call_back, future), NULL);
}

static void
future_remove_done_callback(void *self, asy_loop *loop)
{
    (void)loop;
    ((struct future *)self)->watched = false;
}

static void
future_consume(void *self)
{
    ((struct future *)self)->consumed++;
}

static asy_awaited
awaited(struct future *future)
{
    return (asy_awaited){
        .self = future,
        .done = future_done,
        .add_done_callback = future_add_done_callback,
        .remove_done_callback = future_remove_done_callback,
        .consume_exception = future_consume,
    };
}

static asy_error *
finish(void *argument)
{
    struct future *future = argument;
    future->done = true;
    testing_trace(future->t, "done");
    return asy_loop_call_soon(future->t->loop, asy_borrow(future_call_back, future), NULL);
}

/* Spec: run_until_complete.blocks-until-done. The done callback stops the loop, so the batch in
 * which it stands is completed. */
static void
run_until_complete_ends_with_the_batch_of_the_done_callback(void **state)
{
    struct testing *t = *state;
    struct future future = { .t = t };
    asy_awaited what = awaited(&future);

    require_ok(asy_loop_call_later(t->loop, 5, asy_borrow(finish, &future), NULL));
    require_ok(asy_loop_call_later(t->loop, 5, testing_mark(t, "same time"), NULL));
    require_ok(asy_loop_call_later(t->loop, 6, testing_mark(t, "later"), NULL));
    require_ok(asy_loop_run_until_complete(t->loop, &what));
    require_trace(t, "done same time");
    assert_false(future.watched);
    assert_int_equal(future.consumed, 0);
}

static void
run_until_complete_of_something_done_runs_one_iteration(void **state)
{
    struct testing *t = *state;
    struct future future = { .t = t, .done = true };
    asy_awaited what = awaited(&future);

    testing_call_soon(t, "queued");
    require_ok(asy_loop_run_until_complete(t->loop, &what));
    require_trace(t, "queued");
}

/* Spec: run_until_complete.stopped-early */
static void
run_until_complete_that_is_stopped_raises(void **state)
{
    struct testing *t = *state;
    struct future future = { .t = t };
    asy_awaited what = awaited(&future);

    call_stop(t);
    require_error(asy_loop_run_until_complete(t->loop, &what), ASY_RuntimeError,
                  "Event loop stopped before Future completed.");
    assert_false(future.watched);
}

static asy_error *
finish_fatally(void *argument)
{
    struct future *future = argument;
    future->fatal = true;
    asy_error_unref(finish(future));
    return asy_error_new(ASY_KeyboardInterrupt, "ctrl-c");
}

/* The done callback of a fatal end comes too late to stop anything, and must not stop the next
 * run. */
static void
fatal_end_is_consumed_and_does_not_stop_the_next_run(void **state)
{
    struct testing *t = *state;
    struct future future = { .t = t };
    asy_awaited what = awaited(&future);

    require_ok(asy_loop_call_soon(t->loop, asy_borrow(finish_fatally, &future), NULL));
    require_error(asy_loop_run_until_complete(t->loop, &what), ASY_KeyboardInterrupt, "ctrl-c");
    assert_int_equal(future.consumed, 1);
    future.watched = true;
    require_ok(asy_loop_call_later(t->loop, 1, asy_borrow(stop, t), NULL));
    require_ok(asy_loop_run_forever(t->loop));
    require_trace(t, "done stop");
}

/* ---- the loop of a thread ----------------------------------------------------- */

/* Spec: set_event_loop.sets-current, set_event_loop.none-clears, set_event_loop.not-running */
static void
current_loop_is_what_was_set(void **state)
{
    struct testing *t = *state;
    asy_loop *current;

    asy_set_event_loop(t->loop);
    require_ok(asy_get_event_loop(&current));
    assert_ptr_equal(current, t->loop);
    assert_null(asy_running_loop());
    asy_set_event_loop(NULL);
    require_error(asy_get_event_loop(&current), ASY_RuntimeError,
                  "There is no current event loop in thread 'MainThread'.");
}

/* Spec: get_event_loop.no-current.raises-3.14, get_event_loop.main.autocreate,
 * get_event_loop.main.autocreate-becomes-current */
static void
main_thread_makes_a_loop_until_3_14(void **state)
{
    asy_loop *made, *again;

    (void)state;
    require_error(asy_get_event_loop_as(14, &made), ASY_RuntimeError,
                  "There is no current event loop in thread 'MainThread'.");
    require_ok(asy_get_event_loop_as(11, &made));
    require_ok(asy_get_event_loop(&again));
    assert_ptr_equal(made, again);
    assert_int_equal(asy_loop_profile(made), 11);
    require_ok(asy_loop_close(made));
}

/* Spec: get_event_loop.set-disables-autocreate */
static void
setting_none_keeps_a_loop_from_being_made(void **state)
{
    asy_loop *loop;
    (void)state;
    asy_set_event_loop(NULL);
    require_error(asy_get_event_loop_as(11, &loop), ASY_RuntimeError,
                  "There is no current event loop in thread 'MainThread'.");
}

/* Spec: get_event_loop.warn-no-current-3.12 */
static void
making_a_loop_warns_in_3_12_and_3_13(void **state)
{
    (void)state;
    for (int profile = 11; profile <= 13; profile++) {
        FILE *file = tmpfile();
        char line[200] = "";
        asy_loop *loop;
        fflush(stderr);
        int saved = dup(STDERR_FILENO);
        dup2(fileno(file), STDERR_FILENO);
        asy_error *err = asy_get_event_loop_as(profile, &loop);
        fflush(stderr);
        dup2(saved, STDERR_FILENO);
        close(saved);
        require_ok(err);
        rewind(file);
        bool warned = fgets(line, sizeof line, file) != NULL;
        fclose(file);
        assert_int_equal(warned, profile >= 12);
        if (warned)
            assert_string_equal(line, "DeprecationWarning: There is no current event loop\n");
        require_ok(asy_loop_close(loop));
        thread_state_clear();
    }
}

static void *
in_another_thread(void *argument)
{
    struct testing *t = argument;
    asy_loop *loop;
    asy_error *err = asy_get_event_loop_as(11, &loop);

    assert_true(asy_error_is_a(err, ASY_RuntimeError));
    assert_true(strstr(err->message, "There is no current event loop in thread 'Thread-") != NULL);
    asy_error_unref(err);
    assert_null(asy_running_loop());
    asy_set_event_loop(t->loop);
    return NULL;
}

/* Spec: get_event_loop.worker.no-autocreate, set_event_loop.per-thread. The other thread ends
 * with its current loop set: its reference goes with it. */
static void
other_threads_have_their_own_current_loop_and_none_is_made(void **state)
{
    struct testing *t = *state;
    pthread_t thread;
    asy_loop *current;

    asy_set_event_loop(NULL);
    assert_int_equal(pthread_create(&thread, NULL, in_another_thread, t), 0);
    pthread_join(thread, NULL);
    require_error(asy_get_event_loop(&current), ASY_RuntimeError,
                  "There is no current event loop in thread 'MainThread'.");
}

static void
forked_child_runs_no_loop(void **state)
{
    struct testing *t = *state;
    int status;

    asy_set_running_loop(t->loop);
    pid_t child = fork();
    if (child == 0)
        _exit(asy_running_loop() == NULL ? 0 : 1);
    assert_ptr_equal(asy_running_loop(), t->loop);
    asy_set_running_loop(NULL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(stop_completes_the_batch_and_leaves_what_it_added),
        testing_case(stop_before_the_run_gives_one_iteration_without_waiting),
        testing_case(running_loop_is_known_inside_only),
        testing_case(nested_runs_are_refused_and_change_nothing),
        testing_case(closed_loop_cannot_run),
        testing_case(loop_is_reusable_after_a_fatal_error),
        testing_case(run_until_complete_ends_with_the_batch_of_the_done_callback),
        testing_case(run_until_complete_of_something_done_runs_one_iteration),
        testing_case(run_until_complete_that_is_stopped_raises),
        testing_case(fatal_end_is_consumed_and_does_not_stop_the_next_run),
        testing_case(current_loop_is_what_was_set),
        testing_case(main_thread_makes_a_loop_until_3_14),
        testing_case(setting_none_keeps_a_loop_from_being_made),
        testing_case(making_a_loop_warns_in_3_12_and_3_13),
        testing_case(other_threads_have_their_own_current_loop_and_none_is_made),
        testing_case(forked_child_runs_no_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
