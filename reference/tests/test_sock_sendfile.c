/* SPDX-License-Identifier: MIT */
/* sock_sendfile(), as far as the system sends files. */
#include "await_trace.h"
#include "sock_faults.h"

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
    require_ok(outcome(t, asy_sock_sendfile(t->loop, fds[0], file, 10, 50, &sent)));
    assert_int_equal(sent, 50);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 60);
    assert_int_equal(read(fds[1], buffer, sizeof buffer), 50);
    assert_int_equal(buffer[0], 10);
    require_ok(outcome(t, asy_sock_sendfile(t->loop, fds[0], file, 900, 0, &sent)));
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
    require_ok(outcome(t, asy_sock_sendfile(t->loop, fds[0], file, 0, 0, &sent)));
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
    require_error(outcome(t, asy_sock_sendfile(t->loop, fds[0], -1, 0, 0, &sent)),
                  ASY_SendfileNotAvailableError, "not a regular file");
    require_error(outcome(t, asy_sock_sendfile(t->loop, fds[0], file, -1, 0, &sent)),
                  ASY_ValueError, "offset must be a non-negative integer (got -1)");
    require_error(outcome(t, asy_sock_sendfile(t->loop, datagrams, file, 0, 0, &sent)),
                  ASY_ValueError, "only SOCK_STREAM type sockets are supported");
    close(fds[1]);
    require_error(outcome(t, asy_sock_sendfile(t->loop, fds[0], file, 0, 0, &sent)),
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
    require_ok(outcome(t, asy_sock_sendfile(t->loop, fds[0], file, 1, 3, &sent)));
    sock_faults_end();
    assert_int_equal(sent, 3);
    assert_int_equal(read(fds[1], buffer, sizeof buffer), 3);
    assert_memory_equal(buffer, "\1\2\3", 3);
    testing_close_pair(fds);
    close(file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(part_of_a_file_arrives),
        trace_case(empty_file_is_nothing_to_send),
        trace_case(what_cannot_be_sent_is_refused),
        trace_case(file_survives_an_unhelpful_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
