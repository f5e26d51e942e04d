/* SPDX-License-Identifier: MIT */
/*
 * A thread computes while the loop waits, and hands its result over. In Python:
 *
 *     threading.Thread(target=compute).start()      # ends with loop.call_soon_threadsafe(show)
 *     loop.run_forever()
 */
#include <asy/asy.h>
#include <pthread.h>
#include <stdio.h>

struct job {
    asy_loop *loop;
    int       answer;
};

static asy_error *
show(void *argument)
{
    struct job *job = argument;
    printf("the answer is %d\n", job->answer);
    asy_loop_stop(job->loop);
    return ASY_OK;
}

static void *
compute(void *argument)
{
    struct job *job = argument;

    for (int i = 1; i <= 6; i++)
        job->answer += 7;
    /* The loop is open while it runs, so this cannot raise. */
    asy_error_unref(asy_loop_call_soon_threadsafe(job->loop, asy_borrow(show, job), NULL));
    return NULL;
}

static asy_error *
run(asy_loop *loop)
{
    struct job job = { loop, 0 };
    pthread_t thread;

    puts("working");
    if (pthread_create(&thread, NULL, compute, &job) != 0)
        RAISE(RuntimeError, "can't start new thread");
    asy_error *err = asy_loop_run_forever(loop);
    pthread_join(thread, NULL);
    if (err)
        return err;
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
