/* SPDX-License-Identifier: MIT */
/*
 * Without FINALLY nobody would have said what the coroutine gives back.
 *
 * gcc: 'greet_finally' used but never defined
 * clang: expected ';' after struct
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

    ASYNC_END;
}

#ifndef MISTAKE
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
