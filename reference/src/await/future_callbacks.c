/* SPDX-License-Identifier: MIT */
/*
 * Done callbacks: the list of a future that is pending.
 *
 * A callback is a handle from the moment it is added: that is when its context is chosen. Being
 * done moves the handles from the future's list to the loop's queue, in their order; after that
 * the list stays empty, and what is added goes to the queue directly.
 *
 * The handles of a host may run anything when they are compared, described or given back. So
 * nothing here walks the future's own list while it calls out: it walks a copy with references
 * of its own, or a list that it has taken from the future.
 */
#include "await/future_impl.h"
#include "base/alloc.h"
#include "core/loop_impl.h"

/* ---- the list ------------------------------------------------------------------- */

struct callback_list {
    asy_handle **handles;               /* owned, and each a reference */
    size_t       count;
};

static void
append_callback(asy_future *future, asy_handle *handle)
{
    if (future->callback_count == future->callback_capacity) {
        size_t capacity = future->callback_capacity ? future->callback_capacity * 2 : 1;
        future->callbacks = alloc_resize(future->callbacks, capacity, sizeof(asy_handle *));
        future->callback_capacity = capacity;
    }
    future->callbacks[future->callback_count] = asy_handle_ref(handle);
    future->callback_count++;
}

/* The whole list; the future has none afterwards. */
static struct callback_list
take_callbacks(asy_future *future)
{
    struct callback_list list = { future->callbacks, future->callback_count };

    future->callbacks = NULL;
    future->callback_count = 0;
    future->callback_capacity = 0;
    return list;
}

/* The list as it is, with references of its own. */
static struct callback_list
copy_callbacks(const asy_future *future)
{
    struct callback_list list = { NULL, future->callback_count };

    list.handles = asy_alloc(list.count * sizeof list.handles[0]);
    for (size_t i = 0; i < list.count; i++)
        list.handles[i] = asy_handle_ref(future->callbacks[i]);
    return list;
}

static void
release_callbacks(struct callback_list list)
{
    for (size_t i = 0; i < list.count; i++)
        asy_handle_unref(list.handles[i]);
    asy_free(list.handles);
}

/* see future_impl.h.  CPython: Future.__schedule_callbacks. Each is a call_soon() of its own, which
 * may raise; then the rest is lost, as in CPython. */
asy_error *
future_schedule_callbacks(asy_future *future)
{
    asy_error *err = ASY_OK;
    asy_loop *loop = future->loop;
    struct callback_list list = take_callbacks(future);

    for (size_t i = 0; i < list.count && !err; i++) {
        err = asy_loop_check_call(loop);
        if (!err)
            asy_loop_add_handle(loop, list.handles[i]);
    }
    release_callbacks(list);
    return err;
}

/* see future_impl.h */
void
future_release_callbacks(asy_future *future)
{
    release_callbacks(take_callbacks(future));
}

/* ---- adding --------------------------------------------------------------------- */

/* see future.h.  CPython: Future.add_done_callback */
asy_error *
asy_future_add_done_handle(asy_future *future, asy_handle *handle)
{
    if (future->ops->add_done_handle)
        return future->ops->add_done_handle(future, handle);
    if (!asy_future_done(future)) {
        append_callback(future, handle);
        return ASY_OK;
    }
    TRY(asy_loop_check_call(future->loop));
    asy_loop_add_handle(future->loop, handle);
    return ASY_OK;
}

/* see future.h.  CPython: Future.add_done_callback */
asy_error *
asy_future_add_done_callback(asy_future *future, asy_callback callback, void *context)
{
    asy_handle *handle = handle_new_in(future->loop, callback, context);
    asy_error *err = asy_future_add_done_handle(future, handle);

    asy_handle_unref(handle);
    return err;
}

/* ---- removing ------------------------------------------------------------------- */

/* Take those out of the future's list that are chosen among the ones that were asked. The list
 * may have changed since: both are in the same order, but it may lack some, and have new ones at
 * its end. The references that are given back here are never the last ones: `asked` has others. */
static size_t
remove_chosen(asy_future *future, const struct callback_list *asked, const bool *chosen)
{
    size_t at = 0, kept = 0, count = future->callback_count;

    for (size_t i = 0; i < count; i++) {
        asy_handle *handle = future->callbacks[i];
        while (at < asked->count && asked->handles[at] != handle)
            at++;
        if (at < asked->count && chosen[at]) {
            asy_handle_unref(handle);
        } else {
            future->callbacks[kept] = handle;
            kept++;
        }
        at += at < asked->count;
    }
    future->callback_count = kept;
    return count - kept;
}

/* see future.h.  CPython: Future.remove_done_callback. Asked are those that are there at the
 * beginning; what the questions add stays. */
asy_error *
asy_future_remove_done_handles(asy_future *future,
                               asy_error *(*matches)(asy_handle *handle, void *argument,
                                                     bool *ret_match),
                               void *argument, size_t *ret_count)
{
    asy_error *err = ASY_OK;
    struct callback_list asked = copy_callbacks(future);
    bool *chosen = asy_alloc(asked.count * sizeof chosen[0]);

    for (size_t i = 0; i < asked.count && !err; i++)
        err = matches(asked.handles[i], argument, &chosen[i]);
    if (!err)
        *ret_count = remove_chosen(future, &asked, chosen);
    asy_free(chosen);
    release_callbacks(asked);
    return err;
}

struct wanted_callback {
    asy_error  *(*function)(void *argument);
    const void   *argument;
};

static asy_error *
is_wanted(asy_handle *handle, void *argument, bool *ret_match)
{
    const struct wanted_callback *wanted = argument;

    *ret_match = handle_has_callback(handle, wanted->function, wanted->argument);
    return ASY_OK;
}

/* see future.h.  CPython: Future.remove_done_callback. This question raises nothing. */
size_t
asy_future_remove_done_callback(asy_future *future, asy_error *(*function)(void *argument),
                                const void *argument)
{
    struct wanted_callback wanted = { function, argument };
    size_t count = 0;

    asy_error_unref(asy_future_remove_done_handles(future, is_wanted, &wanted, &count));
    return count;
}
