/* SPDX-License-Identifier: MIT */
/* See fd.h. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)

/* Both flags within the call: another thread may fork at any moment. */
static int
make_socket_pair(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
}

/* Systems that have these flags have pipe2(), too. */
static int
make_pipe(int fds[2])
{
    return pipe2(fds, O_CLOEXEC | O_NONBLOCK);
}

#else

static int
set_flags(int fd)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fcntl(fd, F_SETFL, O_NONBLOCK) : -1;
}

static int
set_flags_of_both(int fds[2])
{
    if (set_flags(fds[0]) == 0 && set_flags(fds[1]) == 0)
        return 0;
    int saved_errno = errno;
    fd_close(&fds[0]);
    fd_close(&fds[1]);
    errno = saved_errno;
    return -1;
}

static int
make_socket_pair(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 ? set_flags_of_both(fds) : -1;
}

static int
make_pipe(int fds[2])
{
    return pipe(fds) == 0 ? set_flags_of_both(fds) : -1;
}

#endif

static asy_error *
give_both(int status, const int fds[2], int ret_fds[2])
{
    if (status != 0)
        RAISE_OSERROR(errno);
    ret_fds[0] = fds[0];
    ret_fds[1] = fds[1];
    return ASY_OK;
}

asy_error *
fd_socket_pair(int ret_fds[2])
{
    int fds[2];
    return give_both(make_socket_pair(fds), fds, ret_fds);
}

asy_error *
fd_pipe(int ret_fds[2])
{
    int fds[2];
    return give_both(make_pipe(fds), fds, ret_fds);
}

/* Not repeated after EINTR: on Linux the descriptor is gone by then. */
void
fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
