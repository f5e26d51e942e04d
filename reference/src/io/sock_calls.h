/* SPDX-License-Identifier: MIT */
/*
 * The system calls on sockets, in a table, so that tests can put faults in their places: short
 * reads, "not now" on first tries, interruptions.
 *
 * They have the arguments and results of the system's: -1, and errno.
 */
#ifndef IO_SOCK_CALLS_H
#define IO_SOCK_CALLS_H

#include <asy/error.h>
#include <asy/socket.h>
#include <sys/types.h>

struct sock_calls {
    ssize_t (*receive)(int sock, void *buffer, size_t size, asy_address *ret_from);
    ssize_t (*send)(int sock, const void *data, size_t size, const asy_address *to);
    int     (*connect)(int sock, const asy_address *address);
    int     (*connect_result)(int sock, int *ret_errnum);
    int     (*accept)(int sock, asy_address *ret_from);
    ssize_t (*send_file)(int sock, int file, int64_t offset, size_t size);
};

/* The system's. ret_from may be NULL; to is NULL for connected sockets. What accept() returns is
 * non-blocking and closed on exec; a system without sendfile() says ENOSYS. None raises SIGPIPE,
 * but on a system without MSG_NOSIGNAL, where the program sets SO_NOSIGPIPE or ignores it. */
extern const struct sock_calls system_sock_calls;

/* Those in force: only tests assign it, before they start anything. */
extern const struct sock_calls *sock_calls;

/* In debug mode, ValueError("the socket must be non-blocking") if it is not. What is no descriptor
 * at all, the call itself finds. */
asy_error *sock_check(const asy_loop *loop, int sock) ASY_MUST_CHECK;

/* Whether an errno is one that Python has as BlockingIOError or InterruptedError: not now; or, of
 * connect(), not yet, but for EAGAIN (sock_connect.c). */
bool sock_not_now(int errnum);

/* What errno means after a call: ASY_OK if the call would have to wait, else an OSError. */
asy_error *sock_error(int errnum) ASY_MUST_CHECK;

#endif
