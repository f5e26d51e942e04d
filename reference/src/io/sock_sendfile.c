/* SPDX-License-Identifier: MIT */
/*
 * sock_sendfile(): by the system's sendfile(), which takes the file to the socket without passing
 * it through the program; where the system cannot, by reading it and sending what was read.
 *
 * As with sock_sendall(), the pieces are sent by the callback of the watch, which borrows the
 * frame. Neither way uses the position of the file; it is set when the coroutine ends, whichever
 * way. So a read that goes on in its thread after the coroutine was cancelled moves nothing.
 */
#include "base/alloc.h"
#include "io/sock_calls.h"

#include <asy/coro.h>
#include <asy/executor.h>
#include <asy/socket.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_AT_ONCE ((size_t)256 * 1024)   /* bytes. CPython: SENDFILE_FALLBACK_READBUFFER_SIZE */

/* What is to be sent, and where to. */
struct part {
    asy_loop *loop;
    int       sock;
    int       file;
    int64_t   offset;
    size_t    count;                /* 0: to the end */
    size_t   *ret_sent;
};

/* CPython: _check_sendfile_params */
static asy_error *
check(const struct part *part)
{
    int type;
    socklen_t size = sizeof type;

    TRY(sock_check(part->loop, part->sock));
    if (getsockopt(part->sock, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
        RAISE_OSERROR(errno);
    if (type != SOCK_STREAM)
        RAISE(ValueError, "only SOCK_STREAM type sockets are supported");
    if (part->offset < 0)
        RAISE(ValueError, "offset must be a non-negative integer (got %lld)",
              (long long)part->offset);
    return ASY_OK;
}

/* The next read begins here; not every file has a position. */
static asy_error *
set_position(const struct part *part, size_t sent)
{
    if (lseek(part->file, (off_t)(part->offset + (int64_t)sent), SEEK_SET) < 0)
        RAISE_OSERROR(errno);
    return ASY_OK;
}

/* ---- by the system ------------------------------------------------------------------ */

struct send_file {
    asy_coro    co;
    struct part part;
    size_t      sent;
    size_t      size;               /* of what is asked for, or of the file */
    bool        tried;              /* the system was asked to send */
    asy_ready   ready;
};

static asy_error *
look_at_file(struct send_file *self)
{
    struct stat status;

    if (fstat(self->part.file, &status) != 0)
        RAISE(SendfileNotAvailableError, "not a regular file");
    self->size = self->part.count ? self->part.count : (size_t)status.st_size;
    return ASY_OK;
}

/* Only before anything has been sent there is another way. A connection that ends in the middle is
 * reported the same way by every system. */
static asy_error *
failure(const struct send_file *self, int errnum)
{
    if (self->sent == 0)
        RAISE(SendfileNotAvailableError, "os.sendfile call failed");
    asy_error *err = asy_error_new_os(errnum);
    if (errnum != ENOTCONN)
        return err;
    asy_error *lost = asy_error_new(ASY_ConnectionError, "socket is not connected");
    lost->cause = err;
    return lost;
}

/* Returns in *ret_done whether all is sent. CPython: _sock_sendfile_native_impl */
static asy_error *
send_piece(struct send_file *self, bool *ret_done)
{
    const struct part *part = &self->part;
    size_t size = part->count ? part->count - self->sent : self->size;
    ssize_t sent;

    *ret_done = size == 0;
    if (*ret_done)
        return ASY_OK;
    do
        sent = sock_calls->send_file(part->sock, part->file,
                                     part->offset + (int64_t)self->sent, size);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return sock_not_now(errno) ? ASY_OK : failure(self, errno);
    self->sent += (size_t)sent;
    *ret_done = sent == 0;
    return ASY_OK;
}

static asy_error *
send_more(void *argument)
{
    struct send_file *self = argument;
    asy_future *future = self->ready.future;
    bool done;

    if (asy_future_done(future))
        return ASY_OK;
    asy_error *err = send_piece(self, &done);
    if (err)
        return asy_future_set_exception(future, err);
    return done ? asy_future_set_result(future, NULL, NULL) : ASY_OK;
}

/* CPython: SelectorEventLoop._sock_sendfile_native */
ASYNC(send_file)
{
    bool done;

    ASYNC_BEGIN;

    TRY(look_at_file(self));
    if (self->size > 0) {
        self->tried = true;
        TRY(send_piece(self, &done));
        if (!done) {
            TRY(asy_ready_begin_with(&self->ready, self->part.loop, self->part.sock,
                                     ASY_WRITABLE, asy_borrow(send_more, self)));
            AWAIT(self->ready.future);
        }
    }
    *self->part.ret_sent = self->sent;

    ASYNC_END;
}

FINALLY(send_file)
{
    asy_ready_end(&self->ready);
    if (self->tried)
        asy_error_unref(set_position(&self->part, self->sent));
}

/* ---- by reading ----------------------------------------------------------------------- */

/* A job: it is the future's when it is done, and ends with it. */
struct block {
    int     file;
    off_t   offset;
    size_t  size;
    size_t  count;                  /* what was read; 0: the end of the file */
    char    data[];
};

/* In a thread of the executor. */
static asy_error *
read_block(void *argument)
{
    struct block *block = argument;
    ssize_t count;

    do
        count = pread(block->file, block->data, block->size, block->offset);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        RAISE_OSERROR(errno);
    block->count = (size_t)count;
    return ASY_OK;
}

struct copy_file {
    asy_coro      co;
    struct part   part;
    size_t        sent;
    asy_future   *read;
    struct block *block;            /* its result; borrowed */
};

/* How much to read now. */
static size_t
room(const struct copy_file *self)
{
    size_t count = self->part.count;

    return count == 0 || count - self->sent > READ_AT_ONCE ? READ_AT_ONCE : count - self->sent;
}

static asy_error *
begin_reading(struct copy_file *self)
{
    size_t size = room(self);
    struct block *block = asy_alloc(sizeof *block + size);

    block->file = self->part.file;
    block->offset = (off_t)(self->part.offset + (int64_t)self->sent);
    block->size = size;
    self->block = NULL;
    self->read = asy_future_unref(self->read);
    return asy_run_in_executor(self->part.loop, NULL, asy_own(read_block, block, asy_free),
                               &self->read);
}

static asy_error *
take_block(struct copy_file *self)
{
    void *result;

    TRY(asy_future_result(self->read, &result));
    self->block = result;
    return ASY_OK;
}

/* What is sent counts by whole blocks.  CPython: BaseEventLoop._sock_sendfile_fallback */
ASYNC(copy_file)
{
    ASYNC_BEGIN;

    TRY(set_position(&self->part, 0));
    while (room(self) > 0) {
        TRY(begin_reading(self));
        AWAIT(self->read);
        TRY(take_block(self));
        if (self->block->count == 0)
            break;
        AWAIT(asy_sock_sendall(self->part.loop, self->part.sock, self->block->data,
                               self->block->count));
        self->sent += self->block->count;
    }
    *self->part.ret_sent = self->sent;

    ASYNC_END;
}

FINALLY(copy_file)
{
    asy_future_unref(self->read);
    if (self->sent > 0)
        asy_error_unref(set_position(&self->part, self->sent));
}

/* ---- either --------------------------------------------------------------------------- */

struct sock_sendfile {
    asy_coro    co;
    struct part part;
    bool        fallback;
};

ASYNC(sock_sendfile)
{
    asy_error *err;

    ASYNC_BEGIN;

    TRY(check(&self->part));
    TRY_AWAIT(err, ASYNC_CALL(send_file, .part = self->part));
    if (!self->fallback || !asy_error_is_a(err, ASY_SendfileNotAvailableError))
        return err;
    asy_error_unref(err);
    AWAIT(ASYNC_CALL(copy_file, .part = self->part));

    ASYNC_END;
}

FINALLY(sock_sendfile)
{
}

/* see socket.h.  CPython: BaseEventLoop.sock_sendfile */
asy_coro *
asy_sock_sendfile(asy_loop *loop, int sock, int file, int64_t offset, size_t count,
                  bool fallback, size_t *ret_sent)
{
    const struct part part = {
        .loop = loop,
        .sock = sock,
        .file = file,
        .offset = offset,
        .count = count,
        .ret_sent = ret_sent,
    };
    return ASYNC_CALL(sock_sendfile, .part = part, .fallback = fallback);
}
