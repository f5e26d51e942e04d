/* SPDX-License-Identifier: MIT */
/* A task that receives is cancelled after its data has come and before it goes on. */
#define _POSIX_C_SOURCE 200809L

#include <asy/asy.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];

struct receive {
    asy_coro    co;
    asy_loop   *loop;
    const char *name;
    size_t      count;
    char        data[100];
};

ASYNC(receive)
{
    asy_error *err;

    ASYNC_BEGIN;

    printf("%s begins\n", self->name);
    TRY_AWAIT(err, asy_sock_recv(self->loop, ends[0], self->data, sizeof self->data,
                                 &self->count));
    if (err)
        printf("%s: %s\n", self->name, asy_error_kind_name(err->kind));
    else
        printf("%s: %.*s\n", self->name, (int)self->count, self->data);
    return err;

    ASYNC_END;
}

FINALLY(receive)
{
    (void)self;
}

struct program {
    asy_coro  co;
    asy_loop *loop;
    asy_task *task;
};

ASYNC(program)
{
    asy_error *err;

    ASYNC_BEGIN;

    TRY(asy_loop_create_task(self->loop,
                             ASYNC_CALL(receive, .loop = self->loop, .name = "first"), NULL,
                             &self->task));
    AWAIT(asy_sleep(self->loop, 0));
    if (send(ends[1], "data", 4, 0) != 4)
        RAISE_OSERROR(errno);
    AWAIT(asy_sleep(self->loop, 0));
    AWAIT(asy_sleep(self->loop, 0));
    TRY(asy_task_cancel(self->task, NULL, NULL));
    TRY_AWAIT(err, self->task);
    asy_error_unref(err);
    AWAIT(ASYNC_CALL(receive, .loop = self->loop, .name = "second"));

    ASYNC_END;
}

FINALLY(program)
{
    asy_task_unref(self->task);
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
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
        return 1;
    asy_error *err = asy_run(make_program, NULL);
    if (err)
        puts(err->message);
    asy_error_unref(err);
    close(ends[0]);
    close(ends[1]);
    return 0;
}
