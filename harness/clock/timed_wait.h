/* SPDX-License-Identifier: MIT */
/*
 * The one rule by which every interposed wait goes, whatever it waits for.
 *
 * A wait is described by how to make its system call with any time-out; the rule then decides
 * whether time passes or jumps. A caller puts a struct timed_wait first in a struct of its
 * arguments, and fills in attempt.
 */
#ifndef LOOPCHECK_TIMED_WAIT_H
#define LOOPCHECK_TIMED_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#define WAIT_FOREVER INT64_C(-1)

struct timed_wait {
    /* Make the real call with this time-out (ns; 0 = do not wait, WAIT_FOREVER), and store what
     * it returned in result, its error in errno. True when it reported something, an error and
     * EINTR included; false when it timed out. */
    bool (*attempt)(struct timed_wait *self, int64_t timeout);
    int result;
};

/* Wait up to timeout ns, or WAIT_FOREVER. Returns how much of the time-out is left, 0 after a
 * time-out; wait->result and errno are those of the last attempt. Only while the clock is on. */
int64_t timed_wait_run(struct timed_wait *wait, int64_t timeout);

#endif
