/* SPDX-License-Identifier: MIT */
/*
 * Display the current date with call_later(): the documentation's program, line for line as in
 * display_date.py. Instead of the date, it prints the whole seconds since its beginning.
 *
 * A callback has one argument. Where Python has several, it is a struct.
 */
#include "example.h"

struct arguments {
    double    end_time;
    asy_loop *loop;
};

static asy_error *
display_date(void *argument)
{
    struct arguments *self = argument;

    printf("%d\n", (int)(asy_loop_time(self->loop) - (self->end_time - 5.0)));
    if (asy_loop_time(self->loop) + 1.0 < self->end_time)
        return asy_loop_call_later(self->loop, 1, asy_borrow(display_date, self), NULL);
    asy_loop_stop(self->loop);
    return ASY_OK;
}

static asy_error *
run(asy_loop *loop)
{
    /* Schedule the first call to display_date() */
    struct arguments arguments = { asy_loop_time(loop) + 5.0, loop };
    TRY(asy_loop_call_soon(loop, asy_borrow(display_date, &arguments), NULL));

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
