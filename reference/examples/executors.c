/* SPDX-License-Identifier: MIT */
/*
 * Run blocking code in a thread pool: the documentation's program, but for its other kinds of
 * pools; executors.py is the same in Python.
 *
 * A job has one argument, a struct. What a Python function returns, it leaves there: when the job
 * is done, the struct is the result of the future, and goes with it.
 */
#include "example.h"

#include <errno.h>

struct bytes {
    size_t        count;
    unsigned char data[100];
};

/* File operations (such as logging) can block the event loop: run them in a thread pool. */
static asy_error *
blocking_io(void *argument)
{
    struct bytes *self = argument;
    FILE *file = fopen("/dev/urandom", "rb");

    if (!file)
        RAISE_OSERROR(errno);
    self->count = fread(self->data, 1, sizeof self->data, file);
    fclose(file);
    return ASY_OK;
}

static asy_error *
run_blocking_io(asy_loop *loop, asy_executor *executor, asy_future **ret_future)
{
    struct bytes *bytes = asy_alloc(sizeof *bytes);
    return asy_run_in_executor(loop, executor, asy_own(blocking_io, bytes, asy_free), ret_future);
}

static asy_error *
show(const char *pool, asy_future *future)
{
    void *result;

    TRY(asy_future_result(future, &result));
    const struct bytes *bytes = result;
    printf("%s %zu bytes\n", pool, bytes->count);
    return ASY_OK;
}

struct program {
    asy_coro      co;
    asy_loop     *loop;
    asy_executor *pool;
    asy_future   *in_default;
    asy_future   *in_custom;
};

ASYNC(program)
{
    ASYNC_BEGIN;

    /* 1. Run in the default loop's executor: */
    TRY(run_blocking_io(self->loop, NULL, &self->in_default));
    AWAIT(self->in_default);
    TRY(show("default thread pool", self->in_default));

    /* 2. Run in a custom thread pool: */
    self->pool = asy_executor_new(0);
    TRY(run_blocking_io(self->loop, self->pool, &self->in_custom));
    AWAIT(self->in_custom);
    TRY(show("custom thread pool", self->in_custom));

    ASYNC_END;
}

/* `with ... as pool`: the pool is shut down, and waited for, however the program ends. */
FINALLY(program)
{
    asy_future_unref(self->in_default);
    asy_future_unref(self->in_custom);
    if (self->pool)
        asy_executor_shutdown(self->pool, true);
    asy_executor_unref(self->pool);
}

ASYNCIO_RUN(ASYNC_CALL(program, .loop = loop))
