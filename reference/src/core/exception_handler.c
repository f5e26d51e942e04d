/* SPDX-License-Identifier: MIT */
/*
 * What happens to the errors of callbacks.
 *
 * Three layers: the handler that the program has set; the default handler, which logs, for when
 * there is none or it fails; and a plain line in the log, for when the default handler fails (a
 * host may override it). A fatal error passes through all of them.
 */
#include "base/alloc.h"
#include "core/loop_impl.h"

#include <asy/protocol.h>
#include <asy/transport.h>
#include <stdlib.h>
#include <string.h>

/* A handler that was set. It may replace itself while it runs, so that each call holds a
 * reference. */
struct handler {
    int                   refs;
    asy_exception_handler function;
    void                 *argument;             /* owned, if there is a drop */
    void                (*drop)(void *argument);
};

static void
handler_unref(struct handler *handler)
{
    if (!handler || --handler->refs > 0)
        return;
    if (handler->drop)
        handler->drop(handler->argument);
    asy_free(handler);
}

static struct handler *
handler_new(asy_exception_handler function, void *argument, void (*drop)(void *argument))
{
    struct handler *handler = asy_alloc(sizeof *handler);
    *handler = (struct handler){ 1, function, argument, drop };
    return handler;
}

/* see loop.h */
void
asy_loop_set_exception_handler(asy_loop *loop, asy_exception_handler handler, void *argument,
                               void (*drop)(void *argument))
{
    struct handler *old = loop->exception_handler;

    loop->exception_handler = handler ? handler_new(handler, argument, drop) : NULL;
    if (!handler && drop)
        drop(argument);
    handler_unref(old);
}

/* see loop.h */
asy_exception_handler
asy_loop_get_exception_handler(const asy_loop *loop, void **ret_argument)
{
    const struct handler *handler = loop->exception_handler;

    if (ret_argument)
        *ret_argument = handler ? handler->argument : NULL;
    return handler ? handler->function : NULL;
}

/* ---- the default handler ------------------------------------------------------ */

struct lines {
    asy_report_item *items;
    size_t           count;
};

static int
compare_keys(const void *a, const void *b)
{
    const asy_report_item *left = a, *right = b;
    return strcmp(left->key, right->key);
}

static void
add_line(struct lines *lines, const char *key, const char *value)
{
    lines->items[lines->count] = (asy_report_item){ key, value };
    lines->count++;
}

/* The message, and below it the other keys, sorted. Steals nothing. */
static char *
join_lines(const char *message, struct lines *lines)
{
    char *text = alloc_text(message);

    qsort(lines->items, lines->count, sizeof lines->items[0], compare_keys);
    for (size_t i = 0; i < lines->count; i++) {
        char *longer = asy_format("%s\n%s: %s", text, lines->items[i].key, lines->items[i].value);
        asy_free(text);
        text = longer;
    }
    return text;
}

static const char *
message_of(const asy_report *report)
{
    const char *message = report->message;
    return message && message[0] ? message : "Unhandled exception in event loop";
}

static char *
format_report(const asy_report *report)
{
    char *handle = report->handle ? handle_describe(report->handle) : NULL;
    char *future = report->future ? asy_future_describe(report->future) : NULL;
    char *task = report->task ? asy_future_describe(asy_task_future(report->task)) : NULL;
    char *transport = report->transport ? asy_transport_describe(report->transport) : NULL;
    char *protocol = report->protocol ? asy_protocol_describe(report->protocol) : NULL;
    struct lines lines = { asy_alloc((report->item_count + 6) * sizeof *lines.items), 0 };

    for (size_t i = 0; i < report->item_count; i++)
        add_line(&lines, report->items[i].key, report->items[i].value);
    if (handle)
        add_line(&lines, "handle", handle);
    if (future)
        add_line(&lines, "future", future);
    if (task)
        add_line(&lines, "task", task);
    if (transport)
        add_line(&lines, "transport", transport);
    if (protocol)
        add_line(&lines, "protocol", protocol);
    if (report->nested)
        add_line(&lines, "context", message_of(report->nested));
    char *text = join_lines(message_of(report), &lines);
    asy_free(lines.items);
    asy_free(protocol);
    asy_free(transport);
    asy_free(task);
    asy_free(future);
    asy_free(handle);
    return text;
}

/* see loop.h.  CPython: BaseEventLoop.default_exception_handler */
asy_error *
asy_loop_default_exception_handler(asy_loop *loop, const asy_report *report)
{
    char *text = format_report(report);
    asy_error *err = host_log(loop, ASY_LOG_ERROR, text, report->exception);
    asy_free(text);
    return err;
}

/* ---- calling the handler in force --------------------------------------------- */

/* Call the default handler, and if that fails, log `failure`. */
static asy_error *
call_default_handler(asy_loop *loop, const asy_report *report, const char *failure)
{
    asy_error *err;

    if (loop->host->default_exception_handler)
        err = loop->host->default_exception_handler(loop->host_data, report);
    else
        err = asy_loop_default_exception_handler(loop, report);
    if (!err || asy_error_is_fatal(err))
        return err;
    asy_error *log_err = host_log(loop, ASY_LOG_ERROR, failure, err);
    asy_error_unref(err);
    return log_err;
}

struct handler_call {
    asy_loop         *loop;
    const asy_report *report;
};

static asy_error *
call_handler(void *argument)
{
    struct handler_call *call = argument;
    struct handler *handler = call->loop->exception_handler;

    handler->refs++;
    asy_error *err = handler->function(call->loop, call->report, handler->argument);
    handler_unref(handler);
    return err;
}

/* In the context of what the report is about, if the profile does that. */
static asy_error *
call_handler_in_context(asy_loop *loop, const asy_report *report)
{
    struct handler_call call = { loop, report };
    void *context = report->run_in;

    if (!context && report->handle)
        context = asy_handle_get_context(report->handle);
    if (!context || !loop->behaves[BEHAVIOUR_HANDLER_RUNS_IN_CONTEXT])
        return call_handler(&call);
    return host_context_run(loop, context, call_handler, &call);
}

static asy_error *
handler_failed(asy_loop *loop, const asy_report *report, asy_error *failure)
{
    const asy_report second = {
        .message = "Unhandled error in exception handler",
        .exception = failure,
        .nested = report,
    };
    asy_error *err = call_default_handler(loop, &second,
                                          "Exception in default exception handler while handling "
                                          "an unexpected error in custom exception handler");
    asy_error_unref(failure);
    return err;
}

/* see loop.h.  CPython: BaseEventLoop.call_exception_handler */
asy_error *
asy_loop_call_exception_handler(asy_loop *loop, const asy_report *report)
{
    if (!loop->exception_handler)
        return call_default_handler(loop, report, "Exception in default exception handler");
    asy_error *err = call_handler_in_context(loop, report);
    if (!err || asy_error_is_fatal(err))
        return err;
    return handler_failed(loop, report, err);
}

asy_error *
loop_report_callback_error(asy_handle *handle, asy_error *exception)
{
    char *callback = handle_describe_callback(handle);
    char *message = asy_format("Exception in callback %s", callback);
    const asy_report report = { .message = message, .exception = exception, .handle = handle };
    asy_error *err = asy_loop_call_exception_handler(handle->loop, &report);
    asy_free(message);
    asy_free(callback);
    asy_error_unref(exception);
    return err;
}
