/* SPDX-License-Identifier: MIT */
/* sock_recv(), sock_recvfrom(), sock_sendall() and sock_sendto(). */
#include "await_trace.h"
#include "sock_faults.h"
#include "system_faults.h"

#include "core/loop_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BIG (4 << 20)               /* more than the system keeps for a socket */

static bool
is_done(asy_task *task)
{
    return asy_future_done(asy_task_future(task));
}

/* Run until the task is done, which takes real descriptors, but no real time. */
static void
run_until_done(struct testing *t, asy_task *task)
{
    for (int i = 0; i < 100000 && !is_done(task); i++)
        testing_run_once(t);
    assert_true(is_done(task));
}

static void
require_success(struct testing *t, asy_task *task)
{
    run_until_done(t, task);
    require_ok(asy_future_result(asy_task_future(task), NULL));
    asy_task_unref(task);
}

/* ---- receiving ---------------------------------------------------------------------- */

static void
what_is_there_is_received_in_one_iteration(void **state)
{
    struct testing *t = *state;
    char buffer[4];
    size_t count;
    int fds[2];

    testing_socket_pair(fds);
    peer_send(fds[1], "abcdef");
    asy_task *task = trace_task(t, asy_sock_recv(t->loop, fds[0], buffer, sizeof buffer, &count));
    testing_run_once(t);
    assert_true(is_done(task));
    require_success(t, task);
    assert_int_equal(count, RECEIVED_AT_ONCE(4));
    assert_memory_equal(buffer, "abcd", count);
    testing_close_pair(fds);
}

/* As in CPython, whose socket.recv(0) asks nobody. */
static void
no_bytes_are_received_at_once_but_an_empty_datagram_is_waited_for(void **state)
{
    struct testing *t = *state;
    size_t count = 7;
    char buffer[1];
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
    asy_task *nothing = trace_task(t, asy_sock_recv(t->loop, fds[0], buffer, 0, &count));
    testing_run_once(t);
    assert_true(is_done(nothing));
    require_success(t, nothing);
    assert_int_equal(count, 0);
    count = 7;
    asy_task *datagram = trace_task(t, asy_sock_recvfrom(t->loop, fds[0], buffer, 0, &count, NULL));
    testing_run_once(t);
    assert_false(is_done(datagram));
    assert_int_equal(send(fds[1], "abc", 3, 0), 3);
    require_success(t, datagram);
    assert_int_equal(count, 0);
    testing_close_pair(fds);
}

/* As CPython 3.14: the task waits; the descriptor is found ready; the task goes on. */
static void
receiving_goes_on_in_the_iteration_after_the_descriptor_is_ready(void **state)
{
    struct testing *t = *state;
    char buffer[4];
    size_t count;
    int fds[2];

    testing_socket_pair(fds);
    size_t watched = t->loop->watched.count;
    asy_task *task = trace_task(t, relay(t, "a", asy_sock_recv(t->loop, fds[0], buffer,
                                                               sizeof buffer, &count)));
    trace_run(t, 1);
    assert_int_equal(t->loop->watched.count, watched + 1);
    peer_send(fds[1], "x");
    trace_run(t, 2);
    require_trace(t, "1:a> 3:a=ok");
    assert_int_equal(count, 1);
    assert_int_equal(t->loop->watched.count, watched);
    asy_task_unref(task);
    testing_close_pair(fds);
}

static void
end_of_stream_is_nothing_received(void **state)
{
    struct testing *t = *state;
    char buffer[4];
    size_t count = 99;
    int fds[2];

    testing_socket_pair(fds);
    shutdown(fds[1], SHUT_WR);
    require_success(t, trace_task(t, asy_sock_recv(t->loop, fds[0], buffer, 4, &count)));
    assert_int_equal(count, 0);
    testing_close_pair(fds);
}

static void
datagram_comes_with_its_sender(void **state)
{
    struct testing *t = *state;
    char buffer[8];
    size_t sent, count;
    asy_address from;
    int ours = new_datagram_socket(), theirs = new_datagram_socket();
    asy_address our_address = socket_address(ours), their_address = socket_address(theirs);

    asy_task *task = trace_task(t, asy_sock_recvfrom(t->loop, ours, buffer, sizeof buffer, &count,
                                                     &from));
    testing_run_once(t);
    require_success(t, trace_task(t, asy_sock_sendto(t->loop, theirs, "abc", 3, &our_address,
                                                     &sent)));
    require_success(t, task);
    assert_int_equal(sent, 3);
    assert_int_equal(count, 3);
    assert_memory_equal(buffer, "abc", 3);
    assert_int_equal(from.length, their_address.length);
    assert_memory_equal(&from.storage, &their_address.storage, from.length);
    close(ours);
    close(theirs);
}

static void
what_is_no_socket_raises_oserror(void **state)
{
    struct testing *t = *state;
    char buffer[4];
    size_t count;
    asy_task *task = trace_task(t, asy_sock_recv(t->loop, -1, buffer, sizeof buffer, &count));

    testing_run_once(t);
    require_error(asy_future_result(asy_task_future(task), NULL), ASY_OSError,
                  "[Errno 9] Bad file descriptor");
    asy_task_unref(task);
}

static void
debug_mode_refuses_blocking_sockets(void **state)
{
    struct testing *t = *state;
    char buffer[4];
    size_t count;
    int fds[2];

    testing_socket_pair(fds);
    fcntl(fds[0], F_SETFL, fcntl(fds[0], F_GETFL) & ~O_NONBLOCK);
    asy_loop_set_debug(t->loop, true);
    asy_task *task = trace_task(t, asy_sock_recv(t->loop, fds[0], buffer, 4, &count));
    testing_run_once(t);
    require_error(asy_future_result(asy_task_future(task), NULL), ASY_ValueError,
                  "the socket must be non-blocking");
    asy_task_unref(task);
    testing_close_pair(fds);
}

static void
never_awaited_touches_nothing(void **state)
{
    struct testing *t = *state;
    char buffer[4];
    size_t count;
    int fds[2];

    testing_socket_pair(fds);
    peer_send(fds[1], "x");
    asy_coro *coro = asy_sock_recv(t->loop, fds[0], buffer, 4, &count);
    require_ok(asy_coro_close(coro));
    asy_coro_unref(coro);
    require_received(fds[0], "x");
    testing_close_pair(fds);
}

/* ---- the watch ---------------------------------------------------------------------- */

static void
second_reader_takes_the_watch_over(void **state)
{
    struct testing *t = *state;
    char first_buffer[4], second_buffer[4];
    size_t first_count, second_count;
    int fds[2];

    testing_socket_pair(fds);
    size_t watched = t->loop->watched.count;
    asy_task *first = trace_task(t, asy_sock_recv(t->loop, fds[0], first_buffer, 4,
                                                  &first_count));
    asy_task *second = trace_task(t, asy_sock_recv(t->loop, fds[0], second_buffer, 4,
                                                   &second_count));
    testing_run_once(t);
    require_ok(asy_task_cancel(first, NULL, NULL));
    testing_run_once(t);
    assert_int_equal(t->loop->watched.count, watched + 1);
    peer_send(fds[1], "x");
    require_success(t, second);
    assert_true(asy_future_cancelled(asy_task_future(first)));
    assert_int_equal(t->loop->watched.count, watched);
    asy_task_unref(first);
    testing_close_pair(fds);
}

static void
waiting_reader_ends_with_its_loop(void **state)
{
    struct testing *t = *state;
    char buffer[4];
    size_t count;
    int fds[2];

    testing_socket_pair(fds);
    trace_start(t, asy_sock_recv(t->loop, fds[0], buffer, 4, &count));
    testing_run_once(t);
    testing_use_profile(t, 14);                     /* closes the loop */
    testing_close_pair(fds);
}

static void
closed_loop_cannot_wait(void **state)
{
    struct testing *t = *state;
    char buffer[4];
    size_t count;
    int fds[2];

    testing_socket_pair(fds);
    asy_coro *coro = asy_sock_recv(t->loop, fds[0], buffer, 4, &count);
    require_ok(asy_loop_close(t->loop));
    require_error(asy_coro_send(coro, NULL), ASY_RuntimeError, "Event loop is closed");
    asy_coro_unref(coro);
    testing_close_pair(fds);
}

/* ---- sending ------------------------------------------------------------------------ */

static void
sendall_sends_more_than_the_system_takes_at_once(void **state)
{
    struct testing *t = *state;
    char *data = asy_alloc(BIG), *received = asy_alloc(BIG);
    size_t total = 0;
    int fds[2];

    testing_socket_pair(fds);
    for (size_t i = 0; i < BIG; i++)
        data[i] = (char)(i % 251);
    asy_task *task = trace_task(t, asy_sock_sendall(t->loop, fds[0], data, BIG));
    testing_run_once(t);
    assert_false(is_done(task));
    while (total < BIG) {
        ssize_t count = read(fds[1], received + total, BIG - total);
        total += count > 0 ? (size_t)count : 0;
        if (!is_done(task))
            testing_run_once(t);
    }
    require_success(t, task);
    assert_memory_equal(data, received, BIG);
    testing_close_pair(fds);
    asy_free(data);
    asy_free(received);
}

static void
sendall_of_nothing_is_done_at_once(void **state)
{
    struct testing *t = *state;
    int fds[2];

    testing_socket_pair(fds);
    asy_task *task = trace_task(t, asy_sock_sendall(t->loop, fds[0], "", 0));
    testing_run_once(t);
    require_success(t, task);
    testing_close_pair(fds);
}

static void
sendall_to_nobody_raises_brokenpipeerror(void **state)
{
    struct testing *t = *state;
    int fds[2];

    testing_socket_pair(fds);
    shutdown(fds[0], SHUT_WR);
    asy_task *task = trace_task(t, asy_sock_sendall(t->loop, fds[0], "x", 1));
    testing_run_once(t);
    require_error(asy_future_result(asy_task_future(task), NULL), ASY_BrokenPipeError,
                  "[Errno 32] Broken pipe");
    asy_task_unref(task);
    testing_close_pair(fds);
}

static void
sendall_that_waits_raises_what_a_later_piece_raises(void **state)
{
    struct testing *t = *state;
    char *data = asy_alloc(BIG);
    int fds[2];

    testing_socket_pair(fds);
    asy_task *task = trace_task(t, asy_sock_sendall(t->loop, fds[0], data, BIG));
    testing_run_once(t);
    assert_false(is_done(task));
    close(fds[1]);
    run_until_done(t, task);
    asy_error *err = asy_future_result(asy_task_future(task), NULL);
    assert_true(asy_error_is_a(err, ASY_ConnectionError));
    asy_error_unref(err);
    asy_task_unref(task);
    close(fds[0]);
    asy_free(data);
}

/* ---- an unhelpful system --------------------------------------------------------------- */

static void
receiving_and_sending_survive_an_unhelpful_system(void **state)
{
    struct testing *t = *state;
    char buffer[4];
    size_t count;
    int fds[2];

    testing_socket_pair(fds);
    peer_send(fds[1], "x");
    sock_faults_begin();
    require_success(t, trace_task(t, asy_sock_recv(t->loop, fds[0], buffer, 4, &count)));
    assert_true(sock_faults_count() >= 3);
    assert_int_equal(count, 1);
    sock_faults_begin();
    require_success(t, trace_task(t, asy_sock_sendall(t->loop, fds[0], "abcd", 4)));
    assert_true(sock_faults_count() >= 9);
    sock_faults_end();
    require_received(fds[1], "abcd");
    testing_close_pair(fds);
}

static void
datagrams_survive_an_unhelpful_system(void **state)
{
    struct testing *t = *state;
    char buffer[4];
    size_t count;
    asy_address from;
    int ours = new_datagram_socket();
    asy_address address = socket_address(ours);

    sock_faults_begin();
    require_success(t, trace_task(t, asy_sock_sendto(t->loop, ours, "abc", 3, &address, &count)));
    assert_int_equal(count, 3);
    sock_faults_begin();
    require_success(t, trace_task(t, asy_sock_recvfrom(t->loop, ours, buffer, 4, &count, &from)));
    sock_faults_end();
    assert_int_equal(count, 3);
    close(ours);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(no_bytes_are_received_at_once_but_an_empty_datagram_is_waited_for),
        trace_case(what_is_there_is_received_in_one_iteration),
        trace_case(receiving_goes_on_in_the_iteration_after_the_descriptor_is_ready),
        trace_case(end_of_stream_is_nothing_received),
        trace_case(datagram_comes_with_its_sender),
        trace_case(what_is_no_socket_raises_oserror),
        trace_case(debug_mode_refuses_blocking_sockets),
        trace_case(never_awaited_touches_nothing),
        trace_case(second_reader_takes_the_watch_over),
        trace_case(waiting_reader_ends_with_its_loop),
        trace_case(closed_loop_cannot_wait),
        trace_case(sendall_sends_more_than_the_system_takes_at_once),
        trace_case(sendall_of_nothing_is_done_at_once),
        trace_case(sendall_to_nobody_raises_brokenpipeerror),
        trace_case(sendall_that_waits_raises_what_a_later_piece_raises),
        trace_case(receiving_and_sending_survive_an_unhelpful_system),
        trace_case(datagrams_survive_an_unhelpful_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
