/* SPDX-License-Identifier: MIT */
/*
 * An AWAIT outside of an async body has nowhere to go on.
 *
 * gcc: case label not within a switch statement
 * clang: 'case' statement not in switch statement
 */
#include <asy/asy.h>

struct greet {
    asy_coro    co;
    asy_future *future;
};

#ifdef MISTAKE
static asy_error *
help(struct greet *self)
{
    AWAIT(self->future);
    return ASY_OK;
}
#endif

ASYNC(greet)
{
    ASYNC_BEGIN;

#ifdef MISTAKE
    TRY(help(self));
#else
    AWAIT(self->future);
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
