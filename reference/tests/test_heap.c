/* SPDX-License-Identifier: MIT */
/*
 * The heap makes the moves of Python's heapq. The tables below are what heapq gives for the
 * deadlines above them; where there is a python3, random programs are compared as well.
 */
#include "testing.h"

#include "base/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT 24

static const int deadlines[COUNT] = {
    2, 2, 1, 3, 3, 3, 2, 3, 0, 2, 1, 3, 0, 0, 1, 3, 1, 3, 1, 2, 2, 2, 3, 3,
};
static const int popped_after_pushes[COUNT] = {
    8, 12, 13, 14, 2, 10, 16, 18, 6, 21, 0, 9, 20, 19, 1, 23, 22, 15, 11, 5, 7, 4, 17, 3,
};
static const int array_after_heapify[COUNT] = {
    13, 8, 12, 18, 10, 0, 14, 16, 1, 20, 21, 23, 5, 6, 2, 15, 7, 17, 3, 19, 9, 4, 22, 11,
};
static const int popped_after_heapify[COUNT] = {
    13, 12, 8, 14, 2, 10, 18, 16, 6, 9, 0, 21, 20, 1, 19, 11, 22, 7, 23, 5, 15, 3, 4, 17,
};

static void
push_all(struct timer_heap *heap, asy_timer_handle *timers)
{
    for (int i = 0; i < COUNT; i++) {
        timers[i].when = deadlines[i];
        heap_push(heap, &timers[i]);
    }
}

static void
require_pops(struct timer_heap *heap, const asy_timer_handle *timers, const int *expected)
{
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(heap_pop(heap) - timers, expected[i]);
    assert_int_equal(heap->count, 0);
    heap_deinit(heap);
}

static void
equal_deadlines_leave_in_the_order_of_heappop(void **state)
{
    asy_timer_handle timers[COUNT];
    struct timer_heap heap = { 0 };

    (void)state;
    push_all(&heap, timers);
    require_pops(&heap, timers, popped_after_pushes);
}

static void
heapify_makes_the_array_of_heapq(void **state)
{
    asy_timer_handle timers[COUNT];
    struct timer_heap heap = { 0 };

    (void)state;
    push_all(&heap, timers);
    for (int i = 0; i < COUNT; i++)
        heap.timers[i] = &timers[i];
    heap_heapify(&heap);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(heap.timers[i] - timers, array_after_heapify[i]);
    require_pops(&heap, timers, popped_after_heapify);
}

/* ---- against Python ----------------------------------------------------------- */

#define PROGRAM_LENGTH 6000

/* One step of a random program: push a deadline, "p" pop, "h" heapify after dropping every third
 * element of the array. */
static const char python_program[] =
    "import heapq, sys\n"
    "class Timer:\n"
    "    def __init__(self, when, number): self.when, self.number = when, number\n"
    "    def __lt__(self, other): return self.when < other.when\n"
    "heap = []\n"
    "for number, step in enumerate(open(sys.argv[1]).read().split()):\n"
    "    if step == 'p': print(heapq.heappop(heap).number if heap else -1)\n"
    "    elif step == 'h':\n"
    "        heap = [t for i, t in enumerate(heap) if i % 3]\n"
    "        heapq.heapify(heap)\n"
    "        print(heap[0].number if heap else -1)\n"
    "    else: heapq.heappush(heap, Timer(int(step), number))\n";

static unsigned
next_random(unsigned *seed)
{
    *seed = *seed * 1103515245U + 12345U;
    return *seed >> 16;
}

static void
drop_every_third(struct timer_heap *heap)
{
    size_t kept = 0;
    for (size_t i = 0; i < heap->count; i++) {
        if (i % 3)
            heap->timers[kept++] = heap->timers[i];
    }
    heap->count = kept;
    heap_heapify(heap);
}

/* Do one step, write it down, and return what Python prints for it, or -2 if nothing. */
static long
step(struct timer_heap *heap, asy_timer_handle *timers, long number, unsigned *seed, FILE *steps)
{
    unsigned choice = next_random(seed) % 1000;

    if (choice < 400) {
        fprintf(steps, "p ");
        return heap->count ? heap_pop(heap) - timers : -1;
    }
    if (choice < 403) {
        fprintf(steps, "h ");
        drop_every_third(heap);
        return heap->count ? heap->timers[0] - timers : -1;
    }
    unsigned deadline = next_random(seed) % 50;
    fprintf(steps, "%u ", deadline);
    timers[number].when = deadline;
    heap_push(heap, &timers[number]);
    return -2;
}

static void
require_same_output(const char *path, const long *expected)
{
    char command[4096];

    snprintf(command, sizeof command, "python3 -c \"%s\" %s", python_program, path);
    FILE *python = popen(command, "r");
    assert_non_null(python);
    for (int i = 0; i < PROGRAM_LENGTH; i++) {
        long printed;
        if (expected[i] == -2)
            continue;
        assert_int_equal(fscanf(python, "%ld", &printed), 1);
        assert_int_equal(printed, expected[i]);
    }
    assert_int_equal(pclose(python), 0);
}

static void
random_program_agrees_with_pythons_heapq(void **state)
{
    char path[] = "/tmp/asy-heap-XXXXXX";
    long expected[PROGRAM_LENGTH];
    unsigned seed = 20240229;
    struct timer_heap heap = { 0 };

    (void)state;
    if (system("python3 -c pass 2>/dev/null") != 0)
        skip();
    int fd = mkstemp(path);
    FILE *steps = fdopen(fd, "w");
    asy_timer_handle *timers = calloc(PROGRAM_LENGTH, sizeof *timers);
    for (long i = 0; i < PROGRAM_LENGTH; i++)
        expected[i] = step(&heap, timers, i, &seed, steps);
    fclose(steps);
    require_same_output(path, expected);
    unlink(path);
    heap.count = 0;
    heap_deinit(&heap);
    free(timers);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(equal_deadlines_leave_in_the_order_of_heappop),
        testing_case(heapify_makes_the_array_of_heapq),
        testing_case(random_program_agrees_with_pythons_heapq),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
