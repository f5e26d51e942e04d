/* SPDX-License-Identifier: MIT */
/*
 * What the programs with a twin in Python have in common: how they begin and end. An error that
 * nobody has handled ends a Python program with its name on stderr and the exit status 1; these,
 * too. A program that makes its own loop ends with finally_close(); one that is a coroutine is
 * begun and ended by ASYNCIO_RUN().
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

/* asyncio.create_task(coroutine). Steals the coroutine; a new reference in *ret_task. */
static inline asy_error *
create_task(asy_loop *loop, asy_coro *coroutine, asy_task **ret_task)
{
    return asy_loop_create_task(loop, coroutine, NULL, ret_task);
}

/* `asyncio.run(program())`, as the last line of a program: its main().
 *
 *     ASYNCIO_RUN(ASYNC_CALL(program, .loop = loop))
 *
 * What stands in the parentheses is the coroutine to run, and `loop` in it is the new loop, which
 * exists only within asy_run(): that is why it is asked for by a function. */
#define ASYNCIO_RUN(coroutine)                                                             \
    static asy_coro *                                                                      \
    make_program(asy_loop *loop, void *unused)                                             \
    {                                                                                      \
        (void)unused;                                                                      \
        return coroutine;                                                                  \
    }                                                                                      \
                                                                                           \
    int                                                                                    \
    main(void)                                                                             \
    {                                                                                      \
        return exit_status(asy_run(make_program, NULL));                                   \
    }

#endif
