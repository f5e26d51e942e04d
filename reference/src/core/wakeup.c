/* SPDX-License-Identifier: MIT */
/*
 * Waking a loop that waits in its selector: the self-pipe.
 *
 * One end of it is watched by an ordinary reader, whose handle takes its place in the queue like
 * any other; a byte written to the other end makes the selector return. CPython has two sockets
 * for it, which every system can watch; of these a byte is twice as dear.
 *
 * One byte is enough, however many threads want to wake the loop: wake_pending says that there
 * is one. The reader first drains the pipe and then clears the flag. A thread that comes in
 * between finds the flag up and writes nothing; but it has put its handle into the inbox before,
 * and the loop looks there before it waits again. (The other way round, the byte of a thread
 * that comes in between is drained while its flag stays up, and nobody is woken ever after.)
 */
#include "base/alloc.h"
#include "base/fd.h"
#include "core/loop_impl.h"

#include <errno.h>
#include <unistd.h>

/* ---- the reader --------------------------------------------------------------- */

/* CPython: BaseSelectorEventLoop._read_from_self. Less than was asked for is all there was. */
static asy_error *
read_from_self(asy_handle *handle)
{
    asy_loop *loop = handle->loop;
    char bytes[4096];
    ssize_t received;

    do {
        received = read(loop->wake_receiver, bytes, sizeof bytes);
    } while (received == sizeof bytes || (received < 0 && errno == EINTR));
    atomic_store(&loop->wake_pending, false);
    return ASY_OK;
}

/* The handle is part of the loop, which outlives its queues. */
static void
keep(asy_handle *handle)
{
    (void)handle;
}

static char *
describe(asy_handle *handle)
{
    (void)handle;
    return alloc_text("<Handle read_from_self()>");
}

static const asy_handle_ops wake_handle_ops = {
    .run = read_from_self,
    .ref = keep,
    .unref = keep,
    .describe = describe,
};

/* ---- the pipe ----------------------------------------------------------------- */

/* CPython: BaseSelectorEventLoop._make_self_pipe */
asy_error *
loop_make_self_pipe(asy_loop *loop)
{
    int fds[2];

    TRY(fd_pipe(fds));
    loop->wake_receiver = fds[0];
    loop->wake_sender = fds[1];
    asy_handle_init(&loop->wake_handle, &wake_handle_ops, loop);
    asy_error *err = loop_add_watch(loop, fds[0], EVENT_READ, &loop->wake_handle);
    if (err) {
        fd_close(&loop->wake_receiver);
        fd_close(&loop->wake_sender);
    }
    return err;
}

/* CPython: BaseSelectorEventLoop._close_self_pipe. A thread may be about to write: under the lock
 * it sees either the open descriptor or none. That end goes first: to write to a pipe that nobody
 * reads is a SIGPIPE. */
void
loop_close_self_pipe(asy_loop *loop)
{
    if (loop->wake_receiver < 0)
        return;
    asy_error_unref(loop_remove_watch(loop, loop->wake_receiver, EVENT_READ, NULL));
    pthread_mutex_lock(&loop->inbox_lock);
    fd_close(&loop->wake_sender);
    pthread_mutex_unlock(&loop->inbox_lock);
    fd_close(&loop->wake_receiver);
}

/* CPython: BaseSelectorEventLoop._write_to_self. A failure mostly means that the pipe is full, and
 * then the loop wakes up anyway. Who comes next tries again. */
void
loop_write_to_self(asy_loop *loop)
{
    ssize_t sent;

    if (loop->wake_sender < 0 || atomic_exchange(&loop->wake_pending, true))
        return;
    do
        sent = write(loop->wake_sender, "", 1);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        atomic_store(&loop->wake_pending, false);
}

/* see host.h */
int
asy_loop_wakeup_fd(const asy_loop *loop)
{
    return loop->wake_sender;
}

/* ---- the inbox ---------------------------------------------------------------- */

/* The count is written before wake_pending is looked at, and read after it is cleared. That both
 * are seen in this order by everybody is what the default order of atomics means. */
void
loop_merge_inbox(asy_loop *loop)
{
    asy_handle *handle;

    if (atomic_load(&loop->inbox_count) == 0)
        return;
    pthread_mutex_lock(&loop->inbox_lock);
    while ((handle = queue_pop(&loop->inbox)))
        queue_push(&loop->ready, handle);
    atomic_store(&loop->inbox_count, 0);
    pthread_mutex_unlock(&loop->inbox_lock);
}
