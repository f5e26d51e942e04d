/* SPDX-License-Identifier: MIT */
/* sock_sendfile(): by the system, and by reading what the system does not send. */
#include "await_trace.h"
#include "sock_faults.h"

#include "io/sock_calls.h"

#include <asy/executor.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file, without a name, of so many bytes, each the low byte of its place modulo 251. */
static int
new_file(size_t size)
{
    char name[] = "/tmp/test_sock_sendfile_XXXXXX";
    char *data = asy_alloc(size);
    int file = mkstemp(name);

    assert_true(file >= 0);
    unlink(name);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i % 251);
    assert_int_equal(write(file, data, size), (ssize_t)size);
    asy_free(data);
    return file;
}

static asy_error *
outcome(struct testing *t, asy_coro *coro)
{
    asy_task *task = trace_task(t, coro);

    for (int i = 0; i < 1000 && !asy_future_done(asy_task_future(task)); i++)
        testing_run_once(t);
    assert_true(asy_future_done(asy_task_future(task)));
    asy_error *err = asy_future_result(asy_task_future(task), NULL);
    asy_task_unref(task);
    return err;
}

static void
part_of_a_file_arrives(void **state)
{
    struct testing *t = *state;
    int file = new_file(1000);
    char buffer[1000];
    size_t sent;
    int fds[2];

    testing_socket_pair(fds);
    require_ok(outcome(t, asy_sock_sendfile(t->loop, fds[0], file, 10, 50, false, &sent)));
    assert_int_equal(sent, 50);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 60);
    assert_int_equal(read(fds[1], buffer, sizeof buffer), 50);
    assert_int_equal(buffer[0], 10);
    require_ok(outcome(t, asy_sock_sendfile(t->loop, fds[0], file, 900, 0, false, &sent)));
    assert_int_equal(sent, 100);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 1000);
    testing_close_pair(fds);
    close(file);
}

static void
empty_file_is_nothing_to_send(void **state)
{
    struct testing *t = *state;
    int file = new_file(0);
    size_t sent = 99;
    int fds[2];

    testing_socket_pair(fds);
    require_ok(outcome(t, asy_sock_sendfile(t->loop, fds[0], file, 0, 0, false, &sent)));
    assert_int_equal(sent, 0);
    testing_close_pair(fds);
    close(file);
}

static void
what_cannot_be_sent_is_refused(void **state)
{
    struct testing *t = *state;
    int file = new_file(10), datagrams = new_datagram_socket();
    size_t sent;
    int fds[2];

    testing_socket_pair(fds);
    require_error(outcome(t, asy_sock_sendfile(t->loop, fds[0], -1, 0, 0, false, &sent)),
                  ASY_SendfileNotAvailableError, "not a regular file");
    require_error(outcome(t, asy_sock_sendfile(t->loop, fds[0], file, -1, 0, false, &sent)),
                  ASY_ValueError, "offset must be a non-negative integer (got -1)");
    require_error(outcome(t, asy_sock_sendfile(t->loop, datagrams, file, 0, 0, false, &sent)),
                  ASY_ValueError, "only SOCK_STREAM type sockets are supported");
    close(fds[1]);
    require_error(outcome(t, asy_sock_sendfile(t->loop, fds[0], file, 0, 0, false, &sent)),
                  ASY_SendfileNotAvailableError, "os.sendfile call failed");
    assert_int_equal(lseek(file, 0, SEEK_CUR), 0);
    close(fds[0]);
    close(datagrams);
    close(file);
}

static void
file_survives_an_unhelpful_system(void **state)
{
    struct testing *t = *state;
    int file = new_file(5);
    char buffer[8];
    size_t sent;
    int fds[2];

    testing_socket_pair(fds);
    sock_faults_begin();
    require_ok(outcome(t, asy_sock_sendfile(t->loop, fds[0], file, 1, 3, false, &sent)));
    sock_faults_end();
    assert_int_equal(sent, 3);
    assert_int_equal(read(fds[1], buffer, sizeof buffer), 3);
    assert_memory_equal(buffer, "\1\2\3", 3);
    testing_close_pair(fds);
    close(file);
}

/* Of such a file the size is 0, which is not its end. */
static void
count_is_asked_for_whatever_the_size_of_the_file_is(void **state)
{
    struct testing *t = *state;
    int fds[2], pipe_fds[2];
    size_t sent = 7;

    testing_socket_pair(fds);
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(write(pipe_fds[1], "abc", 3), 3);
    require_ok(outcome(t, asy_sock_sendfile(t->loop, fds[0], pipe_fds[0], 0, 0, false, &sent)));
    assert_int_equal(sent, 0);
    require_error(outcome(t, asy_sock_sendfile(t->loop, fds[0], pipe_fds[0], 0, 3, false, &sent)),
                  ASY_SendfileNotAvailableError, "os.sendfile call failed");
    testing_close_pair(fds);
    testing_close_pair(pipe_fds);
}

/* ---- the fallback ---------------------------------------------------------------------- */

#define BIG (1 << 20)

struct transfer {
    int    file;
    int    fds[2];
    size_t sent;
    size_t received;
};

static asy_error *
drain(void *argument)
{
    struct transfer *transfer = argument;
    char buffer[4096];
    ssize_t count;

    while ((count = read(transfer->fds[1], buffer, sizeof buffer)) > 0)
        transfer->received += (size_t)count;
    return ASY_OK;
}

static ssize_t
send_no_file(int sock, int file, int64_t offset, size_t size)
{
    (void)sock, (void)file, (void)offset, (void)size;
    errno = ENOSYS;
    return -1;
}

static struct sock_calls calls_without_sendfile;

/* The test's executor, which is waited for at the end, becomes the loop's. */
static asy_executor *
begin_without_sendfile(struct testing *t)
{
    asy_executor *executor = asy_executor_new(1);

    require_ok(asy_set_default_executor(t->loop, executor));
    calls_without_sendfile = system_sock_calls;
    calls_without_sendfile.send_file = send_no_file;
    sock_calls = &calls_without_sendfile;
    return executor;
}

static void
end_without_sendfile(asy_executor *executor)
{
    sock_calls = &system_sock_calls;
    asy_executor_shutdown(executor, true);
    asy_executor_unref(executor);
}

static asy_error *
wait_for(struct testing *t, asy_coro *coro)
{
    asy_task *task = trace_task(t, coro);

    require_ok(asy_loop_run_until_done(t->loop, asy_task_future(task)));
    asy_error *err = asy_future_result(asy_task_future(task), NULL);
    asy_task_unref(task);
    return err;
}

static void
what_the_system_does_not_send_is_read(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = begin_without_sendfile(t);
    int file = new_file(1000);
    char buffer[1000];
    size_t sent = 0;
    int fds[2];

    testing_socket_pair(fds);
    require_error(wait_for(t, asy_sock_sendfile(t->loop, fds[0], file, 0, 0, false, &sent)),
                  ASY_SendfileNotAvailableError, "os.sendfile call failed");
    require_ok(wait_for(t, asy_sock_sendfile(t->loop, fds[0], file, 10, 50, true, &sent)));
    assert_int_equal(sent, 50);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 60);
    assert_int_equal(read(fds[1], buffer, sizeof buffer), 50);
    assert_int_equal(buffer[0], 10);
    require_ok(wait_for(t, asy_sock_sendfile(t->loop, fds[0], file, 900, 500, true, &sent)));
    assert_int_equal(sent, 100);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 1000);
    require_ok(wait_for(t, asy_sock_sendfile(t->loop, fds[0], file, 2000, 0, true, &sent)));
    assert_int_equal(sent, 0);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 2000);
    testing_close_pair(fds);
    close(file);
    end_without_sendfile(executor);
}

static void
many_blocks_arrive_as_they_are_in_the_file(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = begin_without_sendfile(t);
    struct transfer transfer = { .file = new_file(BIG) };

    testing_socket_pair(transfer.fds);
    require_ok(asy_loop_add_reader(t->loop, transfer.fds[1], asy_borrow(drain, &transfer)));
    require_ok(wait_for(t, asy_sock_sendfile(t->loop, transfer.fds[0], transfer.file, 1, 0, true,
                                             &transfer.sent)));
    require_ok(drain(&transfer));
    assert_int_equal(transfer.sent, BIG - 1);
    assert_int_equal(transfer.received, BIG - 1);
    assert_int_equal(lseek(transfer.file, 0, SEEK_CUR), BIG);
    require_ok(asy_loop_remove_reader(t->loop, transfer.fds[1], NULL));
    testing_close_pair(transfer.fds);
    close(transfer.file);
    end_without_sendfile(executor);
}

static void
errors_of_reading_and_sending_are_raised(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = begin_without_sendfile(t);
    int file = new_file(10);
    size_t sent = 0;
    int fds[2], pipe_fds[2];

    testing_socket_pair(fds);
    assert_int_equal(pipe(pipe_fds), 0);
    asy_error *err = wait_for(t, asy_sock_sendfile(t->loop, fds[0], pipe_fds[0], 0, 5, true,
                                                   &sent));
    assert_int_equal(err->errnum, ESPIPE);
    asy_error_unref(err);
    err = wait_for(t, asy_sock_sendfile(t->loop, fds[0], -1, 0, 0, true, &sent));
    assert_int_equal(err->errnum, EBADF);
    asy_error_unref(err);
    close(fds[1]);
    err = wait_for(t, asy_sock_sendfile(t->loop, fds[0], file, 3, 0, true, &sent));
    assert_int_equal(err->kind, ASY_BrokenPipeError);
    asy_error_unref(err);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 3);
    close(fds[0]);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    close(file);
    end_without_sendfile(executor);
}

static void
executor_that_was_shut_down_reads_nothing(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = begin_without_sendfile(t);
    int file = new_file(10);
    size_t sent = 0;
    int fds[2];

    testing_socket_pair(fds);
    asy_executor_shutdown(executor, true);
    require_error(wait_for(t, asy_sock_sendfile(t->loop, fds[0], file, 0, 0, true, &sent)),
                  ASY_RuntimeError, "cannot schedule new futures after shutdown");
    testing_close_pair(fds);
    close(file);
    end_without_sendfile(executor);
}

/* Run so many iterations, each of which something wakes, and cancel. Returns whether the copy had
 * ended before. */
static bool
copy_and_cancel(struct testing *t, struct transfer *transfer, int iterations)
{
    asy_task *task = trace_task(t, asy_sock_sendfile(t->loop, transfer->fds[0], transfer->file, 0,
                                                     0, true, &transfer->sent));
    asy_future *future = asy_task_future(task);

    for (int i = 0; i < iterations && !asy_future_done(future); i++)
        testing_run_once(t);
    bool ended = asy_future_done(future);
    require_ok(asy_task_cancel(task, NULL, NULL));
    require_ok(asy_loop_run_until_done(t->loop, future));
    asy_error *err = asy_future_result(future, NULL);
    assert_true(ended ? !err : err->kind == ASY_CancelledError);
    asy_error_unref(err);
    asy_task_unref(task);
    return ended;
}

/* The position is behind whole blocks, of which the peer has all; a read that goes on in its thread
 * does not move it. */
static bool
cancel_copy(struct testing *t, int iterations)
{
    struct transfer transfer = { .file = new_file(BIG) };
    asy_executor *executor = begin_without_sendfile(t);
    bool watched;

    testing_socket_pair(transfer.fds);
    require_ok(asy_loop_add_reader(t->loop, transfer.fds[1], asy_borrow(drain, &transfer)));
    bool ended = copy_and_cancel(t, &transfer, iterations);
    end_without_sendfile(executor);
    require_ok(drain(&transfer));
    off_t position = lseek(transfer.file, 0, SEEK_CUR);
    assert_true(iterations == 0 || position % (256 * 1024) == 0);
    assert_true(iterations == 0 || (size_t)position <= transfer.received);
    assert_true(!ended || position == BIG);
    require_ok(asy_loop_remove_reader(t->loop, transfer.fds[1], NULL));
    require_ok(asy_loop_remove_writer(t->loop, transfer.fds[0], &watched));
    assert_false(watched);
    testing_close_pair(transfer.fds);
    close(transfer.file);
    return ended;
}

static void
copying_a_file_may_be_cancelled_at_any_time(void **state)
{
    int iterations = 0;

    for (bool ended = false; !ended; iterations++) {
        struct testing *t = *state;
        ended = cancel_copy(t, iterations);
        assert_true(iterations < 1000);
        assert_int_equal(testing_teardown(state), 0);
        assert_int_equal(trace_setup(state), 0);
    }
    assert_true(iterations > 8);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(part_of_a_file_arrives),
        trace_case(empty_file_is_nothing_to_send),
        trace_case(what_cannot_be_sent_is_refused),
        trace_case(file_survives_an_unhelpful_system),
        trace_case(count_is_asked_for_whatever_the_size_of_the_file_is),
        trace_case(what_the_system_does_not_send_is_read),
        trace_case(many_blocks_arrive_as_they_are_in_the_file),
        trace_case(errors_of_reading_and_sending_are_raised),
        trace_case(executor_that_was_shut_down_reads_nothing),
        trace_case(copying_a_file_may_be_cancelled_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
