/* SPDX-License-Identifier: MIT */
/*
 * Running the loop and stopping it.
 *
 * stop() only sets a flag, which run_forever() looks at after each iteration. So the iteration
 * in which it is called is completed; and run_until_complete() is nothing but run_forever() with
 * a stop() when the future is done.
 */
#include "core/loop_impl.h"
#include "core/thread.h"

/* see host.h.  CPython: BaseEventLoop._check_closed, _check_running */
asy_error *
asy_loop_check_can_run(asy_loop *loop)
{
    TRY(loop_check_closed(loop));
    if (asy_loop_is_running(loop))
        RAISE(RuntimeError, "This event loop is already running");
    if (host_has_running_loop(loop))
        RAISE(RuntimeError, "Cannot run the event loop while another loop is running");
    return ASY_OK;
}

static asy_error *
run_until_stopped(asy_loop *loop)
{
    do {
        TRY(loop_run_once(loop));
    } while (!atomic_load(&loop->stopping));
    return ASY_OK;
}

/* The error that came first; the other one is given back. */
static asy_error *
first_error(asy_error *first, asy_error *second)
{
    if (!first)
        return second;
    asy_error_unref(second);
    return first;
}

/* see loop.h.  CPython: BaseEventLoop.run_forever, as it is since 3.13.3: some releases before
 * also cleaned up, and thereby stopped the loop that was running, when they refused to run. */
asy_error *
asy_loop_run_forever(asy_loop *loop)
{
    TRY(asy_loop_check_can_run(loop));
    atomic_store(&loop->thread_id, thread_id());
    asy_error *err = host_run_enter(loop);
    if (!err)
        err = run_until_stopped(loop);
    atomic_store(&loop->stopping, false);
    atomic_store(&loop->thread_id, 0);
    return first_error(err, host_run_leave(loop));
}

/* see loop.h.  CPython: base_events._run_until_complete_cb. After a fatal exception run_forever()
 * has returned already, and a stop() would end the next run. */
void
asy_loop_run_until_complete_done(asy_loop *loop, bool fatal)
{
    if (!fatal)
        asy_loop_stop(loop);
}

/* see loop.h.  CPython: BaseEventLoop.run_until_complete */
asy_error *
asy_loop_run_until_complete(asy_loop *loop, const asy_awaited *awaited)
{
    TRY(asy_loop_check_can_run(loop));
    TRY(awaited->add_done_callback(awaited->self, loop));
    asy_error *err = asy_loop_run_forever(loop);
    if (err && awaited->consume_exception && awaited->done(awaited->self))
        awaited->consume_exception(awaited->self);
    awaited->remove_done_callback(awaited->self, loop);
    if (err)
        return err;
    if (!awaited->done(awaited->self))
        RAISE(RuntimeError, "Event loop stopped before Future completed.");
    return ASY_OK;
}

/* see loop.h */
void
asy_loop_stop(asy_loop *loop)
{
    atomic_store(&loop->stopping, true);
}

/* see loop.h */
bool
asy_loop_is_running(const asy_loop *loop)
{
    return atomic_load(&loop->thread_id) != 0;
}
