/* SPDX-License-Identifier: MIT */
/*
 * Hello World every two seconds: the documentation's oldest program, line for line as in
 * print_and_repeat.py. It stops after the third time, and sets a loop before it asks for it.
 */
#include "example.h"

static int times;

static asy_error *
print_and_repeat(void *argument)
{
    asy_loop *loop = argument;

    puts("Hello World");
    times++;
    if (times == 3)
        asy_loop_stop(loop);
    return asy_loop_call_later(loop, 2, asy_borrow(print_and_repeat, loop), NULL);
}

static asy_error *
set_new_event_loop(void)
{
    asy_loop *loop;

    TRY(asy_new_event_loop(&loop));
    asy_set_event_loop(loop);
    asy_loop_unref(loop);
    return ASY_OK;
}

static asy_error *
run(void)
{
    asy_loop *loop;

    TRY(set_new_event_loop());
    TRY(asy_get_event_loop(&loop));
    TRY(asy_loop_call_soon(loop, asy_borrow(print_and_repeat, loop), NULL));
    TRY(asy_loop_run_forever(loop));
    return asy_loop_close(loop);
}

int
main(void)
{
    asy_error *err = run();

    asy_set_event_loop(NULL);
    return exit_status(err);
}
