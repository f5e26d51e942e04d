/* SPDX-License-Identifier: MIT */
/*
 * What gather() and shield() share: a future, the outer one, that ends as others do, the inner
 * ones.
 *
 * Each inner future has a callback, which holds the outer one: its exception must have somewhere to
 * go to, even if nobody waits any more. The outer one holds the inner ones, whose results it shows.
 * This circle opens by itself when the inner futures are done. For those that never will be, the
 * loop knows its outer futures: when it is closed, so that no callback can run any more, each lets
 * go of the inner ones that are pending.
 */
#ifndef AWAIT_OUTER_FUTURE_H
#define AWAIT_OUTER_FUTURE_H

#include <asy/future.h>

struct outer_future {
    asy_future           future;        /* first; its loop is an owned reference */
    int                  refs;
    void               (*release)(struct outer_future *self, bool only_pending);
    bool                 listed;
    struct outer_future *next;          /* in the loop's list; borrowed: it leaves when it goes */
    struct outer_future *previous;
};

/* Make it a pending future with one reference, in memory from asy_alloc() of which it is the first
 * field. `release` calls outer_release() for each inner future: for those that are pending, when
 * the loop is closed, and for all in the end. */
void outer_init(struct outer_future *self, const asy_future_ops *ops, asy_loop *loop,
                void (*release)(struct outer_future *self, bool only_pending));

/* Give back the inner future that is owned here, if there is one; *inner is NULL afterwards. */
void outer_release(asy_future **inner, bool only_pending);

/* All callbacks are added, or one was refused: from here on the loop's end ends the circle. */
void outer_begin(struct outer_future *self);

/* For the ops. */
void outer_ref(asy_future *future);
void outer_unref(asy_future *future);

#endif
