/* SPDX-License-Identifier: MIT */
/*
 * What awaiting costs in C: in time, as the rows of bench_await.py, which has the same programs in
 * Python and compares the two; and in memory, per task that waits.
 *
 *     await empty N           await a coroutine that returns at once, N times, in one task
 *     await sleep_zero N      await asy_sleep(0) N times, in one task: N switches
 *     await executor N        await a job of the default executor that does nothing, N times
 *     await tasks N           N tasks that wait in asy_sleep(), all at the same time
 *
 * The first three print nanoseconds of CPU time per operation, by the clock of the process, which
 * counts all threads. The last one prints bytes per task: how much more the allocator has given out
 * than without the tasks, and how much more memory the process has.
 *
 * A program that has not done what it should have done is an error, not a number.
 */
#include <asy/asy.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST 100000000UL
#define LONG_ENOUGH 3600.0              /* seconds: no sleep of the last program ends */

static size_t done;                     /* operations that came to their end */

static double
cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* ---- time ------------------------------------------------------------------- */

struct empty {
    asy_coro  co;
    asy_loop *loop;
};

ASYNC(empty)
{
    ASYNC_BEGIN;
    done++;
    ASYNC_END;
}

FINALLY(empty)
{
}

struct await_empty {
    asy_coro  co;
    asy_loop *loop;
    size_t    count;
    size_t    left;
};

ASYNC(await_empty)
{
    ASYNC_BEGIN;
    for (self->left = self->count; self->left > 0; self->left--)
        AWAIT(ASYNC_CALL(empty, .loop = self->loop));
    ASYNC_END;
}

FINALLY(await_empty)
{
}

struct await_sleep_zero {
    asy_coro  co;
    asy_loop *loop;
    size_t    count;
    size_t    left;
};

ASYNC(await_sleep_zero)
{
    ASYNC_BEGIN;
    for (self->left = self->count; self->left > 0; self->left--) {
        AWAIT(asy_sleep(self->loop, 0));
        done++;
    }
    ASYNC_END;
}

FINALLY(await_sleep_zero)
{
}

struct await_executor {
    asy_coro    co;
    asy_loop   *loop;
    size_t      count;
    size_t      left;
    asy_future *job;
};

static asy_error *
do_nothing(void *argument)
{
    (void)argument;
    return ASY_OK;
}

ASYNC(await_executor)
{
    ASYNC_BEGIN;
    for (self->left = self->count; self->left > 0; self->left--) {
        TRY(asy_run_in_executor(self->loop, NULL, asy_borrow(do_nothing, NULL), &self->job));
        AWAIT(self->job);
        self->job = asy_future_unref(self->job);
        done++;
    }
    ASYNC_END;
}

FINALLY(await_executor)
{
    asy_future_unref(self->job);
}

/* The program of a row, timed from its first step to its last. */
struct timed {
    asy_coro  co;
    asy_loop *loop;
    asy_coro *program;                  /* owned */
    size_t    count;
    double    start;
};

ASYNC(timed)
{
    ASYNC_BEGIN;
    self->start = cpu_ns();
    AWAIT(asy_coro_ref(self->program));
    printf("%.2f\n", (cpu_ns() - self->start) / (double)self->count);
    if (done != self->count)
        RAISE(RuntimeError, "%zu operations were done, not %zu", done, self->count);
    ASYNC_END;
}

FINALLY(timed)
{
    asy_coro_unref(self->program);
}

static asy_coro *
time_empty(asy_loop *loop, void *argument)
{
    size_t count = *(const size_t *)argument;
    asy_coro *program = ASYNC_CALL(await_empty, .loop = loop, .count = count);
    return ASYNC_CALL(timed, .loop = loop, .program = program, .count = count);
}

static asy_coro *
time_sleep_zero(asy_loop *loop, void *argument)
{
    size_t count = *(const size_t *)argument;
    asy_coro *program = ASYNC_CALL(await_sleep_zero, .loop = loop, .count = count);
    return ASYNC_CALL(timed, .loop = loop, .program = program, .count = count);
}

static asy_coro *
time_executor(asy_loop *loop, void *argument)
{
    size_t count = *(const size_t *)argument;
    asy_coro *program = ASYNC_CALL(await_executor, .loop = loop, .count = count);
    return ASYNC_CALL(timed, .loop = loop, .program = program, .count = count);
}

/* ---- memory ----------------------------------------------------------------- */

struct memory {
    double heap;                        /* bytes that the allocator has given out */
    double resident;                    /* bytes of the process that are in memory */
};

static asy_error *
read_memory(struct memory *ret_memory)
{
    struct mallinfo2 info = mallinfo2();
    unsigned long resident;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file)
        RAISE_OSERROR(errno);
    int count = fscanf(file, "%*u %lu", &resident);
    fclose(file);
    if (count != 1)
        RAISE(RuntimeError, "/proc/self/statm does not have two numbers");
    ret_memory->heap = (double)info.uordblks + (double)info.hblkhd;
    ret_memory->resident = (double)resident * (double)sysconf(_SC_PAGESIZE);
    return ASY_OK;
}

/* A coroutine of the program's own, as in life, and in it the one of asy_sleep(). */
struct wait_long {
    asy_coro  co;
    asy_loop *loop;
};

ASYNC(wait_long)
{
    ASYNC_BEGIN;
    done++;
    AWAIT(asy_sleep(self->loop, LONG_ENOUGH));
    ASYNC_END;
}

FINALLY(wait_long)
{
}

/* Start them, let each take its first step, and look. asy_run() then cancels them. */
struct many_tasks {
    asy_coro      co;
    asy_loop     *loop;
    size_t        count;
    struct memory before;
};

static asy_error *
start_tasks(asy_loop *loop, size_t count)
{
    for (size_t i = 0; i < count; i++)
        TRY(asy_loop_create_task(loop, ASYNC_CALL(wait_long, .loop = loop), NULL, NULL));
    return ASY_OK;
}

ASYNC(many_tasks)
{
    struct memory after;
    double count;

    ASYNC_BEGIN;
    TRY(read_memory(&self->before));
    TRY(start_tasks(self->loop, self->count));
    AWAIT(asy_sleep(self->loop, 0));
    TRY(read_memory(&after));
    if (done != self->count)
        RAISE(RuntimeError, "%zu tasks have begun, not %zu", done, self->count);
    count = (double)self->count;
    printf("%.0f %.0f\n", (after.heap - self->before.heap) / count,
           (after.resident - self->before.resident) / count);
    ASYNC_END;
}

FINALLY(many_tasks)
{
}

static asy_coro *
weigh_tasks(asy_loop *loop, void *argument)
{
    return ASYNC_CALL(many_tasks, .loop = loop, .count = *(const size_t *)argument);
}

/* ---- the command ------------------------------------------------------------ */

static const struct row {
    const char *name;
    asy_coro   *(*make_main)(asy_loop *loop, void *argument);
} rows[] = {
    { "empty", time_empty },
    { "sleep_zero", time_sleep_zero },
    { "executor", time_executor },
    { "tasks", weigh_tasks },
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

static const struct row *
find_row(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

int
main(int argc, char **argv)
{
    const struct row *row = argc == 3 ? find_row(argv[1]) : NULL;
    size_t digits = row ? strspn(argv[2], "0123456789") : 0;
    size_t count = row ? strtoul(argv[2], NULL, 10) : 0;

    if (!row || argv[2][digits] || count < 1 || count > MOST) {
        fprintf(stderr, "await: wants 'empty', 'sleep_zero', 'executor' or 'tasks', and a "
                        "number from 1 to %lu.\n", MOST);
        return 2;
    }
    asy_error *err = asy_run(row->make_main, &count);
    if (!err)
        return 0;
    fprintf(stderr, "await: %s: %s\n", asy_error_kind_name(err->kind), err->message);
    asy_error_unref(err);
    return 1;
}
