/* SPDX-License-Identifier: MIT */
/*
 * Copy standard input to standard output as it comes in, until its end. In Python:
 *
 *     loop.add_reader(0, copy)
 *     loop.run_forever()
 *
 * Try it with a terminal or a pipe; epoll refuses a regular file, and the program says so.
 */
#include <asy/asy.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static asy_error *
copy(void *argument)
{
    asy_loop *loop = argument;
    char bytes[4096];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);

    if (count < 0)
        RAISE_OSERROR(errno);
    fwrite(bytes, 1, (size_t)count, stdout);
    if (count > 0)
        return ASY_OK;
    puts("end of file");
    asy_loop_stop(loop);
    return asy_loop_remove_reader(loop, STDIN_FILENO, NULL);
}

static asy_error *
run(asy_loop *loop)
{
    asy_error *err = asy_loop_add_reader(loop, STDIN_FILENO, asy_borrow(copy, loop));

    if (!err)
        err = asy_loop_run_forever(loop);
    asy_error *close_err = asy_loop_close(loop);
    if (!err)
        return close_err;
    asy_error_unref(close_err);
    return err;
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
