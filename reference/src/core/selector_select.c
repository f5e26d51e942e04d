/* SPDX-License-Identifier: MIT */
/*
 * selectors.SelectSelector.
 *
 * Registering never fails: a descriptor that is closed, or too high for an fd_set, fails the
 * next wait, and with it the run, as in CPython. The order of what is ready is that of the
 * descriptors; CPython's is that of a set of small integers, which is nearly always the same.
 */
#include "core/selector.h"

#include "base/alloc.h"

#include <errno.h>
#include <math.h>
#include <sys/select.h>

struct select_selector {
    struct selector base;
    fd_set          readers;
    fd_set          writers;
    int             limit;                  /* all descriptors in the sets are below */
    size_t          out_of_range;           /* how many are registered that the sets cannot hold */
    fd_set          polled_readers;         /* the sets and the limit for one poll */
    fd_set          polled_writers;
    int             polled_limit;
};

static asy_error *
open_select(struct selector **ret_selector)
{
    struct select_selector *self = asy_alloc(sizeof *self);
    FD_ZERO(&self->readers);
    FD_ZERO(&self->writers);
    *ret_selector = &self->base;
    return ASY_OK;
}

static void
close_select(struct selector *selector)
{
    asy_free(selector);
}

static void
put_into_sets(struct select_selector *self, int fd, unsigned events)
{
    if (fd >= FD_SETSIZE)
        return;
    FD_CLR(fd, &self->readers);
    FD_CLR(fd, &self->writers);
    if (events & EVENT_READ)
        FD_SET(fd, &self->readers);
    if (events & EVENT_WRITE)
        FD_SET(fd, &self->writers);
}

static asy_error *
register_fd(struct selector *selector, int fd, unsigned events)
{
    struct select_selector *self = (struct select_selector *)selector;

    if (fd >= FD_SETSIZE)
        self->out_of_range++;
    else if (fd >= self->limit)
        self->limit = fd + 1;
    put_into_sets(self, fd, events);
    return ASY_OK;
}

static asy_error *
modify(struct selector *selector, int fd, unsigned events)
{
    put_into_sets((struct select_selector *)selector, fd, events);
    return ASY_OK;
}

static void
unregister(struct selector *selector, int fd)
{
    struct select_selector *self = (struct select_selector *)selector;

    if (fd >= FD_SETSIZE) {
        self->out_of_range--;
        return;
    }
    FD_CLR(fd, &self->readers);
    FD_CLR(fd, &self->writers);
}

static int64_t
round_timeout(double timeout)
{
    return (int64_t)ceil(timeout * 1e9);
}

static struct timeval
as_timeval(int64_t timeout_ns)
{
    int64_t us = timeout_ns / 1000 + (timeout_ns % 1000 != 0);
    return (struct timeval){ .tv_sec = us / 1000000, .tv_usec = us % 1000000 };
}

static void
prepare(struct selector *selector)
{
    struct select_selector *self = (struct select_selector *)selector;
    self->polled_readers = self->readers;
    self->polled_writers = self->writers;
    self->polled_limit = self->out_of_range > 0 ? POLL_OUT_OF_RANGE : self->limit;
}

static int
poll_events(struct selector *selector, int64_t timeout_ns)
{
    struct select_selector *self = (struct select_selector *)selector;
    fd_set readers = self->polled_readers;
    fd_set writers = self->polled_writers;
    int limit = self->polled_limit;
    struct timeval timeout = as_timeval(timeout_ns);

    if (limit == POLL_OUT_OF_RANGE)
        return POLL_OUT_OF_RANGE;
    int count = select(limit, &readers, &writers, NULL, timeout_ns < 0 ? NULL : &timeout);
    if (count < 0)
        return errno;
    for (int fd = 0; count > 0 && fd < limit; fd++) {
        unsigned events = (FD_ISSET(fd, &readers) ? EVENT_READ : 0);
        events |= (FD_ISSET(fd, &writers) ? EVENT_WRITE : 0);
        if (events)
            selector_add_ready(selector, fd, events);
    }
    return 0;
}

const struct selector_ops select_ops = {
    .name = "select",
    .class_name = "SelectSelector",
    .open = open_select,
    .close = close_select,
    .register_fd = register_fd,
    .modify = modify,
    .unregister = unregister,
    .round_timeout = round_timeout,
    .prepare = prepare,
    .poll = poll_events,
};
