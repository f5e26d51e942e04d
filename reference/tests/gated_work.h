/* SPDX-License-Identifier: MIT */
/*
 * What the tests of executors share: a job that waits at a gate until the test opens it, so that
 * nothing has to sleep.
 */
#ifndef TESTS_GATED_WORK_H
#define TESTS_GATED_WORK_H

#include "testing.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

struct work {
    sem_t      begun;
    sem_t      gate;
    bool       gated;
    bool       raises;          /* LookupError("on purpose") */
    pthread_t  ran_in;
    pthread_t  dropped_in;
    atomic_int runs;
    atomic_int drops;
};

void work_init(struct work *work, bool gated);
void work_deinit(struct work *work);

/* The job, which is given a struct work; and what gives that back. */
asy_error *do_work(void *work);
void drop_work(void *work);

/* Submit it to an executor; NULL is the default one. */
asy_future *submit(struct testing *t, asy_executor *executor, struct work *work);

/* Wait until the semaphore is posted; a callback that lets the job through. */
void wait_at(sem_t *semaphore);
asy_error *open_gate(void *work);

/* Wait until so many blocks are left: a thread that nobody joins may still hold some. */
void settle(long blocks);

#endif
