/* SPDX-License-Identifier: MIT */
/* A thread waits for a pipe, the loop does not: the program of 09_blocking.py, in C. */
#define _POSIX_C_SOURCE 200809L

#include <asy/asy.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static int pipe_ends[2];

struct question {
    ssize_t count;
    char    data[100];
};

/* In a thread of the pool. */
static asy_error *
read_pipe(void *argument)
{
    struct question *question = argument;

    question->count = read(pipe_ends[0], question->data, sizeof question->data);
    if (question->count < 0)
        RAISE_OSERROR(errno);
    return ASY_OK;
}

struct program {
    asy_coro    co;
    asy_loop   *loop;
    asy_future *future;
};

ASYNC(program)
{
    struct question *question;
    void *result;

    ASYNC_BEGIN;

    question = asy_alloc(sizeof *question);
    TRY(asy_run_in_executor(self->loop, NULL, asy_own(read_pipe, question, asy_free),
                            &self->future));
    puts("a thread waits in read()");
    AWAIT(asy_sleep(self->loop, 0.01));
    printf("the loop went on; done: %d\n", asy_future_done(self->future));
    if (write(pipe_ends[1], "data", 4) != 4)
        RAISE_OSERROR(errno);
    AWAIT(self->future);
    TRY(asy_future_result(self->future, &result));
    question = result;
    printf("from the thread: %.*s\n", (int)question->count, question->data);
    AWAIT(asy_shutdown_default_executor(self->loop, -1));
    puts("its threads have ended");

    ASYNC_END;
}

FINALLY(program)
{
    asy_future_unref(self->future);
}

static asy_coro *
make_program(asy_loop *loop, void *argument)
{
    (void)argument;
    return ASYNC_CALL(program, .loop = loop);
}

int
main(void)
{
    if (pipe(pipe_ends) != 0)
        return 1;
    asy_error *err = asy_run(make_program, NULL);
    if (err)
        puts(err->message);
    asy_error_unref(err);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return 0;
}
