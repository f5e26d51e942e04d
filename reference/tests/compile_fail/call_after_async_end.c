/* SPDX-License-Identifier: MIT */
/*
 * After ASYNC_END nothing is run: a call.
 *
 * gcc: expected specifier-qualifier-list before 'asy_future_unref'
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
    asy_future_unref(self->future);
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
