/* SPDX-License-Identifier: MIT */
/*
 * What the back ends of selector.h share.
 *
 * A signal that interrupts a wait does not end it (PEP 475): its handlers run, and if they raise
 * nothing, the wait goes on for the rest of the time.
 */
#include "core/selector.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <math.h>

#define WAIT_FOR_EVER INT64_C(-1)

static const struct selector_ops *
find_ops(asy_selector_kind kind)
{
    switch (kind) {
    case ASY_SELECTOR_DEFAULT:
    case ASY_SELECTOR_EPOLL:
#if defined(__linux__)
        return &epoll_ops;
#else
        return kind == ASY_SELECTOR_DEFAULT ? &poll_ops : NULL;
#endif
    case ASY_SELECTOR_POLL:
        return &poll_ops;
    case ASY_SELECTOR_SELECT:
        return &select_ops;
    }
    return NULL;
}

asy_error *
selector_new(asy_selector_kind kind, struct selector **ret_selector)
{
    const struct selector_ops *ops = find_ops(kind);
    struct selector *selector;

    if (!ops)
        RAISE(ValueError, "no selector %d on this platform: use ASY_SELECTOR_DEFAULT", (int)kind);
    TRY(ops->open(&selector));
    selector->ops = ops;
    *ret_selector = selector;
    return ASY_OK;
}

void
selector_free(struct selector *selector)
{
    asy_free(selector->ready);
    selector->ops->close(selector);
}

asy_error *
selector_register(struct selector *selector, int fd, unsigned events)
{
    TRY(selector->ops->register_fd(selector, fd, events));
    selector->registered++;
    return ASY_OK;
}

asy_error *
selector_modify(struct selector *selector, int fd, unsigned events)
{
    asy_error *err = selector->ops->modify(selector, fd, events);
    if (err)
        selector->registered--;
    return err;
}

void
selector_unregister(struct selector *selector, int fd)
{
    selector->ops->unregister(selector, fd);
    selector->registered--;
}

void
selector_add_ready(struct selector *selector, int fd, unsigned events)
{
    if (selector->ready_count == selector->ready_capacity) {
        selector->ready_capacity = selector->ready_capacity ? selector->ready_capacity * 2 : 16;
        selector->ready = alloc_resize(selector->ready, selector->ready_capacity,
                                       sizeof selector->ready[0]);
    }
    selector->ready[selector->ready_count] = (struct selector_event){ fd, events };
    selector->ready_count++;
}

static asy_error *
timeout_ns(const struct selector *selector, double timeout, int64_t *ret_ns)
{
    if (isnan(timeout))
        RAISE(ValueError, "cannot convert float NaN to integer");
    if (isinf(timeout))
        *ret_ns = WAIT_FOR_EVER;
    else if (timeout <= 0)
        *ret_ns = 0;
    else
        *ret_ns = selector->ops->round_timeout(timeout);
    return ASY_OK;
}

static int
poll_once(struct selector *selector, int64_t ns, const struct selector_waiter *waiter)
{
    if (!waiter->enter)
        return selector->ops->poll(selector, ns);
    void *entered = waiter->enter(waiter->data);
    int status = selector->ops->poll(selector, ns);
    waiter->leave(waiter->data, entered);
    return status;
}

static asy_error *
poll_error(int status)
{
    if (status == 0)
        return ASY_OK;
    if (status == POLL_OUT_OF_RANGE)
        RAISE(ValueError, "filedescriptor out of range in select()");
    RAISE_OSERROR(status);
}

asy_error *
selector_select(struct selector *selector, double timeout, const struct selector_waiter *waiter)
{
    int64_t ns = 0;

    selector->ready_count = 0;
    TRY(timeout_ns(selector, timeout, &ns));
    selector->ops->prepare(selector);
    int64_t deadline = ns > 0 ? clock_monotonic_ns() + ns : 0;
    for (;;) {
        int status = poll_once(selector, ns, waiter);
        if (status != EINTR)
            return poll_error(status);
        TRY(waiter->interrupted(waiter->data));
        if (ns == WAIT_FOR_EVER)
            continue;
        ns = deadline - clock_monotonic_ns();
        if (ns < 0)
            return ASY_OK;
    }
}
