/* SPDX-License-Identifier: MIT */
/* Two tasks, one of which cancels the other: the program of the figure, in C. */
#include <asy/asy.h>
#include <stdio.h>

struct work {
    asy_coro  co;
    asy_loop *loop;
};

ASYNC(work)
{
    asy_error *err;

    ASYNC_BEGIN;

    puts("work begins");
    TRY_AWAIT(err, asy_sleep(self->loop, 3600));
    puts(asy_error_is_a(err, ASY_CancelledError) ? "work: CancelledError" : "work: something else");
    return err;

    ASYNC_END;
}

FINALLY(work)
{
    puts("work: finally");
}

struct parent {
    asy_coro  co;
    asy_loop *loop;
    asy_task *task;
};

ASYNC(parent)
{
    asy_error *err;

    ASYNC_BEGIN;

    TRY(asy_loop_create_task(self->loop, ASYNC_CALL(work, .loop = self->loop), NULL, &self->task));
    puts("parent has made the task");
    AWAIT(asy_sleep(self->loop, 0));
    TRY(asy_task_cancel(self->task, NULL, NULL));
    puts("parent has called cancel()");
    TRY_AWAIT(err, self->task);
    printf("parent: %s\n", asy_error_kind_name(err->kind));
    asy_error_unref(err);

    ASYNC_END;
}

FINALLY(parent)
{
    asy_task_unref(self->task);
}

static asy_coro *
make_parent(asy_loop *loop, void *argument)
{
    (void)argument;
    return ASYNC_CALL(parent, .loop = loop);
}

int
main(void)
{
    asy_error *err = asy_run(make_parent, NULL);

    puts(err ? "failed" : "done");
    asy_error_unref(err);
    return 0;
}
