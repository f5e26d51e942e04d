/* SPDX-License-Identifier: MIT */
/*
 * selectors.PollSelector.
 *
 * poll() reports in the order of its array, so the array has the order of Python's: that in
 * which the descriptors were registered; modifying one leaves it in its place.
 *
 * The array that the kernel reads is a copy, made when something has changed: while a wait goes
 * on, other threads and signal handlers may register descriptors, and they count from the next
 * one.
 */
#include "core/selector.h"

#include "base/alloc.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <string.h>

struct poll_selector {
    struct selector base;
    struct pollfd  *watched;                /* base.registered of them are in use */
    size_t          capacity;
    struct pollfd  *polled;                 /* the copy */
    size_t          polled_count;
    size_t          polled_capacity;
    bool            changed;
};

static asy_error *
open_poll(struct selector **ret_selector)
{
    struct poll_selector *self = asy_alloc(sizeof *self);
    *ret_selector = &self->base;
    return ASY_OK;
}

static void
close_poll(struct selector *selector)
{
    struct poll_selector *self = (struct poll_selector *)selector;
    asy_free(self->watched);
    asy_free(self->polled);
    asy_free(self);
}

static short
poll_mask(unsigned events)
{
    int mask = (events & EVENT_READ ? POLLIN : 0) | (events & EVENT_WRITE ? POLLOUT : 0);
    return (short)mask;
}

static asy_error *
register_fd(struct selector *selector, int fd, unsigned events)
{
    struct poll_selector *self = (struct poll_selector *)selector;

    if (selector->registered == self->capacity) {
        self->capacity = self->capacity ? self->capacity * 2 : 16;
        self->watched = alloc_resize(self->watched, self->capacity, sizeof self->watched[0]);
    }
    self->watched[selector->registered] = (struct pollfd){
        .fd = fd, .events = poll_mask(events),
    };
    self->changed = true;
    return ASY_OK;
}

static struct pollfd *
find(struct poll_selector *self, int fd)
{
    struct pollfd *watched = self->watched;
    while (watched->fd != fd)
        watched++;
    return watched;
}

static asy_error *
modify(struct selector *selector, int fd, unsigned events)
{
    struct poll_selector *self = (struct poll_selector *)selector;
    find(self, fd)->events = poll_mask(events);
    self->changed = true;
    return ASY_OK;
}

static void
unregister(struct selector *selector, int fd)
{
    struct poll_selector *self = (struct poll_selector *)selector;
    struct pollfd *watched = find(self, fd);
    size_t after = selector->registered - 1 - (size_t)(watched - self->watched);

    memmove(watched, watched + 1, after * sizeof *watched);
    self->changed = true;
}

static int64_t
round_timeout(double timeout)
{
    return (int64_t)ceil(timeout * 1e3) * 1000000;
}

static int
milliseconds(int64_t timeout_ns)
{
    if (timeout_ns < 0)
        return -1;
    int64_t ms = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void
prepare(struct selector *selector)
{
    struct poll_selector *self = (struct poll_selector *)selector;
    size_t count = selector->registered;

    if (!self->changed)
        return;
    if (count > self->polled_capacity) {
        self->polled = alloc_resize(self->polled, self->capacity, sizeof self->polled[0]);
        self->polled_capacity = self->capacity;
    }
    if (count > 0)
        memcpy(self->polled, self->watched, count * sizeof self->polled[0]);
    self->polled_count = count;
    self->changed = false;
}

/* A descriptor that was closed shows POLLNVAL, and that wakes both sides. */
static int
poll_events(struct selector *selector, int64_t timeout_ns)
{
    struct poll_selector *self = (struct poll_selector *)selector;
    int count = poll(self->polled, (nfds_t)self->polled_count, milliseconds(timeout_ns));
    if (count < 0)
        return errno;
    for (size_t i = 0; count > 0 && i < self->polled_count; i++) {
        int raw = self->polled[i].revents;
        if (raw == 0)
            continue;
        unsigned events = (raw & ~POLLIN ? EVENT_WRITE : 0) | (raw & ~POLLOUT ? EVENT_READ : 0);
        selector_add_ready(selector, self->polled[i].fd, events);
        count--;
    }
    return 0;
}

const struct selector_ops poll_ops = {
    .name = "poll",
    .class_name = "PollSelector",
    .open = open_poll,
    .close = close_poll,
    .register_fd = register_fd,
    .modify = modify,
    .unregister = unregister,
    .round_timeout = round_timeout,
    .prepare = prepare,
    .poll = poll_events,
};
