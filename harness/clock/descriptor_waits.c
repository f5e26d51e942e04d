/* SPDX-License-Identifier: MIT */
/*
 * The interposed waits for file descriptors: the epoll, poll and select families.
 *
 * Each becomes a struct that remembers its arguments and can make its system call with any
 * time-out. The members of a family differ in the form of the time-out only, so one call serves
 * them all. An invalid time-out goes to the real function, which knows the error.
 */
#include "clock_state.h"
#include "real_functions.h"
#include "timed_wait.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

/* A time-out for the real call: NULL when there is none. */
static struct timespec *
as_timespec(int64_t timeout, struct timespec *storage)
{
    if (timeout == WAIT_FOREVER)
        return NULL;
    *storage = timespec_from_ns(timeout);
    return storage;
}

static int64_t
from_timespec(const struct timespec *timeout)
{
    return timeout == NULL ? WAIT_FOREVER : timespec_to_ns(timeout);
}

static int64_t
from_milliseconds(int timeout)
{
    return timeout < 0 ? WAIT_FOREVER : timeout * NS_PER_MS;
}

/* Rounded up, so that no wait ends early. */
static int
to_milliseconds(int64_t timeout)
{
    int64_t milliseconds = (timeout + NS_PER_MS - 1) / NS_PER_MS;
    if (timeout == WAIT_FOREVER)
        return -1;
    return milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
}

/* ---- epoll ----------------------------------------------------------------- */

struct epoll_call {
    struct timed_wait base;
    int epfd;
    struct epoll_event *events;
    int maxevents;
    const sigset_t *sigmask;
    bool in_nanoseconds;        /* the caller used epoll_pwait2 */
};

/* With a time-out of zero the kernel does not look for signals that only sigmask lets through;
 * with the shortest other one it does. */
static bool
attempt_epoll(struct timed_wait *base, int64_t timeout)
{
    struct epoll_call *self = (struct epoll_call *)base;
    struct timespec storage;

    if (timeout == 0 && self->sigmask != NULL)
        timeout = 1;
    base->result = self->in_nanoseconds
        ? real()->epoll_pwait2(self->epfd, self->events, self->maxevents,
                               as_timespec(timeout, &storage), self->sigmask)
        : real()->epoll_pwait(self->epfd, self->events, self->maxevents,
                              to_milliseconds(timeout), self->sigmask);
    return base->result != 0;
}

static int
run_epoll(struct epoll_call call, int64_t timeout)
{
    call.base.attempt = attempt_epoll;
    timed_wait_run(&call.base, timeout);
    return call.base.result;
}

EXPORT int
epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout)
{
    if (!clock_is_on() || timeout == 0)
        return real()->epoll_wait(epfd, events, maxevents, timeout);
    return run_epoll((struct epoll_call){ .epfd = epfd, .events = events, .maxevents = maxevents },
                     from_milliseconds(timeout));
}

EXPORT int
epoll_pwait(int epfd, struct epoll_event *events, int maxevents, int timeout,
            const sigset_t *sigmask)
{
    if (!clock_is_on() || timeout == 0)
        return real()->epoll_pwait(epfd, events, maxevents, timeout, sigmask);
    return run_epoll((struct epoll_call){ .epfd = epfd, .events = events, .maxevents = maxevents,
                                          .sigmask = sigmask },
                     from_milliseconds(timeout));
}

EXPORT int
epoll_pwait2(int epfd, struct epoll_event *events, int maxevents, const struct timespec *timeout,
             const sigset_t *sigmask)
{
    if (real()->epoll_pwait2 == NULL) {
        errno = ENOSYS;
        return -1;
    }
    if (!clock_is_on() || (timeout != NULL && !timespec_is_valid(timeout))
        || from_timespec(timeout) == 0)
        return real()->epoll_pwait2(epfd, events, maxevents, timeout, sigmask);
    return run_epoll((struct epoll_call){ .epfd = epfd, .events = events, .maxevents = maxevents,
                                          .sigmask = sigmask, .in_nanoseconds = true },
                     from_timespec(timeout));
}

/* ---- poll ------------------------------------------------------------------ */

struct poll_call {
    struct timed_wait base;
    struct pollfd *fds;
    nfds_t nfds;
    const sigset_t *sigmask;
};

static bool
attempt_poll(struct timed_wait *base, int64_t timeout)
{
    struct poll_call *self = (struct poll_call *)base;
    struct timespec storage;
    base->result = real()->ppoll(self->fds, self->nfds, as_timespec(timeout, &storage),
                                 self->sigmask);
    return base->result != 0;
}

static int
run_poll(struct pollfd *fds, nfds_t nfds, int64_t timeout, const sigset_t *sigmask)
{
    struct poll_call call = {
        .base.attempt = attempt_poll, .fds = fds, .nfds = nfds, .sigmask = sigmask,
    };
    timed_wait_run(&call.base, timeout);
    return call.base.result;
}

EXPORT int
poll(struct pollfd *fds, nfds_t nfds, int timeout)
{
    if (!clock_is_on())
        return real()->poll(fds, nfds, timeout);
    return run_poll(fds, nfds, from_milliseconds(timeout), NULL);
}

EXPORT int
ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout, const sigset_t *sigmask)
{
    if (!clock_is_on() || (timeout != NULL && !timespec_is_valid(timeout)))
        return real()->ppoll(fds, nfds, timeout, sigmask);
    return run_poll(fds, nfds, from_timespec(timeout), sigmask);
}

/* What the fortified headers turn poll() into; the real one ends the process when the array is
 * too small. */
EXPORT int
__poll_chk(struct pollfd *fds, nfds_t nfds, int timeout, size_t fds_size)
{
    if (!clock_is_on() || fds_size / sizeof *fds < nfds)
        return real()->__poll_chk(fds, nfds, timeout, fds_size);
    return run_poll(fds, nfds, from_milliseconds(timeout), NULL);
}

EXPORT int
__ppoll_chk(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout,
            const sigset_t *sigmask, size_t fds_size)
{
    if (!clock_is_on() || fds_size / sizeof *fds < nfds
        || (timeout != NULL && !timespec_is_valid(timeout)))
        return real()->__ppoll_chk(fds, nfds, timeout, sigmask, fds_size);
    return run_poll(fds, nfds, from_timespec(timeout), sigmask);
}

/* ---- select ---------------------------------------------------------------- */

enum { READ_SET, WRITE_SET, EXCEPT_SET, SET_COUNT };

/* Every call replaces the sets by its answer, so a repeated one starts from a copy. */
struct select_call {
    struct timed_wait base;
    int nfds;
    fd_set *sets[SET_COUNT];
    fd_set asked[SET_COUNT];
    const sigset_t *sigmask;
};

/* What the kernel reads and writes of a set: the words that hold nfds bits. The caller's may
 * have no more. */
static size_t
set_size(int nfds)
{
    size_t words = ((size_t)nfds + NFDBITS - 1) / NFDBITS;
    return words * sizeof(fd_mask);
}

static bool
attempt_select(struct timed_wait *base, int64_t timeout)
{
    struct select_call *self = (struct select_call *)base;
    struct timespec storage;

    for (int i = 0; i < SET_COUNT; i++) {
        if (self->sets[i] != NULL)
            memcpy(self->sets[i], &self->asked[i], set_size(self->nfds));
    }
    base->result = real()->pselect(self->nfds, self->sets[READ_SET], self->sets[WRITE_SET],
                                   self->sets[EXCEPT_SET], as_timespec(timeout, &storage),
                                   self->sigmask);
    return base->result != 0;
}

/* Returns what pselect() returns, and in *ret_left what is left of the time-out. */
static int
run_select(int nfds, fd_set *const sets[SET_COUNT], int64_t timeout, const sigset_t *sigmask,
           int64_t *ret_left)
{
    struct select_call call = { .base.attempt = attempt_select, .nfds = nfds, .sigmask = sigmask };

    for (int i = 0; i < SET_COUNT; i++) {
        call.sets[i] = sets[i];
        if (sets[i] != NULL)
            memcpy(&call.asked[i], sets[i], set_size(nfds));
    }
    *ret_left = timed_wait_run(&call.base, timeout);
    return call.base.result;
}

static bool
select_passes_through(int nfds)
{
    return !clock_is_on() || nfds < 0 || nfds > FD_SETSIZE;
}

EXPORT int
pselect(int nfds, fd_set *restrict readfds, fd_set *restrict writefds, fd_set *restrict exceptfds,
        const struct timespec *restrict timeout, const sigset_t *restrict sigmask)
{
    int64_t left;

    if (select_passes_through(nfds) || (timeout != NULL && !timespec_is_valid(timeout)))
        return real()->pselect(nfds, readfds, writefds, exceptfds, timeout, sigmask);
    fd_set *const sets[SET_COUNT] = { readfds, writefds, exceptfds };
    return run_select(nfds, sets, from_timespec(timeout), sigmask, &left);
}

static int64_t
from_timeval(const struct timeval *timeout)
{
    if (timeout == NULL)
        return WAIT_FOREVER;
    return timespec_to_ns(&(struct timespec){
        .tv_sec = timeout->tv_sec, .tv_nsec = timeout->tv_usec * NS_PER_US,
    });
}

static bool
timeval_is_valid(const struct timeval *timeout)
{
    return timeout->tv_sec >= 0 && timeout->tv_usec >= 0
        && timeout->tv_usec < NS_PER_SECOND / NS_PER_US;
}

/* As on Linux, *timeout becomes what is left of it. */
EXPORT int
select(int nfds, fd_set *restrict readfds, fd_set *restrict writefds, fd_set *restrict exceptfds,
       struct timeval *restrict timeout)
{
    int64_t left;

    if (select_passes_through(nfds) || (timeout != NULL && !timeval_is_valid(timeout)))
        return real()->select(nfds, readfds, writefds, exceptfds, timeout);
    fd_set *const sets[SET_COUNT] = { readfds, writefds, exceptfds };
    int ready = run_select(nfds, sets, from_timeval(timeout), NULL, &left);
    if (timeout != NULL)
        *timeout = (struct timeval){
            .tv_sec = left / NS_PER_SECOND, .tv_usec = left % NS_PER_SECOND / NS_PER_US,
        };
    return ready;
}
