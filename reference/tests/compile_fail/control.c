/* SPDX-License-Identifier: MIT */
/*
 * Must compile as it stands: everything that the other samples do, without a mistake.
 */
#include <asy/asy.h>

struct greet {
    asy_coro    co;
    asy_future *future;
    asy_task   *task;
};

ASYNC(greet)
{
    asy_error *err;

    ASYNC_BEGIN;

    AWAIT(self->future);
    TRY_AWAIT(err, self->task);
    TRY(err);
    AWAIT(asy_sleep(NULL, 1.0));

    ASYNC_END;
}

FINALLY(greet)
{
}

asy_coro *greet(asy_future *future);

asy_coro *
greet(asy_future *future)
{
    return ASYNC_CALL(greet, .future = future);
}
