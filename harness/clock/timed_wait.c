/* SPDX-License-Identifier: MIT */
/* See timed_wait.h. */
#include "timed_wait.h"

#include "clock_state.h"

/* How long the owner waits for real before it asks again whether it is alone now. */
#define SLICE_NS (5 * NS_PER_MS)

/* Wait for real for at most slice ns, and take the time that passed from *left. */
static bool
pass_slice(struct timed_wait *wait, int64_t slice, int64_t *left)
{
    int64_t before = clock_pass();
    bool reported = wait->attempt(wait, slice);
    int64_t passed = clock_pass() - before;
    *left = *left > passed ? *left - passed : 0;
    return reported;
}

/* An infinite wait is always real. Its time counts when it began in company: whoever ended it
 * may be gone by now. */
static void
wait_forever(struct timed_wait *wait)
{
    bool counts = !clock_is_owner() || !clock_is_alone();
    wait->attempt(wait, WAIT_FOREVER);
    if (counts)
        clock_pass();
}

/* The owner's wait: in slices while somebody else is there; once alone, the rest is jumped
 * over. */
static int64_t
wait_as_owner(struct timed_wait *wait, int64_t left)
{
    while (!clock_can_jump(left)) {
        if (pass_slice(wait, left < SLICE_NS ? left : SLICE_NS, &left) || left == 0)
            return left;
    }
    if (wait->attempt(wait, 0))
        return left;
    clock_jump(left);
    wait->attempt(wait, 0);
    return 0;
}

int64_t
timed_wait_run(struct timed_wait *wait, int64_t timeout)
{
    int64_t left = timeout;

    if (timeout == WAIT_FOREVER)
        wait_forever(wait);
    else if (timeout <= 0)
        wait->attempt(wait, 0);
    else if (clock_is_owner())
        left = wait_as_owner(wait, timeout);
    else
        pass_slice(wait, timeout, &left);
    return left > 0 ? left : 0;
}
