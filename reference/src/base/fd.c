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
make_pair(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
}

#else

static int
set_flags(int fd)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fcntl(fd, F_SETFL, O_NONBLOCK) : -1;
}

static int
make_pair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return -1;
    if (set_flags(fds[0]) == 0 && set_flags(fds[1]) == 0)
        return 0;
    int saved_errno = errno;
    fd_close(&fds[0]);
    fd_close(&fds[1]);
    errno = saved_errno;
    return -1;
}

#endif

asy_error *
fd_socket_pair(int ret_fds[2])
{
    int fds[2];

    if (make_pair(fds) != 0)
        RAISE_OSERROR(errno);
    ret_fds[0] = fds[0];
    ret_fds[1] = fds[1];
    return ASY_OK;
}

/* Not repeated after EINTR: on Linux the descriptor is gone by then. */
void
fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
