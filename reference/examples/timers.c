/* SPDX-License-Identifier: MIT */
/*
 * Three ticks, 0.1 seconds apart, and then the end. In Python:
 *
 *     loop.call_soon(print, "now")
 *     loop.call_later(0.1, tick)
 *     loop.run_forever()
 */
#include <asy/asy.h>
#include <stdio.h>

static int ticks;

static asy_error *
say_now(void *unused)
{
    (void)unused;
    puts("now");
    return ASY_OK;
}

static asy_error *
tick(void *argument)
{
    asy_loop *loop = argument;

    ticks++;
    printf("tick %d\n", ticks);
    if (ticks < 3)
        return asy_loop_call_later(loop, 0.1, asy_borrow(tick, loop), NULL);
    asy_loop_stop(loop);
    return ASY_OK;
}

static asy_error *
run(asy_loop *loop)
{
    TRY(asy_loop_call_later(loop, 0.1, asy_borrow(tick, loop), NULL));
    TRY(asy_loop_call_soon(loop, asy_borrow(say_now, NULL), NULL));
    TRY(asy_loop_run_forever(loop));
    puts("done");
    return asy_loop_close(loop);
}

int
main(void)
{
    asy_loop *loop;
    asy_error *err = asy_new_event_loop(&loop);

    if (!err) {
        err = run(loop);
        asy_loop_unref(loop);
    }
    if (!err)
        return 0;
    fprintf(stderr, "%s: %s\n", asy_error_kind_name(err->kind), err->message);
    asy_error_unref(err);
    return 1;
}
