/* SPDX-License-Identifier: MIT */
/*
 * The interposed waits for a semaphore, a mutex or a condition variable, up to a deadline.
 *
 * The caller computed the deadline by a virtual clock, and the real functions compare it with a
 * real one. So what is missing to it on the virtual clock is added to the real clock. The alone
 * owner jumps: nobody else can post, unlock or signal.
 *
 * Interpreters take their global lock this way from every thread, so a thread that is not the
 * owner pays only for two looks at the clock.
 */
#include "clock_state.h"
#include "real_functions.h"
#include "timed_wait.h"

#include <errno.h>
#include <stddef.h>

/* The point on the real clock that lies this far ahead; a point long past when that is not
 * ahead at all. */
static struct timespec
real_deadline(clockid_t clock, int64_t ahead)
{
    struct timespec now;

    if (ahead <= 0 || real_clock_gettime(clock, &now) != 0)
        return (struct timespec){ 0 };
    return timespec_from_ns(timespec_to_ns(&now) + ahead);
}

static bool
passes_through(clockid_t clock, const struct timespec *deadline)
{
    return !clock_is_on() || !clock_is_virtual(clock) || !timespec_is_valid(deadline);
}

/* ---- semaphores and mutexes ------------------------------------------------ */

/* Exactly one of sem and mutex is set. */
struct lock_wait {
    struct timed_wait base;
    sem_t *sem;
    pthread_mutex_t *mutex;
    clockid_t clock;
    bool names_clock;       /* the caller used the function that takes a clock */
};

static bool
attempt_sem(struct timed_wait *base, int64_t timeout)
{
    struct lock_wait *self = (struct lock_wait *)base;
    struct timespec deadline = real_deadline(self->clock, timeout);
    base->result = self->names_clock
        ? real()->sem_clockwait(self->sem, self->clock, &deadline)
        : real()->sem_timedwait(self->sem, &deadline);
    return base->result == 0 || errno != ETIMEDOUT;
}

static bool
attempt_mutex(struct timed_wait *base, int64_t timeout)
{
    struct lock_wait *self = (struct lock_wait *)base;
    struct timespec deadline = real_deadline(self->clock, timeout);
    base->result = self->names_clock
        ? real()->pthread_mutex_clocklock(self->mutex, self->clock, &deadline)
        : real()->pthread_mutex_timedlock(self->mutex, &deadline);
    return base->result != ETIMEDOUT;
}

static int
wait_until(struct lock_wait *wait, const struct timespec *deadline)
{
    timed_wait_run(&wait->base, timespec_to_ns(deadline) - clock_look(wait->clock));
    return wait->base.result;
}

EXPORT int
sem_timedwait(sem_t *restrict sem, const struct timespec *restrict deadline)
{
    if (passes_through(CLOCK_REALTIME, deadline))
        return real()->sem_timedwait(sem, deadline);
    struct lock_wait wait = { .base.attempt = attempt_sem, .sem = sem, .clock = CLOCK_REALTIME };
    return wait_until(&wait, deadline);
}

EXPORT int
sem_clockwait(sem_t *restrict sem, clockid_t clock, const struct timespec *restrict deadline)
{
    if (real()->sem_clockwait == NULL) {
        errno = ENOSYS;
        return -1;
    }
    if (passes_through(clock, deadline))
        return real()->sem_clockwait(sem, clock, deadline);
    struct lock_wait wait = {
        .base.attempt = attempt_sem, .sem = sem, .clock = clock, .names_clock = true,
    };
    return wait_until(&wait, deadline);
}

EXPORT int
pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict deadline)
{
    if (passes_through(CLOCK_REALTIME, deadline))
        return real()->pthread_mutex_timedlock(mutex, deadline);
    struct lock_wait wait = {
        .base.attempt = attempt_mutex, .mutex = mutex, .clock = CLOCK_REALTIME,
    };
    return wait_until(&wait, deadline);
}

EXPORT int
pthread_mutex_clocklock(pthread_mutex_t *restrict mutex, clockid_t clock,
                        const struct timespec *restrict deadline)
{
    if (real()->pthread_mutex_clocklock == NULL)
        return ENOSYS;
    if (passes_through(clock, deadline))
        return real()->pthread_mutex_clocklock(mutex, clock, deadline);
    struct lock_wait wait = {
        .base.attempt = attempt_mutex, .mutex = mutex, .clock = clock, .names_clock = true,
    };
    return wait_until(&wait, deadline);
}

/* ---- condition variables --------------------------------------------------- */

/* A condition variable's clock is its private attribute. The wall clock and the clock since
 * boot are decades apart, so the deadline tells: it belongs to the clock that it is nearer to. */
static clockid_t
clock_of_deadline(int64_t deadline)
{
    int64_t monotonic = clock_look(CLOCK_MONOTONIC);
    int64_t realtime = clock_look(CLOCK_REALTIME);
    int64_t to_monotonic = deadline > monotonic ? deadline - monotonic : monotonic - deadline;
    int64_t to_realtime = deadline > realtime ? deadline - realtime : realtime - deadline;
    return to_monotonic < to_realtime ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

/* Wait once, with the deadline moved to the real clock. named_clock is NULL for the function
 * that takes none.
 *
 * Never in slices: between two slices the mutex is free but nobody waits, so a signal sent then
 * would be lost. */
static int
wait_for_signal(pthread_cond_t *cond, pthread_mutex_t *mutex, const clockid_t *named_clock,
                const struct timespec *deadline)
{
    int64_t until = timespec_to_ns(deadline);
    clockid_t clock = named_clock != NULL ? *named_clock : clock_of_deadline(until);
    int64_t ahead = until - clock_look(clock);
    bool jumps = ahead > 0 && clock_can_jump(ahead);
    struct timespec moved = real_deadline(clock, jumps ? 0 : ahead);

    int error = named_clock != NULL
        ? real()->pthread_cond_clockwait(cond, mutex, clock, &moved)
        : real()->pthread_cond_timedwait(cond, mutex, &moved);
    if (jumps && error == ETIMEDOUT)
        clock_jump(ahead);
    else if (!jumps)
        clock_pass();
    return error;
}

EXPORT int
pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                       const struct timespec *restrict deadline)
{
    if (passes_through(CLOCK_REALTIME, deadline))
        return real()->pthread_cond_timedwait(cond, mutex, deadline);
    return wait_for_signal(cond, mutex, NULL, deadline);
}

EXPORT int
pthread_cond_clockwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                       clockid_t clock, const struct timespec *restrict deadline)
{
    if (real()->pthread_cond_clockwait == NULL)
        return ENOSYS;
    if (passes_through(clock, deadline))
        return real()->pthread_cond_clockwait(cond, mutex, clock, deadline);
    return wait_for_signal(cond, mutex, &clock, deadline);
}
