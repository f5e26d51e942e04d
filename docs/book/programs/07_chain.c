/* SPDX-License-Identifier: MIT */
/* Coroutines that no loop runs: they are driven by hand. */
#include <asy/asy.h>
#include <stdio.h>

struct inner { asy_coro co; };

ASYNC(inner)
{
    ASYNC_BEGIN;

    AWAIT((asy_future *)NULL);
    AWAIT((asy_future *)NULL);

    ASYNC_END;
}

FINALLY(inner)
{
    puts("inner: finally");
}

struct outer { asy_coro co; };

ASYNC(outer)
{
    asy_error *err;

    ASYNC_BEGIN;

    TRY_AWAIT(err, ASYNC_CALL(inner));
    if (!asy_error_is_a(err, ASY_ValueError))
        return err;
    printf("caught %s\n", err->message);
    asy_error_unref(err);

    ASYNC_END;
}

FINALLY(outer)
{
    puts("outer: finally");
}

static const char *
text(asy_error *outcome)
{
    return outcome == ASY_SUSPENDED ? "suspended" : outcome ? "raised" : "returned";
}

int
main(void)
{
    asy_coro *coro = ASYNC_CALL(outer);

    puts("called; nothing has run");
    printf("send: %s\n", text(asy_coro_send(coro, ASY_OK)));
    printf("send: %s\n", text(asy_coro_send(coro, ASY_OK)));
    printf("throw: %s\n", text(asy_coro_send(coro, asy_error_new(ASY_ValueError, "thrown"))));
    asy_coro_unref(coro);
    return 0;
}
