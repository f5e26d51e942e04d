/* SPDX-License-Identifier: MIT */
/*
 * A frame is its coroutine at the same address.
 *
 * gcc: co is the first field of a frame
 * clang: co is the first field of a frame
 */
#include <asy/asy.h>

struct greet {
#ifdef MISTAKE
    asy_future *before;
#endif
    asy_coro    co;
    asy_future *future;
};

ASYNC(greet)
{
    ASYNC_BEGIN;

    AWAIT(self->future);

    ASYNC_END;
}

FINALLY(greet)
{
}

asy_coro *greet(void);

asy_coro *
greet(void)
{
    return ASYNC_CALL(greet);
}
