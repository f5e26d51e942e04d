/* SPDX-License-Identifier: MIT */
/*
 * Hello World with call_soon(): the documentation's program, line for line as in hello_world.py.
 */
#include "example.h"

/* A callback to print 'Hello World' and stop the event loop */
static asy_error *
hello_world(void *argument)
{
    asy_loop *loop = argument;

    puts("Hello World");
    asy_loop_stop(loop);
    return ASY_OK;
}

static asy_error *
run(asy_loop *loop)
{
    /* Schedule a call to hello_world() */
    TRY(asy_loop_call_soon(loop, asy_borrow(hello_world, loop), NULL));

    /* Blocking call interrupted by asy_loop_stop() */
    return asy_loop_run_forever(loop);
}

int
main(void)
{
    asy_loop *loop;
    asy_error *err = asy_new_event_loop(&loop);

    if (!err)
        err = finally_close(loop, run(loop));
    return exit_status(err);
}
