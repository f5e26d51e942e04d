/* SPDX-License-Identifier: MIT */
/*
 * See system_faults.h. Each function has the arguments and results of the system's, which it calls
 * in the end.
 */
#include "system_faults.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* No header has them: the linker calls __wrap_close() where the library calls close(). */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

/* ---- which call fails ------------------------------------------------------------------ */

#define MOST_DESCRIPTORS 1024       /* higher ones share their counters with lower ones */

#define MOST_ERRNOS 200

static atomic_long faults[MOST_ERRNOS];

static int
fail_with(int errnum)
{
    atomic_fetch_add(&faults[errnum], 1);
    errno = errnum;
    return -1;
}

long
system_faults_count(int errnum)
{
    return atomic_load(&faults[errnum]);
}

/* Every other call of a thread is interrupted. The counter is the caller's. */
static bool
is_interrupted(unsigned *calls)
{
    return UNDER_FAULTS && (*calls)++ % 2 == 0;
}

static bool
is_non_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_NONBLOCK);
}

static bool
is_pipe(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/* On each descriptor in turn: refused, interrupted, sent. Returns 0 or the errno. */
static int
refusal(int fd)
{
    static atomic_uint calls[MOST_DESCRIPTORS];

    if (!UNDER_FAULTS || fd < 0)
        return 0;
    unsigned turn = atomic_fetch_add(&calls[fd % MOST_DESCRIPTORS], 1) % 3;
    if (turn == 0 && is_non_blocking(fd))
        return EAGAIN;
    return turn == 1 ? EINTR : 0;
}

/* How much may be received: one byte, but for datagrams. */
static size_t
shorter(int fd, size_t size)
{
    int type = SOCK_STREAM;
    socklen_t length = sizeof type;

    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length);    /* no socket: the type stays */
    if (!UNDER_FAULTS || size <= 1 || type != SOCK_STREAM)
        return size;
    atomic_fetch_add(&faults[0], 1);
    return 1;
}

/* The body begins with this: the first call of two is interrupted. */
#define INTERRUPT()                                                                        \
    static _Thread_local unsigned calls;                                                   \
    if (is_interrupted(&calls))                                                            \
        return fail_with(EINTR)

/* ---- waiting ----------------------------------------------------------------------------- */

/* What need not wait is not interrupted: the system looks for what is ready first. */
int
__wrap_epoll_wait(int fd, struct epoll_event *events, int room, int timeout)
{
    int count = UNDER_FAULTS ? epoll_wait(fd, events, room, 0) : 0;

    if (count != 0 || (UNDER_FAULTS && timeout == 0))
        return count;
    INTERRUPT();
    return epoll_wait(fd, events, room, timeout);
}

int
__wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    int ready = UNDER_FAULTS ? poll(fds, count, 0) : 0;

    if (ready != 0)
        return ready;
    INTERRUPT();
    return poll(fds, count, timeout);
}

/* The sets are changed by a call that succeeds: the first look has copies. */
static int
select_at_once(int limit, const fd_set *readers, const fd_set *writers)
{
    fd_set sets[] = { *readers, *writers };
    return select(limit, &sets[0], &sets[1], NULL, &(struct timeval){ 0 });
}

int
__wrap_select(int limit, fd_set *readers, fd_set *writers, fd_set *others,
              struct timeval *timeout)
{
    bool may_wait = UNDER_FAULTS && select_at_once(limit, readers, writers) == 0;
    static _Thread_local unsigned calls;

    if (may_wait && is_interrupted(&calls))
        return fail_with(EINTR);
    return select(limit, readers, writers, others, timeout);
}

int
__wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
    static _Thread_local unsigned calls;

    if (!is_interrupted(&calls))
        return nanosleep(time, left);
    if (left)
        *left = *time;
    return fail_with(EINTR);
}

int
__wrap_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    INTERRUPT();
    return sigtimedwait(set, info, timeout);
}

pid_t
__wrap_waitpid(pid_t child, int *status, int options)
{
    INTERRUPT();
    return waitpid(child, status, options);
}

int
__wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock)
{
    static _Thread_local unsigned calls;

    if (!is_interrupted(&calls))
        return pthread_cond_wait(condition, lock);
    fail_with(EINTR);
    pthread_mutex_unlock(lock);
    pthread_mutex_lock(lock);
    return 0;
}

/* ---- receiving ---------------------------------------------------------------------------- */

ssize_t
__wrap_recv(int fd, void *buffer, size_t size, int flags)
{
    INTERRUPT();
    return recv(fd, buffer, shorter(fd, size), flags);
}

ssize_t
__wrap_recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                socklen_t *length)
{
    INTERRUPT();
    return recvfrom(fd, buffer, shorter(fd, size), flags, address, length);
}

ssize_t
__wrap_read(int fd, void *buffer, size_t size)
{
    INTERRUPT();
    return read(fd, buffer, shorter(fd, size));
}

ssize_t
__wrap_readv(int fd, const struct iovec *parts, int count)
{
    INTERRUPT();
    if (count == 0 || parts->iov_len == 0 || shorter(fd, 2) == 2)
        return readv(fd, parts, count);
    return read(fd, parts->iov_base, 1);
}

/* ---- sending ------------------------------------------------------------------------------ */

static atomic_int send_failure;

void
system_faults_fail_send(int errnum)
{
    atomic_store(&send_failure, errnum);
}

ssize_t
__wrap_send(int fd, const void *data, size_t size, int flags)
{
    INTERRUPT();
    int errnum = atomic_exchange(&send_failure, 0);
    return errnum ? fail_with(errnum) : send(fd, data, size, flags);
}

ssize_t
__wrap_sendto(int fd, const void *data, size_t size, int flags,
              const struct sockaddr *address, socklen_t length)
{
    int errnum = refusal(fd);
    return errnum ? fail_with(errnum) : sendto(fd, data, size, flags, address, length);
}

/* A byte that has room in every pipe is not refused. */
ssize_t
__wrap_write(int fd, const void *data, size_t size)
{
    int errnum = atomic_exchange(&send_failure, 0);

    if (!errnum)
        errnum = refusal(fd);
    if (errnum == EAGAIN && size == 1 && is_pipe(fd))
        errnum = 0;
    return errnum ? fail_with(errnum) : write(fd, data, size);
}

ssize_t
__wrap_writev(int fd, const struct iovec *parts, int count)
{
    int errnum = refusal(fd);
    return errnum ? fail_with(errnum) : writev(fd, parts, count);
}

ssize_t
__wrap_sendfile(int fd, int file, off_t *offset, size_t size)
{
    int errnum = refusal(fd);
    return errnum ? fail_with(errnum) : sendfile(fd, file, offset, size);
}

/* ---- connecting and closing ----------------------------------------------------------------- */

/* Interrupted, it goes on without its caller. What fails at once has failed. */
int
__wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    static _Thread_local unsigned calls;
    int result = connect(fd, address, length);

    if (result != 0 && errno != EINPROGRESS)
        return result;
    return is_interrupted(&calls) ? fail_with(EINTR) : result;
}

/* Interrupted, it has closed the descriptor. */
int
__wrap_close(int fd)
{
    static _Thread_local unsigned calls;

    if (close(fd) != 0)
        return -1;
    return is_interrupted(&calls) ? fail_with(EINTR) : 0;
}

/* ---- allocating descriptors ----------------------------------------------------------------- */

static atomic_int allocations;
static atomic_int failing_allocation;

void
system_faults_fail_allocation(int n)
{
    atomic_store(&allocations, 0);
    atomic_store(&failing_allocation, n);
}

int
system_faults_allocations(void)
{
    return atomic_load(&allocations);
}

static bool
allocation_fails(void)
{
    return atomic_fetch_add(&allocations, 1) + 1 == atomic_load(&failing_allocation);
}

int
__wrap_epoll_create1(int flags)
{
    return allocation_fails() ? fail_with(EMFILE) : epoll_create1(flags);
}

int
__wrap_eventfd(unsigned value, int flags)
{
    return allocation_fails() ? fail_with(EMFILE) : eventfd(value, flags);
}

int
__wrap_pipe2(int fds[2], int flags)
{
    return allocation_fails() ? fail_with(EMFILE) : pipe2(fds, flags);
}

int
__wrap_socket(int domain, int type, int protocol)
{
    return allocation_fails() ? fail_with(EMFILE) : socket(domain, type, protocol);
}

int
__wrap_socketpair(int domain, int type, int protocol, int fds[2])
{
    return allocation_fails() ? fail_with(EMFILE) : socketpair(domain, type, protocol, fds);
}

/* Interrupted or without descriptors, it leaves the connection in the queue. */
int
__wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    INTERRUPT();
    return allocation_fails() ? fail_with(EMFILE) : accept4(fd, address, length, flags);
}

int
__wrap_dup(int fd)
{
    return allocation_fails() ? fail_with(EMFILE) : dup(fd);
}

/* The argument of every command has the size of a long, or is not looked at. */
int
__wrap_fcntl(int fd, int command, ...)
{
    va_list arguments;

    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && allocation_fails())
        return fail_with(EMFILE);
    return fcntl(fd, command, argument);
}

int
__wrap_open(const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    INTERRUPT();
    return allocation_fails() ? fail_with(EMFILE) : open(path, flags, mode);
}
