/* SPDX-License-Identifier: MIT */
/*
 * Watching descriptors. CPython: BaseSelectorEventLoop._add_reader and its siblings.
 *
 * Readers and writers are the same but for the bit and the place in the entry. The selector is
 * told only when the bits of a descriptor change. That has a flaw, which CPython shares: when a
 * descriptor was closed without a remove and its number is used again, the selector is not told
 * of the new one.
 */
#include "core/loop_impl.h"

/* Where the handle for the event stands. */
static asy_handle **
handle_of(struct watched_fd *entry, unsigned event)
{
    return event == EVENT_READ ? &entry->reader : &entry->writer;
}

/* selectors._fileobj_to_fd */
static asy_error *
check_fd(int fd)
{
    if (fd < 0)
        RAISE(ValueError, "Invalid file descriptor: %d", fd);
    return ASY_OK;
}

static asy_error *
watch_new_fd(asy_loop *loop, int fd, unsigned event, asy_handle *handle)
{
    TRY(selector_register(loop->selector, fd, event));
    struct watched_fd *entry = fd_table_insert(&loop->watched, fd);
    entry->events = event;
    *handle_of(entry, event) = asy_handle_ref(handle);
    return ASY_OK;
}

/* The selector cannot watch it any more: neither does the loop. */
static void
forget_fd(asy_loop *loop, int fd)
{
    struct watched_fd removed = fd_table_remove(&loop->watched, fd);
    asy_handle_unref(removed.reader);
    asy_handle_unref(removed.writer);
}

/* Tell the selector if the bits change. */
static asy_error *
change_events(asy_loop *loop, struct watched_fd *entry, unsigned events)
{
    if (events == entry->events)
        return ASY_OK;
    asy_error *err = selector_modify(loop->selector, entry->fd, events);
    if (err)
        forget_fd(loop, entry->fd);
    else
        entry->events = events;
    return err;
}

asy_error *
loop_add_watch(asy_loop *loop, int fd, unsigned event, asy_handle *handle)
{
    TRY(loop_check_closed(loop));
    TRY(check_fd(fd));
    struct watched_fd *entry = fd_table_find(&loop->watched, fd);
    if (!entry)
        return watch_new_fd(loop, fd, event, handle);
    TRY(change_events(loop, entry, entry->events | event));
    asy_handle *old = *handle_of(entry, event);
    *handle_of(entry, event) = asy_handle_ref(handle);
    if (old) {
        asy_handle_cancel(old);
        asy_handle_unref(old);
    }
    return ASY_OK;
}

/* Take the handle for the event out of the entry, and the entry out of the table if nothing is
 * left to watch. */
static asy_error *
take_handle(asy_loop *loop, struct watched_fd *entry, unsigned event, asy_handle **ret_handle)
{
    unsigned left = entry->events & ~event;

    if (left) {
        TRY(change_events(loop, entry, left));
        *ret_handle = *handle_of(entry, event);
        *handle_of(entry, event) = NULL;
        return ASY_OK;
    }
    struct watched_fd removed = fd_table_remove(&loop->watched, entry->fd);
    selector_unregister(loop->selector, removed.fd);
    *ret_handle = *handle_of(&removed, event);
    return ASY_OK;
}

asy_error *
loop_remove_watch(asy_loop *loop, int fd, unsigned event, bool *ret_removed)
{
    asy_handle *handle = NULL;

    if (!asy_loop_is_closed(loop)) {
        TRY(check_fd(fd));
        struct watched_fd *entry = fd_table_find(&loop->watched, fd);
        if (entry)
            TRY(take_handle(loop, entry, event, &handle));
    }
    if (ret_removed)
        *ret_removed = handle != NULL;
    if (handle) {
        asy_handle_cancel(handle);
        asy_handle_unref(handle);
    }
    return ASY_OK;
}

/* Queue the handle, or, when somebody has cancelled it, stop watching for it. */
static asy_error *
process_event(asy_loop *loop, int fd, unsigned event)
{
    struct watched_fd *entry = fd_table_find(&loop->watched, fd);
    asy_handle *handle = entry && (entry->events & event) ? *handle_of(entry, event) : NULL;

    if (!handle)
        return ASY_OK;
    if (handle_is_cancelled(handle))
        return loop_remove_watch(loop, fd, event, NULL);
    loop_add_callback(loop, handle);
    return ASY_OK;
}

/* In the order of the selector, and of one descriptor the reader first. */
asy_error *
loop_process_events(asy_loop *loop)
{
    for (size_t i = 0; i < loop->selector->ready_count; i++) {
        struct selector_event ready = loop->selector->ready[i];
        if (ready.events & EVENT_READ)
            TRY(process_event(loop, ready.fd, EVENT_READ));
        if (ready.events & EVENT_WRITE)
            TRY(process_event(loop, ready.fd, EVENT_WRITE));
    }
    return ASY_OK;
}

void
loop_release_watches(asy_loop *loop)
{
    struct fd_table watched = loop->watched;

    loop->watched = (struct fd_table){ 0 };
    for (size_t i = 0; i < watched.capacity; i++) {
        if (watched.places[i].fd == -1)
            continue;
        asy_handle_unref(watched.places[i].reader);
        asy_handle_unref(watched.places[i].writer);
    }
    fd_table_deinit(&watched);
}

/* ---- the public methods ------------------------------------------------------- */

static asy_error *
add_callback(asy_loop *loop, int fd, unsigned event, asy_callback callback)
{
    asy_handle *handle = handle_new(loop, callback);
    asy_error *err = loop_add_watch(loop, fd, event, handle);
    asy_handle_unref(handle);
    return err;
}

/* see loop.h.  CPython: BaseSelectorEventLoop.add_reader */
asy_error *
asy_loop_add_reader(asy_loop *loop, int fd, asy_callback callback)
{
    return add_callback(loop, fd, EVENT_READ, callback);
}

/* see loop.h.  CPython: BaseSelectorEventLoop.add_writer */
asy_error *
asy_loop_add_writer(asy_loop *loop, int fd, asy_callback callback)
{
    return add_callback(loop, fd, EVENT_WRITE, callback);
}

/* see host.h */
asy_error *
asy_loop_add_reader_handle(asy_loop *loop, int fd, asy_handle *handle)
{
    return loop_add_watch(loop, fd, EVENT_READ, handle);
}

/* see host.h */
asy_error *
asy_loop_add_writer_handle(asy_loop *loop, int fd, asy_handle *handle)
{
    return loop_add_watch(loop, fd, EVENT_WRITE, handle);
}

/* see loop.h.  CPython: BaseSelectorEventLoop.remove_reader */
asy_error *
asy_loop_remove_reader(asy_loop *loop, int fd, bool *ret_removed)
{
    return loop_remove_watch(loop, fd, EVENT_READ, ret_removed);
}

/* see loop.h.  CPython: BaseSelectorEventLoop.remove_writer */
asy_error *
asy_loop_remove_writer(asy_loop *loop, int fd, bool *ret_removed)
{
    return loop_remove_watch(loop, fd, EVENT_WRITE, ret_removed);
}
