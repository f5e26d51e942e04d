/* SPDX-License-Identifier: MIT */
/*
 * Only coroutines, futures and tasks can be awaited.
 *
 * gcc: '_Generic' selector of type 'double' is not compatible with any association
 * clang: controlling expression type 'double' not compatible with any generic association type
 */
#include <asy/asy.h>

struct greet {
    asy_coro    co;
    asy_future *future;
    double      delay;
};

ASYNC(greet)
{
    ASYNC_BEGIN;

    AWAIT(self->future);
#ifdef MISTAKE
    AWAIT(self->delay);
#endif

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
