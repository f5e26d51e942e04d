/* SPDX-License-Identifier: MIT */
/*
 * sock_connect(): connect() begins to connect, the descriptor becomes writable when that has
 * succeeded or failed, and an option of the socket tells which.
 *
 * EAGAIN is not EINPROGRESS: nothing has begun, because the listener's queue is full (Unix sockets)
 * or the system lacks something. The option would say that all is well; so it is raised.
 */
#include "base/alloc.h"
#include "io/sock_calls.h"

#include <arpa/inet.h>
#include <asy/coro.h>
#include <asy/socket.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

struct sock_connect {
    asy_coro    co;
    asy_loop   *loop;
    int         sock;
    asy_address address;
    asy_ready   ready;
};

/* ---- what it says when it fails ----------------------------------------------------- */

static char *
describe_ipv4(const struct sockaddr_storage *storage)
{
    struct sockaddr_in address;
    char text[INET_ADDRSTRLEN];

    memcpy(&address, storage, sizeof address);
    inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
    return asy_format("('%s', %d)", text, ntohs(address.sin_port));
}

static char *
describe_ipv6(const struct sockaddr_storage *storage)
{
    struct sockaddr_in6 address;
    char text[INET6_ADDRSTRLEN];

    memcpy(&address, storage, sizeof address);
    inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
    return asy_format("('%s', %d, %u, %u)", text, ntohs(address.sin6_port),
                      (unsigned)ntohl(address.sin6_flowinfo), (unsigned)address.sin6_scope_id);
}

static char *
describe_unix(const struct sockaddr_storage *storage)
{
    struct sockaddr_un address;

    memcpy(&address, storage, sizeof address);
    return asy_format("%.*s", (int)sizeof address.sun_path, address.sun_path);
}

/* str(address), from asy_alloc(). */
static char *
describe_address(const asy_address *address)
{
    switch (address->storage.ss_family) {
    case AF_INET:
        return describe_ipv4(&address->storage);
    case AF_INET6:
        return describe_ipv6(&address->storage);
    case AF_UNIX:
        return describe_unix(&address->storage);
    default:
        return asy_format("of family %d", address->storage.ss_family);
    }
}

/* OSError(errnum, f'Connect call failed {address}') */
static asy_error *
connect_failed(const struct sock_connect *self, int errnum)
{
    asy_error *err = asy_error_new_os(errnum);
    char *address = describe_address(&self->address);

    asy_free(err->message);
    err->message = asy_format("[Errno %d] Connect call failed %s", errnum, address);
    asy_free(address);
    return err;
}

/* ---- connecting --------------------------------------------------------------------- */

/* Returns in *ret_done whether it is connected already. After an interruption, the system goes on
 * connecting. */
static asy_error *
start_to_connect(struct sock_connect *self, bool *ret_done)
{
    *ret_done = sock_calls->connect(self->sock, &self->address) == 0;
    if (*ret_done)
        return ASY_OK;
    if (errno == EAGAIN)
        RAISE_OSERROR(errno);
    return sock_error(errno);
}

/* Returns in *ret_done whether it is known how it went. */
static asy_error *
look_at_result(struct sock_connect *self, bool *ret_done)
{
    int errnum;

    if (sock_calls->connect_result(self->sock, &errnum) != 0)
        RAISE_OSERROR(errno);
    *ret_done = errnum == 0;
    if (errnum == 0 || sock_not_now(errnum))
        return ASY_OK;
    return connect_failed(self, errnum);
}

ASYNC(sock_connect)
{
    bool done;

    ASYNC_BEGIN;

    TRY(sock_check(self->loop, self->sock));
    TRY(start_to_connect(self, &done));
    while (!done) {
        TRY(asy_ready_begin(&self->ready, self->loop, self->sock, ASY_WRITABLE));
        AWAIT(self->ready.future);
        asy_ready_end(&self->ready);
        TRY(look_at_result(self, &done));
    }

    ASYNC_END;
}

FINALLY(sock_connect)
{
    asy_ready_end(&self->ready);
}

/* see socket.h.  CPython: BaseSelectorEventLoop.sock_connect */
asy_coro *
asy_sock_connect(asy_loop *loop, int sock, const asy_address *address)
{
    return ASYNC_CALL(sock_connect, .loop = loop, .sock = sock, .address = *address);
}
