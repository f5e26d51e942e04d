/* SPDX-License-Identifier: MIT */
/* sock_connect() and sock_accept(). */
#include "await_trace.h"
#include "sock_faults.h"

#include "core/loop_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static void
run_until_done(struct testing *t, asy_task *task)
{
    for (int i = 0; i < 1000 && !asy_future_done(asy_task_future(task)); i++)
        testing_run_once(t);
    assert_true(asy_future_done(asy_task_future(task)));
}

static void
require_success(struct testing *t, asy_task *task)
{
    run_until_done(t, task);
    require_ok(asy_future_result(asy_task_future(task), NULL));
    asy_task_unref(task);
}

static int
new_stream_socket(int family)
{
    int sock = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(sock >= 0);
    return sock;
}

/* An address where nobody listens: a socket has it, so that nobody else gets it. */
static asy_address
unused_address(int *ret_sock)
{
    struct sockaddr_in address = { .sin_family = AF_INET };

    *ret_sock = new_stream_socket(AF_INET);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(*ret_sock, (const struct sockaddr *)&address, sizeof address), 0);
    return socket_address(*ret_sock);
}

static bool
same_address(const asy_address *left, const asy_address *right)
{
    return left->length == right->length
        && memcmp(&left->storage, &right->storage, left->length) == 0;
}

/* ---- connecting and accepting ---------------------------------------------------------- */

static void
both_ends_of_a_connection(void **state)
{
    struct testing *t = *state;
    int listener = new_listening_socket(), client = new_stream_socket(AF_INET), conn = -1;
    asy_address address = socket_address(listener), from;

    asy_task *accepting = trace_task(t, asy_sock_accept(t->loop, listener, &conn, &from));
    testing_run_once(t);
    require_success(t, trace_task(t, asy_sock_connect(t->loop, client, &address)));
    require_success(t, accepting);
    address = socket_address(client);
    assert_true(same_address(&from, &address));
    assert_true(fcntl(conn, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(conn, F_GETFD) & FD_CLOEXEC);
    peer_send(client, "hello");
    require_received(conn, "hello");
    close(conn);
    close(client);
    close(listener);
}

static void
connection_that_is_there_is_accepted_in_one_iteration(void **state)
{
    struct testing *t = *state;
    int listener = new_listening_socket(), client = new_stream_socket(AF_INET), conn = -1;
    asy_address address = socket_address(listener);

    connect(client, (const struct sockaddr *)&address.storage, address.length);
    asy_task *task = trace_task(t, asy_sock_accept(t->loop, listener, &conn, NULL));
    testing_run_once(t);
    assert_true(asy_future_done(asy_task_future(task)));
    require_success(t, task);
    close(conn);
    close(client);
    close(listener);
}

static void
socket_that_does_not_listen_accepts_nothing(void **state)
{
    struct testing *t = *state;
    int sock = new_stream_socket(AF_INET), conn = -1;
    asy_task *task = trace_task(t, asy_sock_accept(t->loop, sock, &conn, NULL));

    run_until_done(t, task);
    require_error(asy_future_result(asy_task_future(task), NULL), ASY_OSError,
                  "[Errno 22] Invalid argument");
    assert_int_equal(conn, -1);
    asy_task_unref(task);
    close(sock);
}

static void
refused_connection_names_the_address(void **state)
{
    struct testing *t = *state;
    int holder, sock = new_stream_socket(AF_INET);
    asy_address address = unused_address(&holder);
    struct sockaddr_in in;

    memcpy(&in, &address.storage, sizeof in);
    char *text = asy_format("[Errno %d] Connect call failed ('127.0.0.1', %d)", ECONNREFUSED,
                            ntohs(in.sin_port));
    asy_task *task = trace_task(t, asy_sock_connect(t->loop, sock, &address));
    run_until_done(t, task);
    require_error(asy_future_result(asy_task_future(task), NULL), ASY_ConnectionRefusedError,
                  text);
    asy_free(text);
    asy_task_unref(task);
    close(sock);
    close(holder);
}

static void
connecting_to_no_file_fails_at_once(void **state)
{
    struct testing *t = *state;
    int sock = new_stream_socket(AF_UNIX);
    struct sockaddr_un in = { .sun_family = AF_UNIX, .sun_path = "no/such/socket" };
    asy_address address = { .length = sizeof in };

    memcpy(&address.storage, &in, sizeof in);
    asy_task *task = trace_task(t, asy_sock_connect(t->loop, sock, &address));
    testing_run_once(t);
    require_error(asy_future_result(asy_task_future(task), NULL), ASY_FileNotFoundError,
                  "[Errno 2] No such file or directory");
    asy_task_unref(task);
    close(sock);
}

static void
debug_mode_refuses_blocking_sockets(void **state)
{
    struct testing *t = *state;
    int listener = new_listening_socket(), conn = -1;
    asy_address address = socket_address(listener);

    fcntl(listener, F_SETFL, 0);
    asy_loop_set_debug(t->loop, true);
    asy_coro *coros[] = {
        asy_sock_accept(t->loop, listener, &conn, NULL),
        asy_sock_connect(t->loop, listener, &address),
        asy_sock_sendall(t->loop, listener, "x", 1),
    };
    for (size_t i = 0; i < sizeof coros / sizeof coros[0]; i++) {
        require_error(asy_coro_send(coros[i], NULL), ASY_ValueError,
                      "the socket must be non-blocking");
        asy_coro_unref(coros[i]);
    }
    close(listener);
}

static void
connecting_and_accepting_survive_an_unhelpful_system(void **state)
{
    struct testing *t = *state;
    int listener = new_listening_socket(), client = new_stream_socket(AF_INET), conn = -1;
    asy_address address = socket_address(listener);

    sock_faults_begin();
    require_success(t, trace_task(t, asy_sock_connect(t->loop, client, &address)));
    assert_true(sock_faults_count() >= 3);
    sock_faults_begin();
    require_success(t, trace_task(t, asy_sock_accept(t->loop, listener, &conn, NULL)));
    assert_true(sock_faults_count() >= 3);
    sock_faults_end();
    close(conn);
    close(client);
    close(listener);
}

static void
connection_waits_for_descriptors(void **state)
{
    struct testing *t = *state;
    int listener = new_listening_socket(), client = new_stream_socket(AF_INET), conn = -1;
    asy_address address = socket_address(listener);

    connect(client, (const struct sockaddr *)&address.storage, address.length);
    sock_faults_no_descriptors();
    asy_task *task = trace_task(t, asy_sock_accept(t->loop, listener, &conn, NULL));
    run_until_done(t, task);
    sock_faults_end();
    require_error(asy_future_result(asy_task_future(task), NULL), ASY_OSError,
                  "[Errno 24] Too many open files");
    asy_task_unref(task);
    require_success(t, trace_task(t, asy_sock_accept(t->loop, listener, &conn, NULL)));
    close(conn);
    close(client);
    close(listener);
}

static void
connecting_that_was_interrupted_can_still_be_refused(void **state)
{
    struct testing *t = *state;
    int holder, sock = new_stream_socket(AF_INET);
    asy_address address = unused_address(&holder);

    sock_faults_begin();
    asy_task *task = trace_task(t, asy_sock_connect(t->loop, sock, &address));
    run_until_done(t, task);
    sock_faults_end();
    asy_error *err = asy_future_result(asy_task_future(task), NULL);
    assert_true(asy_error_is_a(err, ASY_ConnectionRefusedError));
    asy_error_unref(err);
    asy_task_unref(task);
    close(sock);
    close(holder);
}

/* The system's answer is EAGAIN, and an error of the socket there is none. */
static void
full_queue_of_a_unix_listener_is_no_connection(void **state)
{
    struct testing *t = *state;
    struct sockaddr_un nameless = { .sun_family = AF_UNIX };
    int listener = new_stream_socket(AF_UNIX), clients[3];
    asy_error *err = ASY_OK;
    size_t count = 0;

    assert_int_equal(bind(listener, (const struct sockaddr *)&nameless,
                          sizeof nameless.sun_family), 0);
    assert_int_equal(listen(listener, 0), 0);
    asy_address address = socket_address(listener);
    while (!err && count < 3) {
        clients[count] = new_stream_socket(AF_UNIX);
        asy_task *task = trace_task(t, asy_sock_connect(t->loop, clients[count++], &address));
        run_until_done(t, task);
        err = asy_future_result(asy_task_future(task), NULL);
        asy_task_unref(task);
    }
    assert_non_null(err);
    assert_int_equal(err->kind, ASY_BlockingIOError);
    assert_int_equal(err->errnum, EAGAIN);
    asy_error_unref(err);
    while (count > 0)
        close(clients[--count]);
    close(listener);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(both_ends_of_a_connection),
        trace_case(connection_that_is_there_is_accepted_in_one_iteration),
        trace_case(socket_that_does_not_listen_accepts_nothing),
        trace_case(refused_connection_names_the_address),
        trace_case(connecting_to_no_file_fails_at_once),
        trace_case(debug_mode_refuses_blocking_sockets),
        trace_case(connecting_and_accepting_survive_an_unhelpful_system),
        trace_case(connection_waits_for_descriptors),
        trace_case(connecting_that_was_interrupted_can_still_be_refused),
        trace_case(full_queue_of_a_unix_listener_is_no_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
