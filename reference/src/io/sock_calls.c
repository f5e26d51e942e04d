/* SPDX-License-Identifier: MIT */
/*
 * See sock_calls.h. A call on a non-blocking socket that a signal has interrupted is repeated at
 * once: PEP 475. Not so connect(), which goes on without its caller.
 */
#include "io/sock_calls.h"

#include <asy/loop.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#if defined(__linux__)
#include <signal.h>
#include <sys/sendfile.h>
#include <time.h>
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0                  /* see sock_calls.h */
#endif

/* ---- the system's calls --------------------------------------------------------- */

static ssize_t
call_receive(int sock, void *buffer, size_t size, asy_address *ret_from)
{
    asy_address from = { .length = sizeof from.storage };
    ssize_t count = recvfrom(sock, buffer, size, 0, (struct sockaddr *)&from.storage,
                             &from.length);
    if (count >= 0 && ret_from)
        *ret_from = from;
    return count;
}

static ssize_t
call_send(int sock, const void *data, size_t size, const asy_address *to)
{
    const struct sockaddr *address = to ? (const struct sockaddr *)&to->storage : NULL;
    return sendto(sock, data, size, MSG_NOSIGNAL, address, to ? to->length : 0);
}

static int
call_connect(int sock, const asy_address *address)
{
    return connect(sock, (const struct sockaddr *)&address->storage, address->length);
}

static int
call_connect_result(int sock, int *ret_errnum)
{
    socklen_t size = sizeof *ret_errnum;
    return getsockopt(sock, SOL_SOCKET, SO_ERROR, ret_errnum, &size);
}

#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)

static int
accept_with_flags(int sock, asy_address *from)
{
    return accept4(sock, (struct sockaddr *)&from->storage, &from->length,
                   SOCK_CLOEXEC | SOCK_NONBLOCK);
}

#else

static int
accept_with_flags(int sock, asy_address *from)
{
    int conn = accept(sock, (struct sockaddr *)&from->storage, &from->length);
    if (conn < 0)
        return -1;
    if (fcntl(conn, F_SETFD, FD_CLOEXEC) == 0 && fcntl(conn, F_SETFL, O_NONBLOCK) == 0)
        return conn;
    int saved_errno = errno;
    close(conn);
    errno = saved_errno;
    return -1;
}

#endif

static int
call_accept(int sock, asy_address *ret_from)
{
    asy_address from = { .length = sizeof from.storage };
    int conn = accept_with_flags(sock, &from);
    if (conn >= 0 && ret_from)
        *ret_from = from;
    return conn;
}

#if defined(__linux__)

/* A signal that was pending before is not ours to take. */
static void
take_broken_pipe_signal(const sigset_t *broken_pipe)
{
    const struct timespec at_once = { 0 };

    while (sigtimedwait(broken_pipe, NULL, &at_once) < 0 && errno == EINTR)
        continue;
}

/* There is no MSG_NOSIGNAL for this call: the signal is held back while it runs, and taken. It
 * comes with EPIPE only: a connection that breaks in the middle gives the count until then, without
 * a signal, and EPIPE to the next call. */
static ssize_t
call_send_file(int sock, int file, int64_t offset, size_t size)
{
    off_t position = (off_t)offset;
    sigset_t broken_pipe, pending, before;

    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    sigpending(&pending);
    ssize_t count = sendfile(sock, file, &position, size);
    int saved_errno = errno;
    if (count < 0 && saved_errno == EPIPE && !sigismember(&pending, SIGPIPE))
        take_broken_pipe_signal(&broken_pipe);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved_errno;
    return count;
}

#else

static ssize_t
call_send_file(int sock, int file, int64_t offset, size_t size)
{
    (void)sock, (void)file, (void)offset, (void)size;
    errno = ENOSYS;
    return -1;
}

#endif

const struct sock_calls system_sock_calls = {
    .receive = call_receive,
    .send = call_send,
    .connect = call_connect,
    .connect_result = call_connect_result,
    .accept = call_accept,
    .send_file = call_send_file,
};

const struct sock_calls *sock_calls = &system_sock_calls;

/* ---- checks --------------------------------------------------------------------- */

asy_error *
sock_check(const asy_loop *loop, int sock)
{
    if (!asy_loop_get_debug(loop))
        return ASY_OK;
    int flags = fcntl(sock, F_GETFL);
    if (flags >= 0 && !(flags & O_NONBLOCK))
        RAISE(ValueError, "the socket must be non-blocking");
    return ASY_OK;
}

/* Not a switch: EAGAIN and EWOULDBLOCK are often the same number. */
bool
sock_not_now(int errnum)
{
    return errnum == EAGAIN || errnum == EWOULDBLOCK || errnum == EINPROGRESS
        || errnum == EALREADY || errnum == EINTR;
}

asy_error *
sock_error(int errnum)
{
    if (sock_not_now(errnum))
        return ASY_OK;
    RAISE_OSERROR(errnum);
}
