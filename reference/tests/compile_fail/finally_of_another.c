/* SPDX-License-Identifier: MIT */
/*
 * FINALLY of another function does not do.
 *
 * gcc: 'greet_finally' used but never defined
 * clang: function 'greet_finally' has internal linkage but is not defined
 */
#include <asy/asy.h>

struct greet {
    asy_coro    co;
    asy_future *future;
};

struct part;

ASYNC(greet)
{
    ASYNC_BEGIN;

    AWAIT(self->future);

    ASYNC_END;
}

#ifdef MISTAKE
FINALLY(part)
{
}
#else
FINALLY(greet)
{
}
#endif

asy_coro *greet(void);

asy_coro *
greet(void)
{
    return ASYNC_CALL(greet);
}
