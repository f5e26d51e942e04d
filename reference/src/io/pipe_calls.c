/* SPDX-License-Identifier: MIT */
/*
 * See pipe_calls.h.
 *
 * A write to a pipe that nobody reads raises SIGPIPE, for which there is no flag as for sockets. A
 * process that ignores the signal, as Python does, needs nothing. In another one the signal is held
 * back in this thread while write() runs, and taken; one that was pending before is not ours.
 */
#include "io/pipe_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static int
call_set_non_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return -1;
    return flags & O_NONBLOCK ? 0 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static bool
broken_pipe_is_ignored(void)
{
    struct sigaction action;
    return sigaction(SIGPIPE, NULL, &action) == 0 && !(action.sa_flags & SA_SIGINFO)
        && action.sa_handler == SIG_IGN;
}

static bool
is_pending(int signal_number)
{
    sigset_t pending;

    sigemptyset(&pending);
    sigpending(&pending);
    return sigismember(&pending, signal_number) == 1;
}

static ssize_t
write_without_signal(int fd, const void *data, size_t size)
{
    sigset_t broken_pipe, before;
    int taken;

    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    bool was_pending = is_pending(SIGPIPE);
    ssize_t count = write(fd, data, size);
    int saved_errno = errno;
    if (count < 0 && saved_errno == EPIPE && !was_pending && is_pending(SIGPIPE))
        sigwait(&broken_pipe, &taken);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved_errno;
    return count;
}

static ssize_t
call_write(int fd, const void *data, size_t size)
{
    if (broken_pipe_is_ignored())
        return write(fd, data, size);
    return write_without_signal(fd, data, size);
}

const struct pipe_calls system_pipe_calls = {
    .status = fstat,
    .set_non_blocking = call_set_non_blocking,
    .read = read,
    .write = call_write,
    .close = close,
};

const struct pipe_calls *pipe_calls = &system_pipe_calls;
