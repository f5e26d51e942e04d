/* SPDX-License-Identifier: MIT */
/*
 * sock_sendfile() by the system's sendfile(): the file goes to the socket without passing through
 * the program.
 *
 * As with sock_sendall(), the pieces are sent by the callback of the watch. The position of the
 * file is not used, and set when the coroutine ends, whichever way.
 */
#include "io/sock_calls.h"

#include <asy/coro.h>
#include <asy/socket.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

struct sock_sendfile {
    asy_coro  co;
    asy_loop *loop;
    int       sock;
    int       file;
    int64_t   offset;
    size_t    count;                /* 0: to the end */
    size_t   *ret_sent;
    size_t    sent;
    size_t    file_size;            /* 0: nothing has been tried */
    asy_ready ready;
};

/* CPython: _check_sendfile_params */
static asy_error *
check(const struct sock_sendfile *self)
{
    int type;
    socklen_t size = sizeof type;

    TRY(sock_check(self->loop, self->sock));
    if (getsockopt(self->sock, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
        RAISE_OSERROR(errno);
    if (type != SOCK_STREAM)
        RAISE(ValueError, "only SOCK_STREAM type sockets are supported");
    if (self->offset < 0)
        RAISE(ValueError, "offset must be a non-negative integer (got %lld)",
              (long long)self->offset);
    return ASY_OK;
}

static asy_error *
look_at_file(struct sock_sendfile *self)
{
    struct stat status;

    if (fstat(self->file, &status) != 0)
        RAISE(SendfileNotAvailableError, "not a regular file");
    self->file_size = (size_t)status.st_size;
    return ASY_OK;
}

/* Only before anything has been sent there is another way. A connection that ends in the middle is
 * reported the same way by every system. */
static asy_error *
failure(const struct sock_sendfile *self, int errnum)
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
send_piece(struct sock_sendfile *self, bool *ret_done)
{
    size_t size = self->count ? self->count - self->sent : self->file_size;
    ssize_t sent;

    *ret_done = size == 0;
    if (*ret_done)
        return ASY_OK;
    do
        sent = sock_calls->send_file(self->sock, self->file,
                                     self->offset + (int64_t)self->sent, size);
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
    struct sock_sendfile *self = argument;
    asy_future *future = self->ready.future;
    bool done;

    if (asy_future_done(future))
        return ASY_OK;
    asy_error *err = send_piece(self, &done);
    if (err)
        return asy_future_set_exception(future, err);
    return done ? asy_future_set_result(future, NULL, NULL) : ASY_OK;
}

static void
drop_coro(void *argument)
{
    asy_coro_unref(argument);
}

static asy_error *
begin_sending(struct sock_sendfile *self)
{
    asy_callback callback = asy_own(send_more, asy_coro_ref(&self->co), drop_coro);
    return asy_ready_begin_with(&self->ready, self->loop, self->sock, ASY_WRITABLE, callback);
}

ASYNC(sock_sendfile)
{
    bool done;

    ASYNC_BEGIN;

    TRY(check(self));
    TRY(look_at_file(self));
    if (self->file_size > 0) {
        TRY(send_piece(self, &done));
        if (!done) {
            TRY(begin_sending(self));
            AWAIT(self->ready.future);
        }
    }
    *self->ret_sent = self->sent;

    ASYNC_END;
}

FINALLY(sock_sendfile)
{
    asy_ready_end(&self->ready);
    if (self->file_size > 0)
        lseek(self->file, (off_t)(self->offset + (int64_t)self->sent), SEEK_SET);
}

/* see socket.h.  CPython: SelectorEventLoop._sock_sendfile_native */
asy_coro *
asy_sock_sendfile(asy_loop *loop, int sock, int file, int64_t offset, size_t count,
                  size_t *ret_sent)
{
    return ASYNC_CALL(sock_sendfile, .loop = loop, .sock = sock, .file = file,
                      .offset = offset, .count = count, .ret_sent = ret_sent);
}
