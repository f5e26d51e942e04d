/* SPDX-License-Identifier: MIT */
/*
 * After ASYNC_END nothing is run: an assignment.
 *
 * gcc: expected specifier-qualifier-list before 'self'
 * clang: unknown type name 'self'
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
    self->future = NULL;
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
