/* SPDX-License-Identifier: MIT */
/* call_soon_threadsafe from other threads: wake-up, order, closing, cancelling. */
#include "testing.h"

#include "core/loop_impl.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#define THREADS 4
#define CALLS 2000

static pthread_t
start(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, body, argument), 0);
    return thread;
}

static asy_error *
stop(void *loop)
{
    asy_loop_stop(loop);
    return ASY_OK;
}

/* ---- waking ------------------------------------------------------------------- */

static void *
stop_from_outside(void *loop)
{
    require_ok(asy_loop_call_soon_threadsafe(loop, asy_borrow(stop, loop), NULL));
    return NULL;
}

/* Spec: call_soon_threadsafe.wakes. Nothing else would end the wait. */
static void
thread_wakes_a_loop_that_waits_for_ever(void **state)
{
    struct testing *t = *state;
    for (int i = 0; i < 50; i++) {
        pthread_t thread = start(stop_from_outside, t->loop);
        require_ok(asy_loop_run_forever(t->loop));
        pthread_join(thread, NULL);
    }
}

static asy_error *
call_from_inside(void *argument)
{
    struct testing *t = argument;
    require_ok(asy_loop_call_soon_threadsafe(t->loop, testing_mark(t, "threadsafe"), NULL));
    testing_call_soon(t, "soon");
    require_ok(asy_loop_call_soon_threadsafe(t->loop, asy_borrow(stop, t->loop), NULL));
    return ASY_OK;
}

/* The reader of the self-pipe takes a place in the queue: it comes after what was queued before
 * the poll, and it clears the flag, so that the next call writes again. */
static void
self_pipe_reader_takes_a_place_in_the_queue(void **state)
{
    struct testing *t = *state;

    require_ok(asy_loop_call_soon_threadsafe(t->loop, testing_mark(t, "a"), NULL));
    assert_true(atomic_load(&t->loop->wake_pending));
    require_ok(asy_loop_call_soon(t->loop, testing_raise(t, "fatal", ASY_SystemExit), NULL));
    require_error(asy_loop_run_once(t->loop), ASY_SystemExit, "fatal raised");
    require_trace(t, "a fatal");
    assert_int_equal(asy_loop_ready_count(t->loop), 1);
    assert_true(atomic_load(&t->loop->wake_pending));
    testing_run_once(t);
    assert_false(atomic_load(&t->loop->wake_pending));
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(call_from_inside, t), NULL));
    require_ok(asy_loop_run_forever(t->loop));
    require_trace(t, "threadsafe soon");
}

static void
byte_written_to_the_wakeup_fd_ends_the_wait(void **state)
{
    struct testing *t = *state;
    assert_int_equal(write(asy_loop_wakeup_fd(t->loop), "\1", 1), 1);
    testing_run_once(t);
    assert_int_equal(asy_loop_ready_count(t->loop), 0);
}

/* ---- order -------------------------------------------------------------------- */

struct sender {
    struct testing *t;
    int             sent;
    int             seen;           /* by the loop: the next number that is expected */
    int            *unfinished;     /* senders; the loop's thread only */
};

struct number {
    struct sender *sender;
    int            value;
};

static asy_error *
receive(void *argument)
{
    struct number *number = argument;
    struct sender *sender = number->sender;

    assert_int_equal(number->value, sender->seen);
    sender->seen++;
    if (sender->seen == CALLS && --*sender->unfinished == 0)
        asy_loop_stop(sender->t->loop);
    return ASY_OK;
}

static void *
send_numbers(void *argument)
{
    struct sender *sender = argument;
    for (; sender->sent < CALLS; sender->sent++) {
        struct number *number = asy_alloc(sizeof *number);
        *number = (struct number){ sender, sender->sent };
        require_ok(asy_loop_call_soon_threadsafe(sender->t->loop,
                                                 asy_own(receive, number, asy_free), NULL));
        if (sender->sent % 100 == 0)
            sched_yield();
    }
    return NULL;
}

/* Spec: call_soon_threadsafe.per-thread-order, call_soon_threadsafe.thread-safe. No wake-up is
 * lost either: the loop has no timer that would end its wait. */
static void
calls_of_each_thread_arrive_once_and_in_order(void **state)
{
    struct testing *t = *state;
    struct sender senders[THREADS];
    pthread_t threads[THREADS];
    int unfinished = THREADS;

    for (int i = 0; i < THREADS; i++) {
        senders[i] = (struct sender){ t, 0, 0, &unfinished };
        threads[i] = start(send_numbers, &senders[i]);
    }
    require_ok(asy_loop_run_forever(t->loop));
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(senders[i].seen, CALLS);
    }
}

static void *
call_in_another_thread(void *argument)
{
    struct testing *t = argument;
    require_ok(asy_loop_call_soon_threadsafe(t->loop, testing_mark(t, "thread"), NULL));
    return NULL;
}

static asy_error *
interleave(void *argument)
{
    struct testing *t = argument;
    testing_call_soon(t, "before");
    pthread_join(start(call_in_another_thread, t), NULL);
    testing_call_soon(t, "after");
    return ASY_OK;
}

/* Point 11 of exactness: what a thread handed over runs before what the loop queues later. */
static void
arrival_decides_the_order_between_threads(void **state)
{
    struct testing *t = *state;
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(interleave, t), NULL));
    testing_run_once(t);
    testing_run_once(t);
    require_trace(t, "before thread after");
}

/* ---- closing ------------------------------------------------------------------ */

static void *
send_until_closed(void *argument)
{
    struct testing *t = argument;
    for (;;) {
        asy_error *err = asy_loop_call_soon_threadsafe(t->loop, testing_mark(t, "x"), NULL);
        if (!err)
            continue;
        require_error(err, ASY_RuntimeError, "Event loop is closed");
        return NULL;
    }
}

/* Spec: call_soon_threadsafe.closed-raises. Each call is either refused or forgotten by close(). */
static void
closing_while_threads_call_is_safe(void **state)
{
    struct testing *t = *state;
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        threads[i] = start(send_until_closed, t);
    while (asy_loop_ready_count(t->loop) < 100)
        sched_yield();
    require_ok(asy_loop_close(t->loop));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    require_trace(t, "");
}

/* ---- cancelling --------------------------------------------------------------- */

/* A callback that runs until somebody has tried to cancel it. */
struct long_call {
    struct testing *t;
    asy_handle     *handle;
    atomic_int      stage;          /* 1: it runs, 2: the other thread is about to cancel */
    bool            ended;
    bool            ended_before_cancel_returned;
    atomic_bool     cancel_returned;
    atomic_bool     wait_for_cancel;
    int             drops;
};

static asy_error *
run_long(void *argument)
{
    struct long_call *call = argument;

    atomic_store(&call->stage, 1);
    while (atomic_load(&call->stage) != 2)
        sched_yield();
    while (atomic_load(&call->wait_for_cancel) && !atomic_load(&call->cancel_returned))
        sched_yield();
    for (int i = 0; i < 100; i++)
        sched_yield();
    assert_int_equal(call->drops, 0);
    call->ended = true;
    asy_loop_stop(call->t->loop);
    return ASY_OK;
}

static void
count_drop(void *argument)
{
    ((struct long_call *)argument)->drops++;
}

static void *
cancel_running(void *argument)
{
    struct long_call *call = argument;

    while (atomic_load(&call->stage) != 1)
        sched_yield();
    atomic_store(&call->stage, 2);
    asy_handle_cancel(call->handle);
    if (!atomic_load(&call->wait_for_cancel))
        call->ended_before_cancel_returned = call->ended;
    atomic_store(&call->cancel_returned, true);
    return NULL;
}

static void
cancel_while_running(struct long_call *call)
{
    asy_loop *loop = call->t->loop;
    asy_callback callback = asy_own(run_long, call, count_drop);

    require_ok(asy_loop_call_soon_threadsafe(loop, callback, &call->handle));
    pthread_t thread = start(cancel_running, call);
    require_ok(asy_loop_run_forever(loop));
    pthread_join(thread, NULL);
    assert_true(asy_handle_cancelled(call->handle));
    assert_int_equal(call->drops, 1);
    asy_handle_unref(call->handle);
    assert_int_equal(call->drops, 1);
}

static void
cancel_waits_for_the_running_callback_since_3_14(void **state)
{
    struct testing *t = *state;
    struct long_call call = { .t = t };

    testing_use_profile(t, 14);
    cancel_while_running(&call);
    assert_true(call.ended_before_cancel_returned);
}

/* The callback waits for the cancel to return, so a cancel that waited would hang. */
static void
cancel_returns_at_once_before_3_14(void **state)
{
    struct testing *t = *state;
    struct long_call call = { .t = t, .wait_for_cancel = true };

    testing_use_profile(t, 13);
    cancel_while_running(&call);
    assert_true(call.ended);
}

/* ---- a callback that runs an iteration --------------------------------------------- */

struct nested {
    struct testing *t;
    asy_handle     *outer;
    int             drops;
    int             drops_in_outer;
};

static void
count_nested_drop(void *argument)
{
    ((struct nested *)argument)->drops++;
}

static void *
cancel_outer(void *argument)
{
    asy_handle_cancel(((struct nested *)argument)->outer);
    return NULL;
}

static asy_error *
cancel_outer_from_a_thread(void *argument)
{
    pthread_join(start(cancel_outer, argument), NULL);
    return ASY_OK;
}

static asy_error *
run_an_iteration(void *argument)
{
    struct nested *nested = argument;
    asy_callback inner = asy_own(cancel_outer_from_a_thread, nested, count_nested_drop);

    require_ok(asy_loop_call_soon_threadsafe(nested->t->loop, inner, NULL));
    testing_run_once(nested->t);
    nested->drops_in_outer = nested->drops;
    return ASY_OK;
}

/* Only the inner callback, which has ended, is dropped while the outer one is on the stack. */
static void
cancelling_an_outer_callback_during_an_inner_one_drops_it_when_it_returns(void **state)
{
    struct testing *t = *state;
    struct nested nested = { .t = t };

    testing_use_profile(t, 13);
    require_ok(asy_loop_call_soon_threadsafe(
        t->loop, asy_own(run_an_iteration, &nested, count_nested_drop), &nested.outer));
    /* The inner iteration takes what the outer one has counted: as in CPython, an IndexError. */
    asy_error_unref(asy_loop_run_once(t->loop));
    assert_int_equal(nested.drops_in_outer, 1);
    assert_int_equal(nested.drops, 2);
    assert_true(asy_handle_cancelled(nested.outer));
    asy_handle_unref(nested.outer);
}

/* An embedded handle, which does not drop anything by itself. */
struct embedded {
    asy_handle       handle;
    struct long_call call;
    int              clears;
};

static asy_error *
embedded_run(asy_handle *handle)
{
    struct embedded *self = (struct embedded *)handle;
    asy_error *err = run_long(&self->call);
    assert_int_equal(self->clears, 0);
    return err;
}

static void
embedded_keep(asy_handle *handle)
{
    (void)handle;
}

static void
embedded_clear(asy_handle *handle)
{
    ((struct embedded *)handle)->clears++;
}

static const asy_handle_ops embedded_ops = {
    .run = embedded_run,
    .ref = embedded_keep,
    .unref = embedded_keep,
    .clear = embedded_clear,
};

static void
handle_cancelled_while_it_runs_is_cleared_after_the_run(void **state)
{
    struct testing *t = *state;
    struct embedded self = { .call = { .t = t, .wait_for_cancel = true } };

    testing_use_profile(t, 13);
    asy_handle_init(&self.handle, &embedded_ops, t->loop);
    self.call.handle = &self.handle;
    require_ok(asy_loop_add_handle_threadsafe(t->loop, &self.handle));
    pthread_t thread = start(cancel_running, &self.call);
    require_ok(asy_loop_run_forever(t->loop));
    pthread_join(thread, NULL);
    assert_int_equal(self.clears, 1);
}

struct race {
    asy_handle *handles[CALLS];
    atomic_int  ran;
};

static asy_error *
count_run(void *argument)
{
    struct race *race = argument;
    atomic_fetch_add(&race->ran, 1);
    return ASY_OK;
}

static void *
cancel_all(void *argument)
{
    struct race *race = argument;
    for (int i = CALLS - 1; i >= 0; i--)
        asy_handle_cancel(race->handles[i]);
    return NULL;
}

/* The loop runs from the front while the thread cancels from the back. */
static void
cancelling_from_a_thread_races_with_the_loop_safely(void **state)
{
    struct testing *t = *state;
    struct race *race = test_calloc(1, sizeof *race);

    for (int i = 0; i < CALLS; i++)
        require_ok(asy_loop_call_soon_threadsafe(t->loop, asy_borrow(count_run, race),
                                                 &race->handles[i]));
    pthread_t thread = start(cancel_all, race);
    testing_run_once(t);
    pthread_join(thread, NULL);
    int ran = atomic_load(&race->ran);
    testing_call_soon(t, "end");
    testing_run_once(t);
    assert_int_equal(atomic_load(&race->ran), ran);
    for (int i = 0; i < CALLS; i++)
        asy_handle_unref(race->handles[i]);
    test_free(race);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(thread_wakes_a_loop_that_waits_for_ever),
        testing_case(self_pipe_reader_takes_a_place_in_the_queue),
        testing_case(byte_written_to_the_wakeup_fd_ends_the_wait),
        testing_case(calls_of_each_thread_arrive_once_and_in_order),
        testing_case(arrival_decides_the_order_between_threads),
        testing_case(closing_while_threads_call_is_safe),
        testing_case(cancel_waits_for_the_running_callback_since_3_14),
        testing_case(cancelling_an_outer_callback_during_an_inner_one_drops_it_when_it_returns),
        testing_case(cancel_returns_at_once_before_3_14),
        testing_case(handle_cancelled_while_it_runs_is_cleared_after_the_run),
        testing_case(cancelling_from_a_thread_races_with_the_loop_safely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
