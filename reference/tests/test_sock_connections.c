/* SPDX-License-Identifier: MIT */
/* sock_connect() and sock_accept(); and sock_sendall() that is cancelled. */
#include "await_trace.h"
#include "cancel_sweep.h"
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
    assert_int_equal(sock_faults_count(), 3);
    sock_faults_begin();
    require_success(t, trace_task(t, asy_sock_accept(t->loop, listener, &conn, NULL)));
    assert_int_equal(sock_faults_count(), 3);
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

/* ---- the cancel sweep ------------------------------------------------------------------ */

struct ends {
    int               listener;
    int               client;
    int               conn;
    asy_address       address;
    asy_timer_handle *timer;
    bool              connected;            /* the client has begun to connect */
    char             *big;
    size_t            drained;
};

static struct ends *
new_ends(void **ret_data)
{
    struct ends *ends = *ret_data = asy_alloc(sizeof *ends);

    ends->listener = new_listening_socket();
    ends->client = new_stream_socket(AF_INET);
    ends->conn = -1;
    ends->address = socket_address(ends->listener);
    return ends;
}

static asy_error *
connect_client(void *argument)
{
    struct ends *ends = argument;

    ends->connected = true;
    connect(ends->client, (const struct sockaddr *)&ends->address.storage, ends->address.length);
    return ASY_OK;
}

static asy_coro *
make_accept(struct testing *t, void **ret_data)
{
    struct ends *ends = new_ends(ret_data);

    require_ok(asy_loop_call_later(t->loop, 1, asy_borrow(connect_client, ends), &ends->timer));
    return asy_sock_accept(t->loop, ends->listener, &ends->conn, NULL);
}

static asy_coro *
make_connect(struct testing *t, void **ret_data)
{
    struct ends *ends = new_ends(ret_data);
    return asy_sock_connect(t->loop, ends->client, &ends->address);
}

static void
require_connection(struct testing *t, void *data)
{
    struct ends *ends = data;

    (void)t;
    if (ends->timer)
        assert_true(ends->conn >= 0);
}

/* A connection that a cancelled coroutine has not accepted is still there. */
static void
release_ends(struct testing *t, void *data)
{
    struct ends *ends = data;

    (void)t;
    if (ends->connected && ends->conn < 0) {
        ends->conn = accept(ends->listener, NULL, NULL);
        assert_true(ends->conn >= 0);
    }
    if (ends->conn >= 0)
        close(ends->conn);
    if (ends->timer)
        asy_handle_cancel(asy_timer_handle_base(ends->timer));
    asy_timer_handle_unref(ends->timer);
    close(ends->client);
    close(ends->listener);
}

static void
accepting_may_be_cancelled_at_any_time_and_loses_nothing(void **state)
{
    (void)state;
    assert_int_equal(cancel_sweep(&(struct cancel_sweep){
        .name = "sock_accept", .make = make_accept, .require_result = require_connection,
        .release = release_ends,
    }), 4);
}

static void
connecting_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_int_equal(cancel_sweep(&(struct cancel_sweep){
        .name = "sock_connect", .make = make_connect, .require_result = require_connection,
        .release = release_ends,
    }), 3);
}

/* ---- sendall: a peer that reads from time to time ---------------------------------------- */

#define BIG (1 << 20)

static asy_error *
drain(void *argument)
{
    struct ends *ends = argument;
    char buffer[4096];
    ssize_t count;

    while ((count = read(ends->conn, buffer, sizeof buffer)) > 0)
        ends->drained += (size_t)count;
    return ASY_OK;
}

static asy_coro *
make_sendall(struct testing *t, void **ret_data)
{
    struct ends *ends = *ret_data = asy_alloc(sizeof *ends);
    int fds[2];

    testing_socket_pair(fds);
    ends->client = fds[0];
    ends->conn = fds[1];
    ends->big = asy_alloc(BIG);
    require_ok(asy_loop_add_reader(t->loop, ends->conn, asy_borrow(drain, ends)));
    return asy_sock_sendall(t->loop, ends->client, ends->big, BIG);
}

static void
require_all_sent(struct testing *t, void *data)
{
    struct ends *ends = data;

    (void)t;
    require_ok(drain(ends));
    assert_int_equal(ends->drained, BIG);
}

static void
release_sendall(struct testing *t, void *data)
{
    struct ends *ends = data;

    require_ok(asy_loop_remove_reader(t->loop, ends->conn, NULL));
    testing_close_pair((int[]){ ends->client, ends->conn });
    asy_free(ends->big);
}

static void
sending_all_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_true(cancel_sweep(&(struct cancel_sweep){
        .name = "sock_sendall", .make = make_sendall, .require_result = require_all_sent,
        .release = release_sendall,
    }) > 4);
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
        cmocka_unit_test(accepting_may_be_cancelled_at_any_time_and_loses_nothing),
        cmocka_unit_test(connecting_may_be_cancelled_at_any_time),
        cmocka_unit_test(sending_all_may_be_cancelled_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
