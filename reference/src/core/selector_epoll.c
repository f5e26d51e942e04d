/* SPDX-License-Identifier: MIT */
/*
 * selectors.EpollSelector. The file is empty where there is no epoll.
 *
 * Anything but EPOLLIN wakes a writer, and anything but EPOLLOUT wakes a reader: so an error or
 * a hang-up wakes both.
 */
#include "core/selector.h"

#if defined(__linux__)

#include "base/alloc.h"
#include "base/fd.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sys/epoll.h>

struct epoll {
    struct selector     base;
    int                 fd;
    struct epoll_event *events;             /* what the kernel writes */
    size_t              capacity;
    int                 room;               /* how many of them this poll may fill */
};

static asy_error *
open_epoll(struct selector **ret_selector)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    if (fd < 0)
        RAISE_OSERROR(errno);
    struct epoll *self = asy_alloc(sizeof *self);
    self->fd = fd;
    *ret_selector = &self->base;
    return ASY_OK;
}

static void
close_epoll(struct selector *selector)
{
    struct epoll *self = (struct epoll *)selector;
    fd_close(&self->fd);
    asy_free(self->events);
    asy_free(self);
}

static asy_error *
control(struct selector *selector, int operation, int fd, unsigned events)
{
    struct epoll *self = (struct epoll *)selector;
    struct epoll_event event = { .data.fd = fd };

    if (events & EVENT_READ)
        event.events |= EPOLLIN;
    if (events & EVENT_WRITE)
        event.events |= EPOLLOUT;
    if (epoll_ctl(self->fd, operation, fd, &event) != 0)
        RAISE_OSERROR(errno);
    return ASY_OK;
}

static asy_error *
register_fd(struct selector *selector, int fd, unsigned events)
{
    return control(selector, EPOLL_CTL_ADD, fd, events);
}

static asy_error *
modify(struct selector *selector, int fd, unsigned events)
{
    return control(selector, EPOLL_CTL_MOD, fd, events);
}

/* The descriptor may have been closed since it was registered, and then the kernel has forgotten
 * it by itself. */
static void
unregister(struct selector *selector, int fd)
{
    asy_error_unref(control(selector, EPOLL_CTL_DEL, fd, 0));
}

/* CPython rounds up to milliseconds as a double, and that double up to nanoseconds: the two
 * together may come out one millisecond higher. */
static int64_t
round_timeout(double timeout)
{
    double seconds = ceil(timeout * 1e3) * 1e-3;
    return (int64_t)ceil(seconds * 1e9);
}

static int
milliseconds(int64_t timeout_ns)
{
    if (timeout_ns < 0)
        return -1;
    int64_t ms = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* As many events as descriptors, so that one call reports all; the kernel wants room for one. */
static void
prepare(struct selector *selector)
{
    struct epoll *self = (struct epoll *)selector;
    size_t wanted = selector->registered ? selector->registered : 1;

    if (wanted > self->capacity) {
        self->events = alloc_resize(self->events, wanted, sizeof self->events[0]);
        self->capacity = wanted;
    }
    self->room = wanted > INT_MAX ? INT_MAX : (int)wanted;
}

static int
poll_events(struct selector *selector, int64_t timeout_ns)
{
    struct epoll *self = (struct epoll *)selector;
    int count = epoll_wait(self->fd, self->events, self->room, milliseconds(timeout_ns));

    if (count < 0)
        return errno;
    for (int i = 0; i < count; i++) {
        unsigned raw = self->events[i].events;
        unsigned events = raw & ~(unsigned)EPOLLIN ? EVENT_WRITE : 0;
        if (raw & ~(unsigned)EPOLLOUT)
            events |= EVENT_READ;
        selector_add_ready(selector, self->events[i].data.fd, events);
    }
    return 0;
}

const struct selector_ops epoll_ops = {
    .name = "epoll",
    .class_name = "EpollSelector",
    .open = open_epoll,
    .close = close_epoll,
    .register_fd = register_fd,
    .modify = modify,
    .unregister = unregister,
    .round_timeout = round_timeout,
    .prepare = prepare,
    .poll = poll_events,
};

#endif
