/* SPDX-License-Identifier: MIT */
/*
 * The physical limits of scheduling, and how far above them asy's C API is.
 *
 * A loop cannot be faster than what it must do in any case. A callback that is queued and run
 * costs at least what a ring of function pointers costs; an iteration costs at least one
 * epoll_wait(), because a loop that does not ask cannot know. These two are measured here
 * without a loop, and beside them the rows of bench.py that need no coroutine, written in C.
 * A heap of plain doubles shows what keeping deadlines in order costs by itself.
 *
 * The rows take turns, every other round backwards, and each is compared with its limit in the
 * same round: a machine that is busy for a moment is busy for both. All times are CPU time of
 * the process. A row that did not call what it should have called is an error, not a number.
 *
 *     limits [--rounds N]
 */
#include <asy/asy.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_ROUNDS 15
#define MOST_ROUNDS 1000

#define MANY 100000U                /* callbacks or timers that are there at the same time */
#define WIDE 1000U

static size_t calls;                /* how many callbacks have run in this row */

static asy_error *
count_call(void *unused)
{
    (void)unused;
    calls++;
    return ASY_OK;
}

/* ---- limits: a ring, epoll_wait(), heaps ------------------------------------ */

struct call {
    asy_error *(*function)(void *argument);
    void      *argument;
};

#define RING_CAPACITY (1U << 17)

_Static_assert(RING_CAPACITY >= MANY, "the ring has room for what is queued");

static struct {
    struct call calls[RING_CAPACITY];
    size_t      head;               /* where the next one is taken; both only grow */
    size_t      tail;               /* where the next one goes */
} ring;

/* Push MANY, then pop and call them; as often as it takes. */
static asy_error *
run_ring(asy_loop *unused, size_t operations)
{
    (void)unused;
    for (size_t done = 0; done < operations; done += MANY) {
        for (size_t i = 0; i < MANY; i++)
            ring.calls[ring.tail++ % RING_CAPACITY] = (struct call){ count_call, NULL };
        while (ring.head != ring.tail) {
            struct call call = ring.calls[ring.head++ % RING_CAPACITY];
            TRY(call.function(call.argument));
        }
    }
    return ASY_OK;
}

static int epoll_fd;                /* watches a pipe into which nobody writes */

static asy_error *
open_epoll(void)
{
    int pipe_fds[2];
    struct epoll_event event = { .events = EPOLLIN };

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || pipe(pipe_fds) != 0)
        RAISE_OSERROR(errno);
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, pipe_fds[0], &event) != 0)
        RAISE_OSERROR(errno);
    return ASY_OK;
}

static asy_error *
run_epoll_wait(asy_loop *unused, size_t operations)
{
    struct epoll_event event;

    (void)unused;
    for (size_t i = 0; i < operations; i++) {
        int count = epoll_wait(epoll_fd, &event, 1, 0);
        if (count < 0)
            RAISE_OSERROR(errno);
        if (count > 0)
            RAISE(RuntimeError, "epoll reports a pipe into which nobody has written");
    }
    return ASY_OK;
}

/* The textbook's binary heap, the smallest number first. */
struct heap {
    double *numbers;
    size_t  count;
};

static struct heap thousand, million;

static void
heap_push(struct heap *heap, double number)
{
    size_t position = heap->count++;

    while (position > 0 && number < heap->numbers[(position - 1) / 2]) {
        heap->numbers[position] = heap->numbers[(position - 1) / 2];
        position = (position - 1) / 2;
    }
    heap->numbers[position] = number;
}

static double
heap_pop(struct heap *heap)
{
    double first = heap->numbers[0];
    double last = heap->numbers[--heap->count];
    size_t position = 0;
    size_t child;

    while ((child = 2 * position + 1) < heap->count) {
        if (child + 1 < heap->count && heap->numbers[child + 1] < heap->numbers[child])
            child++;
        if (!(heap->numbers[child] < last))
            break;
        heap->numbers[position] = heap->numbers[child];
        position = child;
    }
    heap->numbers[position] = last;
    return first;
}

/* Between 0 and 1, the same sequence in every run (a multiplicative congruential generator). */
static double
random_number(void)
{
    static uint64_t state = 1;

    state *= UINT64_C(0xd1342543de82ef95);
    return (double)(state >> 11) * 0x1p-53;
}

static void
heap_fill(struct heap *heap, size_t count)
{
    heap->numbers = asy_alloc(count * sizeof heap->numbers[0]);
    while (heap->count < count)
        heap_push(heap, random_number());
}

/* Take the earliest deadline, put one back that is later by a random time: so the heap neither
 * grows nor changes its character, however long this goes on. */
static void
pop_and_push(struct heap *heap, size_t operations)
{
    for (size_t i = 0; i < operations; i++)
        heap_push(heap, heap_pop(heap) + random_number());
}

static asy_error *
run_heap_thousand(asy_loop *unused, size_t operations)
{
    (void)unused;
    pop_and_push(&thousand, operations);
    return ASY_OK;
}

static asy_error *
run_heap_million(asy_loop *unused, size_t operations)
{
    (void)unused;
    pop_and_push(&million, operations);
    return ASY_OK;
}

/* ---- asy: the rows of bench.py in C ------------------------------------------ */

static asy_error *
stop(void *loop)
{
    asy_loop_stop(loop);
    return ASY_OK;
}

static asy_error *
run_call_soon_queued(asy_loop *loop, size_t operations)
{
    for (size_t i = 0; i < operations; i++)
        TRY(asy_loop_call_soon(loop, asy_borrow(count_call, NULL), NULL));
    TRY(asy_loop_call_soon(loop, asy_borrow(stop, loop), NULL));
    return asy_loop_run_forever(loop);
}

/* Callbacks that schedule themselves: `width` of them in every iteration. */
struct relay {
    asy_loop  *loop;
    asy_error *(*call_soon)(asy_loop *loop, asy_callback callback, asy_handle **ret_handle);
    size_t     width;
    size_t     left;                /* calls until the loop stops */
};

static asy_error *
again(void *argument)
{
    struct relay *relay = argument;

    calls++;
    relay->left--;
    if (relay->left >= relay->width)
        return relay->call_soon(relay->loop, asy_borrow(again, relay), NULL);
    if (relay->left == 0)
        asy_loop_stop(relay->loop);
    return ASY_OK;
}

static asy_error *
run_relay(struct relay relay)
{
    for (size_t i = 0; i < relay.width; i++)
        TRY(relay.call_soon(relay.loop, asy_borrow(again, &relay), NULL));
    return asy_loop_run_forever(relay.loop);
}

static asy_error *
run_call_soon_chain(asy_loop *loop, size_t operations)
{
    return run_relay((struct relay){ loop, asy_loop_call_soon, 1, operations });
}

static asy_error *
run_call_soon_wide(asy_loop *loop, size_t operations)
{
    return run_relay((struct relay){ loop, asy_loop_call_soon, WIDE, operations });
}

static asy_error *
run_threadsafe(asy_loop *loop, size_t operations)
{
    return run_relay((struct relay){ loop, asy_loop_call_soon_threadsafe, 1, operations });
}

static asy_error *
run_timers_cancelled(asy_loop *loop, size_t operations)
{
    for (size_t i = 0; i < operations; i++) {
        asy_timer_handle *timer;
        TRY(asy_loop_call_later(loop, 1000, asy_borrow(count_call, NULL), &timer));
        asy_handle_cancel(asy_timer_handle_base(timer));
        asy_timer_handle_unref(timer);
    }
    TRY(asy_loop_call_soon(loop, asy_borrow(stop, loop), NULL));
    return asy_loop_run_forever(loop);
}

/* The deadlines are a nanosecond and a call apart; the last one stops the loop. */
static asy_error *
run_timers_fire(asy_loop *loop, size_t operations)
{
    for (size_t i = 0; i < operations; i++) {
        double delay = 0.001 + (double)i * 1e-9;
        TRY(asy_loop_call_later(loop, delay, asy_borrow(count_call, NULL), NULL));
    }
    TRY(asy_loop_call_later(loop, 0.01, asy_borrow(stop, loop), NULL));
    return asy_loop_run_forever(loop);
}

/* ---- the table --------------------------------------------------------------- */

enum limit { NO_LIMIT, RING, RING_AND_EPOLL_WAIT };

static const char *const limit_names[] = { "", "ring", "ring + epoll_wait" };

struct row {
    const char *name;
    asy_error  *(*run)(asy_loop *loop, size_t operations);
    size_t      operations;
    bool        calls_back;         /* each operation calls one callback; otherwise none does */
    enum limit  limit;
};

enum { RING_ROW, EPOLL_WAIT_ROW };  /* the positions of the limits */

static const struct row rows[] = {
    { "ring", run_ring, 10 * MANY, true, NO_LIMIT },
    { "epoll_wait", run_epoll_wait, MANY / 2, false, NO_LIMIT },
    { "heap_1000", run_heap_thousand, MANY, false, NO_LIMIT },
    { "heap_1000000", run_heap_million, MANY, false, NO_LIMIT },
    { "call_soon_queued", run_call_soon_queued, MANY, true, RING },
    { "call_soon_wide", run_call_soon_wide, MANY, true, RING },
    { "call_soon_chain", run_call_soon_chain, MANY / 2, true, RING_AND_EPOLL_WAIT },
    { "threadsafe", run_threadsafe, MANY / 5, true, RING_AND_EPOLL_WAIT },
    { "timers_cancelled", run_timers_cancelled, MANY, false, RING },
    { "timers_fire", run_timers_fire, MANY, true, RING },
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

/* What each row costs in one round, in nanoseconds per operation. */
struct round {
    double ns[ROW_COUNT];
};

static double
cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static asy_error *
check_calls(const struct row *row)
{
    size_t expected = row->calls_back ? row->operations : 0;
    if (calls != expected)
        RAISE(RuntimeError, "%s called %zu callbacks, not %zu", row->name, calls, expected);
    return ASY_OK;
}

/* Making and closing the loop is not counted; the limits get one too and leave it alone. */
static asy_error *
measure(const struct row *row, double *ret_ns)
{
    asy_loop *loop;
    asy_loop_options options = { .selector = ASY_SELECTOR_EPOLL, .debug = ASY_DEBUG_OFF };

    TRY(asy_loop_new(&options, &loop));
    calls = 0;
    double start = cpu_ns();
    asy_error *err = row->run(loop, row->operations);
    *ret_ns = (cpu_ns() - start) / (double)row->operations;
    if (!err)
        err = check_calls(row);
    if (!err)
        err = asy_loop_close(loop);
    asy_loop_unref(loop);
    return err;
}

static asy_error *
measure_all(struct round *rounds, size_t count)
{
    TRY(open_epoll());
    heap_fill(&thousand, 1000);
    heap_fill(&million, 1000000);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < ROW_COUNT; j++) {
            size_t position = i % 2 ? ROW_COUNT - 1 - j : j;
            TRY(measure(&rows[position], &rounds[i].ns[position]));
        }
    }
    return ASY_OK;
}

static int
compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Sorts the values. */
static double
median(double *values, size_t count)
{
    qsort(values, count, sizeof values[0], compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static double
limit_ns(const struct round *round, enum limit limit)
{
    double ns = round->ns[RING_ROW];
    return limit == RING ? ns : ns + round->ns[EPOLL_WAIT_ROW];
}

/* The ratio is the median of the rounds' ratios, not the ratio of the medians. */
static void
print_row(size_t position, const struct round *rounds, size_t count)
{
    const struct row *row = &rows[position];
    double *values = asy_alloc(count * sizeof values[0]);

    for (size_t i = 0; i < count; i++)
        values[i] = rounds[i].ns[position];
    printf("%-18s %8.1f", row->name, median(values, count));
    if (row->limit != NO_LIMIT) {
        for (size_t i = 0; i < count; i++)
            values[i] = rounds[i].ns[position] / limit_ns(&rounds[i], row->limit);
        printf(" %8.1f  %s", median(values, count), limit_names[row->limit]);
    }
    putchar('\n');
    asy_free(values);
}

/* ---- the command ------------------------------------------------------------- */

/* Read the arguments. Returns false, after one sentence, if they are wrong. */
static bool
read_arguments(int argc, char **argv, size_t *ret_rounds)
{
    *ret_rounds = DEFAULT_ROUNDS;
    if (argc == 1)
        return true;
    if (strcmp(argv[1], "--rounds") != 0) {
        fprintf(stderr, "limits: '%s' is not an option; the only one is --rounds N.\n", argv[1]);
        return false;
    }
    if (argc != 3) {
        fprintf(stderr, "limits: --rounds wants one number and nothing after it.\n");
        return false;
    }
    size_t digits = strspn(argv[2], "0123456789");
    unsigned long rounds = strtoul(argv[2], NULL, 10);
    if (digits == 0 || argv[2][digits] || rounds < 1 || rounds > MOST_ROUNDS) {
        fprintf(stderr, "limits: --rounds wants a number from 1 to %d, not '%s'.\n", MOST_ROUNDS,
                argv[2]);
        return false;
    }
    *ret_rounds = rounds;
    return true;
}

int
main(int argc, char **argv)
{
    size_t count;

    if (!read_arguments(argc, argv, &count))
        return 2;
    struct round *rounds = asy_alloc(count * sizeof rounds[0]);
    asy_error *err = measure_all(rounds, count);
    if (err) {
        fprintf(stderr, "limits: %s: %s\n", asy_error_kind_name(err->kind), err->message);
        asy_error_unref(err);
        return 1;
    }
    printf("%zu rounds\n%-18s %8s %8s  %s\n", count, "row", "ns", "times", "the limit");
    for (size_t i = 0; i < ROW_COUNT; i++)
        print_row(i, rounds, count);
    asy_free(rounds);
    return 0;
}
