/* SPDX-License-Identifier: MIT */
/* See gated_work.h. */
#include "gated_work.h"

#include "base/alloc.h"

#include <sched.h>

void
work_init(struct work *work, bool gated)
{
    *work = (struct work){ .gated = gated };
    sem_init(&work->begun, 0, 0);
    sem_init(&work->gate, 0, 0);
}

void
work_deinit(struct work *work)
{
    sem_destroy(&work->begun);
    sem_destroy(&work->gate);
}

void
wait_at(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        continue;
}

asy_error *
do_work(void *argument)
{
    struct work *work = argument;

    work->ran_in = pthread_self();
    sem_post(&work->begun);
    if (work->gated)
        wait_at(&work->gate);
    atomic_fetch_add(&work->runs, 1);
    if (work->raises)
        RAISE(LookupError, "on purpose");
    return ASY_OK;
}

void
drop_work(void *argument)
{
    struct work *work = argument;

    work->dropped_in = pthread_self();
    atomic_fetch_add(&work->drops, 1);
}

asy_future *
submit(struct testing *t, asy_executor *executor, struct work *work)
{
    asy_future *future;

    require_ok(asy_run_in_executor(t->loop, executor, asy_own(do_work, work, drop_work), &future));
    return future;
}

asy_error *
open_gate(void *argument)
{
    struct work *work = argument;

    sem_post(&work->gate);
    return ASY_OK;
}

void
settle(long blocks)
{
    for (int patience = 1000000; patience > 0 && alloc_block_count() > blocks; patience--)
        sched_yield();
    assert_int_equal(alloc_block_count(), blocks);
}
