/* SPDX-License-Identifier: MIT */
/*
 * Each coroutine of sockets, cancelled at any time: what it has not received, the next one
 * receives; what it has not accepted, the next one accepts; and after it nothing is sent.
 */
#include "await_trace.h"
#include "cancel_sweep.h"
#include "sock_faults.h"
#include "system_faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BIG (1 << 20)               /* more than the system keeps for a socket */

/* Of one operation. What does not apply stays 0. */
struct ends {
    int               ours;
    int               theirs;
    int               conn;         /* what was accepted, or -1 */
    int               file;
    asy_address       address;
    asy_address       from;
    asy_timer_handle *timer;
    bool              acted;        /* the peer has done what the operation waits for */
    size_t            count;        /* the operation's result */
    size_t            received;     /* by the peer */
    char              buffer[8];
    char             *big;
};

static struct ends *
new_ends(void **ret_data)
{
    struct ends *ends = *ret_data = asy_alloc(sizeof *ends);

    ends->conn = -1;
    ends->file = -1;
    return ends;
}

/* The peer acts in a second. */
static void
act_later(struct testing *t, struct ends *ends, asy_error *(*act)(void *))
{
    require_ok(asy_loop_call_later(t->loop, 1, asy_borrow(act, ends), &ends->timer));
}

static void
close_ends(struct ends *ends)
{
    if (ends->timer)
        asy_handle_cancel(asy_timer_handle_base(ends->timer));
    asy_timer_handle_unref(ends->timer);
    close(ends->ours);
    close(ends->theirs);
    if (ends->conn >= 0)
        close(ends->conn);
    if (ends->file >= 0)
        close(ends->file);
    asy_free(ends->big);
}

/* Run another coroutine, of the same loop, to its end. */
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

static int
sweep(const char *name, asy_coro *(*make)(struct testing *, void **),
      void (*require_result)(struct testing *, void *), void (*release)(struct testing *, void *))
{
    return cancel_sweep(&(struct cancel_sweep){
        .name = name, .make = make, .require_result = require_result, .release = release,
    });
}

/* ---- receiving ------------------------------------------------------------------------ */

static asy_error *
send_to_us(void *argument)
{
    struct ends *ends = argument;

    ends->acted = true;
    if (ends->address.length > 0) {
        const struct sockaddr *address = (const struct sockaddr *)&ends->address.storage;
        assert_int_equal(sendto(ends->theirs, "abc", 3, 0, address, ends->address.length), 3);
    } else {
        peer_send(ends->theirs, "abc");
    }
    return ASY_OK;
}

static asy_coro *
make_recv(struct testing *t, void **ret_data)
{
    struct ends *ends = new_ends(ret_data);
    int fds[2];

    testing_socket_pair(fds);
    ends->ours = fds[0];
    ends->theirs = fds[1];
    act_later(t, ends, send_to_us);
    return asy_sock_recv(t->loop, ends->ours, ends->buffer, 8, &ends->count);
}

static asy_coro *
make_recvfrom(struct testing *t, void **ret_data)
{
    struct ends *ends = new_ends(ret_data);

    ends->ours = new_datagram_socket();
    ends->theirs = new_datagram_socket();
    ends->address = socket_address(ends->ours);
    act_later(t, ends, send_to_us);
    return asy_sock_recvfrom(t->loop, ends->ours, ends->buffer, 8, &ends->count, &ends->from);
}

static void
require_some(struct testing *t, void *data)
{
    struct ends *ends = data;

    (void)t;
    assert_int_equal(ends->count, ends->address.length > 0 ? 3 : RECEIVED_AT_ONCE(3));
}

/* Who is cancelled has received nothing: the next ones receive it all. */
static void
receive_the_rest(struct testing *t, void *data)
{
    struct ends *ends = data;
    size_t total = ends->count, count;

    while (ends->acted && total < 3) {
        require_ok(outcome(t, asy_sock_recv(t->loop, ends->ours, ends->buffer + total, 8 - total,
                                            &count)));
        total += count;
    }
    if (ends->acted)
        assert_string_equal(ends->buffer, "abc");
    close_ends(ends);
}

static void
receiving_may_be_cancelled_at_any_time_and_loses_nothing(void **state)
{
    (void)state;
    assert_int_equal(sweep("sock_recv", make_recv, require_some, receive_the_rest), 4);
    assert_int_equal(sweep("sock_recvfrom", make_recvfrom, require_some, receive_the_rest), 4);
}

/* ---- accepting and connecting ------------------------------------------------------------ */

static struct ends *
new_listener_and_client(void **ret_data)
{
    struct ends *ends = new_ends(ret_data);

    ends->ours = new_listening_socket();
    ends->theirs = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ends->address = socket_address(ends->ours);
    return ends;
}

static asy_error *
connect_to_us(void *argument)
{
    struct ends *ends = argument;

    ends->acted = true;
    connect(ends->theirs, (const struct sockaddr *)&ends->address.storage, ends->address.length);
    return ASY_OK;
}

static asy_coro *
make_accept(struct testing *t, void **ret_data)
{
    struct ends *ends = new_listener_and_client(ret_data);

    act_later(t, ends, connect_to_us);
    return asy_sock_accept(t->loop, ends->ours, &ends->conn, NULL);
}

static void
require_connection(struct testing *t, void *data)
{
    struct ends *ends = data;

    (void)t;
    assert_true(ends->conn >= 0);
}

/* Who is cancelled has accepted nothing: the next one accepts it. */
static void
accept_the_connection(struct testing *t, void *data)
{
    struct ends *ends = data;

    if (ends->acted && ends->conn < 0)
        require_ok(outcome(t, asy_sock_accept(t->loop, ends->ours, &ends->conn, NULL)));
    close_ends(ends);
}

static asy_coro *
make_connect(struct testing *t, void **ret_data)
{
    struct ends *ends = new_listener_and_client(ret_data);

    return asy_sock_connect(t->loop, ends->theirs, &ends->address);
}

/* Nobody listens where the datagram socket is bound. */
static asy_coro *
make_refused(struct testing *t, void **ret_data)
{
    struct ends *ends = new_listener_and_client(ret_data);

    close(ends->ours);
    ends->ours = new_datagram_socket();
    ends->address = socket_address(ends->ours);
    return asy_sock_connect(t->loop, ends->theirs, &ends->address);
}

static void
require_peer(struct testing *t, void *data)
{
    struct ends *ends = data;

    (void)t;
    assert_int_equal(getpeername(ends->theirs, (struct sockaddr *)&ends->address.storage,
                                 &ends->address.length), 0);
}

static void
just_close(struct testing *t, void *data)
{
    (void)t;
    close_ends(data);
}

static void
accepting_may_be_cancelled_at_any_time_and_loses_no_connection(void **state)
{
    (void)state;
    assert_int_equal(sweep("sock_accept", make_accept, require_connection, accept_the_connection),
                     4);
}

static void
connecting_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_int_equal(sweep("sock_connect", make_connect, require_peer, just_close), 3);
    assert_int_equal(cancel_sweep(&(struct cancel_sweep){
        .name = "sock_connect, refused", .make = make_refused, .release = just_close,
        .raises = ASY_ConnectionRefusedError,
    }), 3);
}

/* ---- sending: to a peer that reads from time to time ---------------------------------------- */

static char
byte_at(size_t place)
{
    return (char)(place % 251);
}

/* The peer reads all there is: what is sent is the beginning of the data. */
static asy_error *
drain(void *argument)
{
    struct ends *ends = argument;
    char buffer[4096];
    ssize_t count;

    while ((count = read(ends->theirs, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < count; i++)
            assert_int_equal(buffer[i], byte_at(ends->received++));
    }
    return ASY_OK;
}

static struct ends *
new_reading_peer(struct testing *t, void **ret_data)
{
    struct ends *ends = new_ends(ret_data);
    int fds[2];

    testing_socket_pair(fds);
    ends->ours = fds[0];
    ends->theirs = fds[1];
    ends->big = asy_alloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        ends->big[i] = byte_at(i);
    require_ok(asy_loop_add_reader(t->loop, ends->theirs, asy_borrow(drain, ends)));
    return ends;
}

static asy_coro *
make_sendall(struct testing *t, void **ret_data)
{
    struct ends *ends = new_reading_peer(t, ret_data);

    ends->count = BIG;
    return asy_sock_sendall(t->loop, ends->ours, ends->big, BIG);
}

static asy_coro *
make_sendfile(struct testing *t, void **ret_data)
{
    struct ends *ends = new_reading_peer(t, ret_data);
    char name[] = "/tmp/test_sock_cancel_XXXXXX";

    ends->file = mkstemp(name);
    assert_true(ends->file >= 0);
    unlink(name);
    assert_int_equal(write(ends->file, ends->big, BIG), BIG);
    lseek(ends->file, 0, SEEK_SET);
    return asy_sock_sendfile(t->loop, ends->ours, ends->file, 0, 0, false, &ends->count);
}

static void
require_all_sent(struct testing *t, void *data)
{
    struct ends *ends = data;

    (void)t;
    require_ok(drain(ends));
    assert_int_equal(ends->count, BIG);
    assert_int_equal(ends->received, BIG);
}

/* Once it has ended nothing more is sent, though there is room. The position of a file tells how
 * much was sent. */
static void
require_nothing_more(struct testing *t, void *data)
{
    struct ends *ends = data;

    require_ok(drain(ends));
    size_t received = ends->received;
    for (int i = 0; i < 3; i++) {
        testing_call_soon(t, "");
        testing_run_once(t);
    }
    require_ok(drain(ends));
    assert_int_equal(ends->received, received);
    if (ends->file >= 0)
        assert_int_equal(lseek(ends->file, 0, SEEK_CUR), (off_t)received);
    require_ok(asy_loop_remove_reader(t->loop, ends->theirs, NULL));
    close_ends(ends);
}

static void
sending_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_true(sweep("sock_sendall", make_sendall, require_all_sent, require_nothing_more) > 4);
    assert_true(sweep("sock_sendfile", make_sendfile, require_all_sent, require_nothing_more) > 4);
}

/* ---- a datagram for which there is no room yet -------------------------------------------- */

/* How many datagrams of this text there are in the peer's queue. */
static size_t
count_datagrams(struct ends *ends, const char *text)
{
    char buffer[8] = { 0 };
    size_t count = 0;

    while (read(ends->theirs, buffer, sizeof buffer - 1) >= 0)
        count += strcmp(buffer, text) == 0;
    assert_int_equal(errno, EAGAIN);
    return count;
}

static asy_error *
make_room(void *argument)
{
    struct ends *ends = argument;

    ends->acted = true;
    assert_true(count_datagrams(ends, "full") > 0);
    return ASY_OK;
}

static asy_coro *
make_sendto(struct testing *t, void **ret_data)
{
    struct ends *ends = new_ends(ret_data);
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    ends->ours = fds[0];
    ends->theirs = fds[1];
    while (send(ends->ours, "full", 4, 0) == 4)
        continue;
    assert_int_equal(errno, EAGAIN);
    act_later(t, ends, make_room);
    return asy_sock_sendto(t->loop, ends->ours, "data", 4, NULL, &ends->count);
}

static void
require_four(struct testing *t, void *data)
{
    struct ends *ends = data;

    (void)t;
    assert_int_equal(ends->count, 4);
}

/* Sent once, or not at all. */
static void
require_one_or_none(struct testing *t, void *data)
{
    struct ends *ends = data;

    (void)t;
    assert_int_equal(count_datagrams(ends, "data"), ends->count == 4);
    close_ends(ends);
}

static void
datagram_of_a_cancelled_task_is_not_sent(void **state)
{
    (void)state;
    assert_in_range(sweep("sock_sendto", make_sendto, require_four, require_one_or_none), 4,
                    UNDER_FAULTS ? 6 : 4);          /* one refusal more */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receiving_may_be_cancelled_at_any_time_and_loses_nothing),
        cmocka_unit_test(accepting_may_be_cancelled_at_any_time_and_loses_no_connection),
        cmocka_unit_test(connecting_may_be_cancelled_at_any_time),
        cmocka_unit_test(sending_may_be_cancelled_at_any_time),
        cmocka_unit_test(datagram_of_a_cancelled_task_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
