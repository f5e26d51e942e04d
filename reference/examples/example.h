/* SPDX-License-Identifier: MIT */
/*
 * What the programs with a twin in Python have in common: how they end. An error that nobody has
 * handled ends a Python program with its name on stderr and the exit status 1; these, too.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <asy/asy.h>
#include <stdio.h>

/* The exit status of main(). Steals err. */
static inline int
exit_status(asy_error *err)
{
    if (!err)
        return 0;
    fprintf(stderr, "%s: %s\n", asy_error_kind_name(err->kind), err->message);
    asy_error_unref(err);
    return 1;
}

/* The end of `try: ... finally: loop.close()`: of two errors the later one is raised. Steals err
 * and the reference to the loop. */
static inline asy_error *
finally_close(asy_loop *loop, asy_error *err)
{
    asy_error *close_err = asy_loop_close(loop);

    asy_loop_unref(loop);
    if (!close_err)
        return err;
    asy_error_unref(err);
    return close_err;
}

#endif
