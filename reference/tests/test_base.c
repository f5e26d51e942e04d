/* SPDX-License-Identifier: MIT */
/* The bricks: memory, the queue, the clock's arithmetic, descriptors. test_heap.c has the heap. */
#include "testing.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/queue.h"

#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* ---- alloc -------------------------------------------------------------------- */

static void
alloc_zeroes_and_formats(void **state)
{
    (void)state;
    unsigned char *bytes = asy_alloc(64);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(bytes[i], 0);
    asy_free(bytes);
    char *text = asy_format("%s-%d", "n", 7);
    assert_string_equal(text, "n-7");
    asy_free(text);
    asy_free(NULL);
    assert_null(alloc_text(NULL));
}

static void
floats_are_written_as_python_writes_them(void **state)
{
    static const struct {
        double      value;
        const char *text;
    } cases[] = {
        { 0, "0.0" }, { -0.5, "-0.5" }, { 3, "3.0" }, { 0.1234567, "0.1234567" },
        { 1e7, "10000000.0" },
        { 1e15, "1000000000000000.0" }, { 1e16, "1e+16" }, { 0.0001, "0.0001" }, { 1e-5, "1e-05" },
        { 0.1 + 0.2, "0.30000000000000004" }, { 0x1p53, "9007199254740992.0" },
        { 12345.678, "12345.678" }, { 1.5e300, "1.5e+300" }, { HUGE_VAL, "inf" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = alloc_float_text(cases[i].value);
        assert_string_equal(text, cases[i].text);
        asy_free(text);
    }
}

static void
alloc_resize_keeps_what_was_there(void **state)
{
    (void)state;
    int *numbers = alloc_resize(NULL, 2, sizeof *numbers);
    numbers[0] = 11;
    numbers[1] = 22;
    numbers = alloc_resize(numbers, 1000, sizeof *numbers);
    assert_int_equal(numbers[0], 11);
    assert_int_equal(numbers[1], 22);
    asy_free(numbers);
}

/* ---- queue -------------------------------------------------------------------- */

static void
queue_is_first_in_first_out_across_growth_and_wrap(void **state)
{
    asy_handle handles[500];
    struct handle_queue queue = { 0 };
    size_t pushed = 0, popped = 0;

    (void)state;
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 23; i++)
            queue_push(&queue, &handles[pushed++ % 500]);
        for (int i = 0; i < 17; i++)
            assert_ptr_equal(queue_pop(&queue), &handles[popped++ % 500]);
        assert_ptr_equal(queue_at(&queue, 0), &handles[popped % 500]);
        assert_ptr_equal(queue_at(&queue, queue.count - 1), &handles[(pushed - 1) % 500]);
    }
    while (popped < pushed)
        assert_ptr_equal(queue_pop(&queue), &handles[popped++ % 500]);
    assert_null(queue_pop(&queue));
    queue_deinit(&queue);
}

static void
queue_holds_one_handle_twice(void **state)
{
    asy_handle handle;
    struct handle_queue queue = { 0 };

    (void)state;
    queue_push(&queue, &handle);
    queue_push(&queue, &handle);
    assert_int_equal(queue.count, 2);
    assert_ptr_equal(queue_pop(&queue), &handle);
    assert_ptr_equal(queue_pop(&queue), &handle);
    queue_deinit(&queue);
}

/* ---- clock -------------------------------------------------------------------- */

static void
nanoseconds_become_the_doubles_of_python(void **state)
{
    (void)state;
    assert_true(clock_seconds(0) == 0.0);
    assert_true(clock_seconds(INT64_C(1500000000)) == 1.5);
    assert_true(clock_seconds(INT64_C(123456789012345678)) == 123456789.01234569);
    assert_true(clock_seconds(INT64_C(9007199254740993)) == 9007199.254740993);
    assert_true(clock_seconds(INT64_C(9007200000000000)) == 9007200.0);
}

static void
monotonic_clock_does_not_go_back(void **state)
{
    (void)state;
    double before = clock_monotonic();
    for (int i = 0; i < 1000; i++) {
        double now = clock_monotonic();
        assert_true(now >= before);
        before = now;
    }
    assert_true(clock_resolution() > 0 && clock_resolution() <= 0.1);
}

static void
ulp_is_the_distance_to_the_next_double(void **state)
{
    (void)state;
    assert_true(clock_ulp(1.0) == ldexp(1, -52));
    assert_true(clock_ulp(-1.0) == ldexp(1, -52));
    assert_true(clock_ulp(ldexp(1, 30)) == ldexp(1, -22));
    assert_true(clock_ulp(DBL_MAX) == ldexp(1, 971));
    assert_true(isinf(clock_ulp(INFINITY)));
}

/* ---- fd ----------------------------------------------------------------------- */

static void
require_flags_and_close(int fds[2])
{
    for (int i = 0; i < 2; i++) {
        assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
        fd_close(&fds[i]);
        assert_int_equal(fds[i], -1);
        fd_close(&fds[i]);
    }
}

static void
socket_pair_and_pipe_do_not_block_and_are_not_inherited(void **state)
{
    int fds[2];

    (void)state;
    require_ok(fd_socket_pair(fds));
    require_flags_and_close(fds);
    require_ok(fd_pipe(fds));
    require_flags_and_close(fds);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(alloc_zeroes_and_formats),
        testing_case(floats_are_written_as_python_writes_them),
        testing_case(alloc_resize_keeps_what_was_there),
        testing_case(queue_is_first_in_first_out_across_growth_and_wrap),
        testing_case(queue_holds_one_handle_twice),
        testing_case(nanoseconds_become_the_doubles_of_python),
        testing_case(monotonic_clock_does_not_go_back),
        testing_case(ulp_is_the_distance_to_the_next_double),
        testing_case(socket_pair_and_pipe_do_not_block_and_are_not_inherited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
