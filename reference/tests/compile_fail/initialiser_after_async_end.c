/* SPDX-License-Identifier: MIT */
/*
 * After ASYNC_END nothing is run: a declaration that calls something.
 *
 * gcc: expected .*before '=' token
 * clang: expected ';' at end of declaration list
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
#ifdef MISTAKE
    int refs = greet_body(self) != NULL;
#endif
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
