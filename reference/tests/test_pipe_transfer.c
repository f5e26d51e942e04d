/* SPDX-License-Identifier: MIT */
/*
 * Much data through a pipe both ends of which are transports, whatever pieces the system makes of
 * it: no byte is lost, doubled, or out of its turn, and flow control holds. In the fault build
 * these are the tests in which a transport meets every fault itself.
 */
#include "base/fd.h"
#include "pipe_trace.h"

#include <fcntl.h>
#include <unistd.h>

#define PIECE 1000
#define PIECES 160                  /* more than a pipe holds, and a buffer that is full */

/* ---- the two protocols ------------------------------------------------------------------ */

struct sender {
    asy_protocol   protocol;        /* first */
    asy_transport *transport;
    int            sent;            /* pieces */
    int            pauses;
    bool           paused;
    bool           lost;
};

struct receiver {
    asy_protocol   protocol;        /* first */
    asy_transport *transport;
    size_t         received;        /* bytes, all of them as they should be */
    bool           ended;
    bool           lost;
};

static unsigned char
byte_at(size_t position)
{
    return (unsigned char)(position % 251);
}

static asy_error *
send_until_paused(struct sender *self)
{
    unsigned char piece[PIECE];

    for (; !self->paused && self->sent < PIECES; self->sent++) {
        for (size_t i = 0; i < PIECE; i++)
            piece[i] = byte_at((size_t)self->sent * PIECE + i);
        TRY(asy_transport_write(self->transport, piece, PIECE));
    }
    return ASY_OK;
}

static asy_error *
sender_made(asy_protocol *protocol, asy_transport *transport)
{
    struct sender *self = (struct sender *)protocol;

    self->transport = transport;
    return send_until_paused(self);
}

static asy_error *
sender_pause(asy_protocol *protocol)
{
    struct sender *self = (struct sender *)protocol;

    assert_false(self->paused);
    self->paused = true;
    self->pauses++;
    return ASY_OK;
}

static asy_error *
sender_resume(asy_protocol *protocol)
{
    struct sender *self = (struct sender *)protocol;

    assert_true(self->paused);
    self->paused = false;
    return send_until_paused(self);
}

static asy_error *
sender_lost(asy_protocol *protocol, asy_error *exc)
{
    assert_null(exc);
    ((struct sender *)protocol)->lost = true;
    return ASY_OK;
}

static const asy_protocol_methods sender_methods = {
    .connection_made = sender_made,
    .pause_writing = sender_pause,
    .resume_writing = sender_resume,
    .connection_lost = sender_lost,
};

static asy_error *
receiver_data(asy_protocol *protocol, const void *data, size_t size)
{
    struct receiver *self = (struct receiver *)protocol;
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], byte_at(self->received + i));
    self->received += size;
    return ASY_OK;
}

static asy_error *
receiver_eof(asy_protocol *protocol, bool *ret_keep_open)
{
    (void)ret_keep_open;
    ((struct receiver *)protocol)->ended = true;
    return ASY_OK;
}

static asy_error *
receiver_lost(asy_protocol *protocol, asy_error *exc)
{
    struct receiver *self = (struct receiver *)protocol;

    assert_null(exc);
    assert_true(self->ended);
    self->lost = true;
    return ASY_OK;
}

static const asy_protocol_methods receiver_methods = {
    .data_received = receiver_data,
    .eof_received = receiver_eof,
    .connection_lost = receiver_lost,
};

/* ---- the transfer ------------------------------------------------------------------------ */

static asy_transport *
connect_protocol(struct testing *t, bool reads, int fd, asy_protocol *protocol)
{
    const asy_pipe pipe = { .fd = fd };
    asy_transport *transport;

    require_ok(reads ? asy_read_pipe_transport_new(t->loop, &pipe, protocol, NULL, NULL, &transport)
                     : asy_write_pipe_transport_new(t->loop, &pipe, protocol, NULL, NULL,
                                                    &transport));
    return transport;
}

static void
transfer(struct testing *t, int fds[2])
{
    struct sender sender = { .protocol = { &sender_methods } };
    struct receiver receiver = { .protocol = { &receiver_methods } };
    asy_transport *writer = connect_protocol(t, false, fds[1], &sender.protocol);
    asy_transport *reader = connect_protocol(t, true, fds[0], &receiver.protocol);

    for (int i = 0; i < 3 * PIECE * PIECES && !(sender.lost && receiver.lost); i++) {
        if (sender.sent == PIECES)
            require_ok(asy_transport_close(writer));
        testing_run_once(t);
    }
    assert_int_equal(receiver.received, PIECE * PIECES);
    assert_true(sender.lost && receiver.lost);
    assert_true(sender.pauses > 0);
    assert_false(sender.paused);
    asy_transport_unref(reader);
    asy_transport_unref(writer);
    assert_string_equal(t->log, "");
}

static void
all_that_is_written_to_a_pipe_is_received(void **state)
{
    int fds[2];

    new_pipe(fds);
    transfer(*state, fds);
}

static void
all_that_is_written_to_a_socket_is_received(void **state)
{
    int fds[2], size = 4096;

    testing_socket_pair(fds);
    assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    transfer(*state, fds);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(all_that_is_written_to_a_pipe_is_received),
        testing_case(all_that_is_written_to_a_socket_is_received),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
