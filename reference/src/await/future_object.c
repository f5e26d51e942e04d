/* SPDX-License-Identifier: MIT */
/*
 * A future as an object: the library's own future, which create_future() returns where no host
 * has one; what becomes of an exception that nobody has looked at; its text; and how
 * run_until_complete() waits for it.
 */
#include "await/future_impl.h"
#include "base/alloc.h"
#include "core/loop_impl.h"

#include <asy/task.h>

static const char *
class_name(const asy_future *future)
{
    return future->ops->name ? future->ops->name : "Future";
}

/* ---- references ----------------------------------------------------------------- */

/* see future.h */
asy_future *
asy_future_ref(asy_future *future)
{
    future->ops->ref(future);
    return future;
}

/* see future.h */
asy_future *
asy_future_unref(asy_future *future)
{
    if (future)
        future->ops->unref(future);
    return NULL;
}

/* ---- the library's own future --------------------------------------------------- */

/* The library's own future, where no host embeds one in an object of its own. */
struct library_future {
    asy_future future;                  /* first; its loop is an owned reference */
    int        refs;
};

static struct library_future *
from_future(asy_future *future)
{
    return (struct library_future *)future;
}

static void
ref(asy_future *future)
{
    from_future(future)->refs++;
}

/* The last reference stays until the report has been made and everything is given back. So the
 * handler that gets the report, and whatever runs after that, may refer to the future, and
 * may even keep it. */
static void
unref(asy_future *future)
{
    struct library_future *self = from_future(future);
    asy_loop *loop = future->loop;

    if (self->refs == 1)
        asy_future_report_unretrieved(future);
    if (self->refs == 1)
        asy_future_clear(future);
    if (--self->refs > 0)
        return;
    asy_free(self);
    asy_loop_unref(loop);
}

static const asy_future_ops library_future_ops = {
    .name = "Future",
    .ref = ref,
    .unref = unref,
};

/* see future.h.  CPython: BaseEventLoop.create_future */
asy_future *
asy_loop_create_future(asy_loop *loop)
{
    if (loop->host->future_new)
        return loop->host->future_new(loop->host_data);
    struct library_future *self = asy_alloc(sizeof *self);
    asy_future_init(&self->future, &library_future_ops, asy_loop_ref(loop));
    self->refs = 1;
    return &self->future;
}

/* ---- its end -------------------------------------------------------------------- */

/* see future.h.  CPython: Future.__del__. The handler runs in a task's context; a plain future has
 * none. Only a fatal error comes back, and there is nobody to give it to. */
void
asy_future_report_unretrieved(asy_future *future)
{
    if (!future->log_traceback)
        return;
    future->log_traceback = false;
    const asy_task *task = asy_future_task(future);
    asy_error *exception = asy_error_ref(future->exception);
    char *message = asy_format("%s exception was never retrieved", class_name(future));
    const asy_report report = {
        .message = message,
        .exception = exception,
        .future = future,
        .run_in = task ? asy_task_get_context(task) : NULL,
    };
    asy_error *err = asy_loop_call_exception_handler(future->loop, &report);
    asy_free(message);
    asy_error_unref(exception);
    if (err)
        host_unraisable(future->loop, future, err);
    asy_error_unref(err);
}

/* ---- its text ------------------------------------------------------------------- */

/* " cb=[...]", or nothing. Describing may run anything, so first the handles are kept.
 * CPython: base_futures._format_callbacks */
static char *
describe_callbacks(const asy_future *future)
{
    size_t count = future->callback_count;
    char *text;

    if (count == 0)
        return alloc_text("");
    asy_handle *first = asy_handle_ref(future->callbacks[0]);
    asy_handle *last = asy_handle_ref(future->callbacks[count - 1]);
    char *first_text = handle_describe_callback(first);
    char *last_text = handle_describe_callback(last);
    if (count == 1)
        text = asy_format(" cb=[%s]", first_text);
    else if (count == 2)
        text = asy_format(" cb=[%s, %s]", first_text, last_text);
    else
        text = asy_format(" cb=[%s, <%zu more>, %s]", first_text, count - 2, last_text);
    asy_free(first_text);
    asy_free(last_text);
    asy_handle_unref(first);
    asy_handle_unref(last);
    return text;
}

/* " exception=ValueError: text", or nothing. */
static char *
describe_exception(const asy_error *exception)
{
    if (!exception)
        return alloc_text("");
    const char *name = asy_error_kind_name(exception->kind);
    const char *colon = exception->message[0] ? ": " : "";
    return asy_format(" exception=%s%s%s", name, colon, exception->message);
}

/* see future.h.  CPython: base_futures._future_repr. A result is a pointer, which tells nobody
 * anything. */
char *
asy_future_describe(asy_future *future)
{
    static const char *const states[] = {
        [ASY_FUTURE_PENDING] = "pending",
        [ASY_FUTURE_CANCELLED] = "cancelled",
        [ASY_FUTURE_FINISHED] = "finished",
    };
    char *text = future->ops->describe ? future->ops->describe(future) : NULL;

    if (text)
        return text;
    const char *state = states[future->state];
    char *exception = describe_exception(future->exception);
    char *callbacks = describe_callbacks(future);
    text = asy_format("<%s %s%s%s>", class_name(future), state, exception, callbacks);
    asy_free(exception);
    asy_free(callbacks);
    return text;
}

/* ---- run_until_complete() ------------------------------------------------------- */

static void
drop_future(void *future)
{
    asy_future_unref(future);
}

/* CPython: base_events._run_until_complete_cb. It looks at the exception, which is therefore not
 * reported as never retrieved. */
static asy_error *
stop_when_done(void *argument)
{
    asy_future *future = argument;
    asy_error *exception = NULL;

    if (!asy_future_cancelled(future))
        TRY(asy_future_exception(future, &exception));
    asy_loop_run_until_complete_done(future->loop, asy_error_is_fatal(exception));
    return ASY_OK;
}

static bool
awaited_done(void *self)
{
    return asy_future_done(self);
}

static asy_error *
awaited_add_done_callback(void *self, asy_loop *loop)
{
    (void)loop;
    return asy_future_add_done_callback(
        self, asy_own(stop_when_done, asy_future_ref(self), drop_future), NULL);
}

static void
awaited_remove_done_callback(void *self, asy_loop *loop)
{
    (void)loop;
    asy_future_remove_done_callback(self, stop_when_done, self);
}

/* see future.h.  CPython: BaseEventLoop.run_until_complete. The future is the caller's, so its
 * exception is not looked at when the run ends with another error. */
asy_error *
asy_loop_run_until_done(asy_loop *loop, asy_future *future)
{
    const asy_awaited awaited = {
        .self = future,
        .done = awaited_done,
        .add_done_callback = awaited_add_done_callback,
        .remove_done_callback = awaited_remove_done_callback,
    };

    TRY(asy_loop_check_can_run(loop));
    if (future->loop != loop)
        RAISE(ValueError, "The future belongs to a different loop than the one specified as the "
                          "loop argument");
    return asy_loop_run_until_complete(loop, &awaited);
}
