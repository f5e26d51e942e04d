/* SPDX-License-Identifier: MIT */
/*
 * Two AWAITs on one line would go on at the same place.
 *
 * gcc: duplicate case value
 * clang: duplicate case value
 */
#include <asy/asy.h>

struct greet {
    asy_coro    co;
    asy_future *future;
};

ASYNC(greet)
{
    ASYNC_BEGIN;

    AWAIT(self->future);
#ifdef MISTAKE
    AWAIT(self->future); AWAIT(self->future);
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
