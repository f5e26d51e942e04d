/* SPDX-License-Identifier: MIT */
/*
 * After ASYNC_END nothing is run: a return.
 *
 * gcc: expected specifier-qualifier-list before 'return'
 * clang: type name requires a specifier or qualifier
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
    return ASY_OK;
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
