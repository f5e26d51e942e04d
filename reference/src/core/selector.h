/* SPDX-License-Identifier: MIT */
/*
 * selectors.BaseSelector: which of these descriptors can be read or written?
 *
 * Three back ends behind one table: epoll, poll, select, each the same functions in the same
 * order. What they share is in selector.c: the retry after a signal, and the count. Level-
 * triggered; a change takes effect in the kernel at once, because the order in which epoll
 * reports descriptors depends on the order in which they were given to it.
 *
 * What callers keep to: a descriptor is registered once, modified and unregistered only while it
 * is registered, and never negative.
 */
#ifndef CORE_SELECTOR_H
#define CORE_SELECTOR_H

#include <asy/error.h>
#include <asy/loop.h>

#define EVENT_READ 1U
#define EVENT_WRITE 2U

struct selector_event {
    int      fd;
    unsigned events;            /* more than was asked for: the caller masks it */
};

struct selector {
    const struct selector_ops *ops;
    size_t                     registered;      /* how many descriptors */
    struct selector_event     *ready;           /* result of the last select() */
    size_t                     ready_count;
    size_t                     ready_capacity;
};

struct selector_ops {
    const char *name;                           /* "epoll" */
    const char *class_name;                     /* "EpollSelector" */
    asy_error *(*open)(struct selector **ret_selector);
    void       (*close)(struct selector *selector);
    asy_error *(*register_fd)(struct selector *selector, int fd, unsigned events);
    asy_error *(*modify)(struct selector *selector, int fd, unsigned events);
    void       (*unregister)(struct selector *selector, int fd);

    /* A time-out in (0, 86400] seconds, rounded as this back end rounds it, in nanoseconds. */
    int64_t    (*round_timeout)(double timeout);

    /* What a poll needs of what is registered, copied: it must not look at anything that another
     * thread of the host may change by registering a descriptor meanwhile. */
    void       (*prepare)(struct selector *selector);

    /* Wait once, for at most timeout_ns (below 0: for ever), and add what is ready. Returns 0, an
     * errno, or POLL_OUT_OF_RANGE. No host lock is held. May be called again after a signal. */
    int        (*poll)(struct selector *selector, int64_t timeout_ns);
};

#define POLL_OUT_OF_RANGE (-1)

extern const struct selector_ops epoll_ops;
extern const struct selector_ops poll_ops;
extern const struct selector_ops select_ops;

/* What to do around each wait, and after one that a signal interrupted. */
struct selector_waiter {
    void      *data;
    void     *(*enter)(void *data);
    void      (*leave)(void *data, void *entered);
    asy_error *(*interrupted)(void *data);
};

/* ---- selector.c --------------------------------------------------------------- */

/* A selector of the kind.
 *
 * Raises   ValueError: the platform does not have it. OSError.
 */
asy_error *selector_new(asy_selector_kind kind, struct selector **ret_selector) ASY_MUST_CHECK;

void selector_free(struct selector *selector);

/* Raises   OSError: the descriptor cannot be watched; it is not registered then. */
asy_error *selector_register(struct selector *selector, int fd, unsigned events) ASY_MUST_CHECK;

/* Raises   OSError: it cannot be watched any more; it is not registered then. */
asy_error *selector_modify(struct selector *selector, int fd, unsigned events) ASY_MUST_CHECK;

void selector_unregister(struct selector *selector, int fd);

/* select(timeout): wait until a descriptor is ready, but no longer than timeout seconds. 0 does
 * not wait, INFINITY waits for ever. The result is in selector->ready.
 *
 * Raises   ValueError: the timeout is not a number, or select() cannot watch a descriptor so
 *          high. OSError. What waiter->interrupted() raises.
 */
asy_error *selector_select(struct selector *selector, double timeout,
                           const struct selector_waiter *waiter) ASY_MUST_CHECK;

/* For the back ends: one more ready descriptor. */
void selector_add_ready(struct selector *selector, int fd, unsigned events);

#endif
