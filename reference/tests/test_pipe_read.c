/* SPDX-License-Identifier: MIT */
/* The transport that reads from a pipe. Traces are those of oracle/pipe_traces.py. */
#include "pipe_trace.h"

#include "io/pipe_calls.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- order and iterations ------------------------------------------------------------ */

static void
reading_begins_after_connection_made(void **state)
{
    struct testing *t = *state;
    struct witness *witness = witness_new(t, "");
    int fds[2];

    new_pipe(fds);
    put(fds[1], "abc");
    begin(witness, true, fds[0]);
    trace_run(t, 4);
    require_trace(t, "1:c> 2:made 3:c=ok 3:data=abc");
    witness_end(witness);
    close(fds[1]);
}

static void
data_end_and_connection_lost(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);

    put(theirs, "abc");
    trace_run(t, 1);
    close(theirs);
    trace_run(t, 3);
    require_trace(t, "1:data=abc 3:eof 3:lost");
    assert_true(asy_transport_is_closing(witness->transport));
    assert_null(asy_transport_get_protocol(witness->transport));
    witness_end(witness);
}

static void
close_queues_connection_lost(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);

    put(theirs, "never read");
    mark(t, "x");
    require_ok(asy_transport_close(witness->transport));
    require_ok(asy_transport_close(witness->transport));
    mark(t, "y");
    trace_run(t, 2);
    require_trace(t, "1:x 1:lost 1:y");
    witness_end(witness);
    close(theirs);
}

static asy_error *
pause_when_made(struct witness *self, const char *event)
{
    return strcmp(event, "made") == 0 ? asy_transport_pause_reading(self->transport) : ASY_OK;
}

static void
pausing_in_connection_made(void **state)
{
    struct testing *t = *state;
    struct witness *witness = witness_new(t, "");
    int fds[2];

    new_pipe(fds);
    put(fds[1], "abc");
    witness->act = pause_when_made;
    begin(witness, true, fds[0]);
    trace_run(t, 4);
    require_ok(asy_transport_resume_reading(witness->transport));
    trace_run(t, 1);
    require_trace(t, "1:c> 2:made 3:c=ok 5:data=abc");
    witness_end(witness);
    close(fds[1]);
}

static asy_error *
close_when_made(struct witness *self, const char *event)
{
    return strcmp(event, "made") == 0 ? asy_transport_close(self->transport) : ASY_OK;
}

static void
closing_in_connection_made(void **state)
{
    struct testing *t = *state;
    struct witness *witness = witness_new(t, "");
    int fds[2];

    new_pipe(fds);
    witness->act = close_when_made;
    begin(witness, true, fds[0]);
    trace_run(t, 5);
    require_trace(t, "1:c> 2:made 3:lost 3:c=ok");
    witness_end(witness);
    close(fds[1]);
}

static asy_error *
pause_reading(void *transport)
{
    return asy_transport_pause_reading(transport);
}

static void
pausing_takes_the_data_from_the_queue(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);

    put(theirs, "abc");
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(pause_reading, witness->transport), NULL));
    trace_run(t, 2);
    require_ok(asy_transport_resume_reading(witness->transport));
    trace_run(t, 1);
    require_trace(t, "3:data=abc");
    witness_end(witness);
    close(theirs);
}

static void
closing_while_paused(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);

    require_ok(asy_transport_pause_reading(witness->transport));
    close(theirs);
    trace_run(t, 1);
    require_ok(asy_transport_close(witness->transport));
    require_ok(asy_transport_resume_reading(witness->transport));
    trace_run(t, 2);
    require_trace(t, "2:lost");
    witness_end(witness);
}

static asy_error *
raise_lookup_error(struct witness *self, const char *event)
{
    (void)self;
    RAISE(LookupError, "in %s", event);
}

static void
error_in_data_received_is_reported(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);

    witness->act = raise_lookup_error;
    put(theirs, "abc");
    trace_run(t, 1);
    put(theirs, "def");
    trace_run(t, 1);
    require_trace(t, "1:data=abc 1:report:Exception in callback _U "
                     "2:data=def 2:report:Exception in callback _U");
    witness_end(witness);
    close(theirs);
}

static void
error_in_connection_lost_is_reported(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);

    witness->act = raise_lookup_error;
    require_ok(asy_transport_close(witness->transport));
    trace_run(t, 2);
    require_trace(t, "1:lost 1:report:Exception in callback _U");
    assert_null(asy_transport_get_protocol(witness->transport));
    assert_true(asy_transport_is_closed(witness->transport));
    witness_end(witness);
    close(theirs);
}

static asy_error *
set_second(void *argument)
{
    struct witness *self = argument;
    asy_transport_set_protocol(self->transport, &self->second->protocol);
    return ASY_OK;
}

static void
protocol_that_is_set_gets_the_rest(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);

    witness->second = witness_new(t, "2");
    put(theirs, "abc");
    trace_run(t, 1);
    require_ok(set_second(witness));
    assert_ptr_equal(asy_transport_get_protocol(witness->transport), &witness->second->protocol);
    put(theirs, "def");
    trace_run(t, 1);
    asy_transport_set_protocol(witness->transport, &witness->protocol);
    close(theirs);
    require_ok(asy_loop_call_at(t->loop, t->now, asy_borrow(set_second, witness), NULL));
    trace_run(t, 2);
    require_trace(t, "1:data=abc 2:2data=def 4:eof 4:2lost");
    witness_end(witness->second);
    witness_end(witness);
}

static asy_error *
close_on_data(struct witness *self, const char *event)
{
    return strcmp(event, "data") == 0 ? asy_transport_close(self->transport) : ASY_OK;
}

static void
data_and_closing_by_the_protocol(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);

    witness->act = close_on_data;
    put(theirs, "abc");
    trace_run(t, 1);
    put(theirs, "def");
    close(theirs);
    trace_run(t, 2);
    require_trace(t, "1:data=abc 2:lost");
    witness_end(witness);
}

/* ---- methods and texts ----------------------------------------------------------------- */

static void
require_text(asy_transport *transport, const char *before, const char *after)
{
    const int *fd = asy_transport_get_extra_info(transport, "pipe", NULL);
    char *text = asy_transport_describe(transport);
    char *expected = asy_format("<_UnixReadPipeTransport %sfd=%d %s>", before, *fd, after);

    assert_string_equal(text, expected);
    asy_free(expected);
    asy_free(text);
}

static void
text_tells_the_state(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);
    asy_transport *transport = witness->transport;

    require_text(transport, "", "polling");
    require_ok(asy_transport_pause_reading(transport));
    require_text(transport, "", "idle");
    require_ok(asy_transport_close(transport));
    require_text(transport, "closing ", "idle");
    trace_run(t, 1);
    require_text(transport, "closed ", "closed");
    require_trace(t, "1:lost");
    witness_end(witness);
    close(theirs);
}

static void
is_reading_unless_paused_or_closing(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);
    asy_transport *transport = witness->transport;
    bool reading;

    require_ok(asy_transport_is_reading(transport, &reading));
    assert_true(reading);
    require_ok(asy_transport_pause_reading(transport));
    require_ok(asy_transport_pause_reading(transport));
    require_ok(asy_transport_is_reading(transport, &reading));
    assert_false(reading);
    require_ok(asy_transport_resume_reading(transport));
    require_ok(asy_transport_resume_reading(transport));
    assert_false(asy_transport_is_closing(transport));
    require_ok(asy_transport_close(transport));
    require_ok(asy_transport_is_reading(transport, &reading));
    assert_false(reading);
    assert_true(asy_transport_is_closing(transport));
    witness_end(witness);
    close(theirs);
}

static void
methods_of_writing_are_not_implemented(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);
    asy_transport *transport = witness->transport;
    int64_t low, high;
    size_t size;
    bool can;

    require_error(asy_transport_write(transport, "a", 1), ASY_NotImplementedError, "");
    require_error(asy_transport_writelines(transport, NULL, 0), ASY_NotImplementedError, "");
    require_error(asy_transport_write_eof(transport), ASY_NotImplementedError, "");
    require_error(asy_transport_can_write_eof(transport, &can), ASY_NotImplementedError, "");
    require_error(asy_transport_abort(transport), ASY_NotImplementedError, "");
    require_error(asy_transport_get_write_buffer_size(transport, &size), ASY_NotImplementedError,
                  "");
    require_error(asy_transport_get_write_buffer_limits(transport, &low, &high),
                  ASY_NotImplementedError, "");
    require_error(asy_transport_set_write_buffer_limits(transport, NULL, NULL),
                  ASY_NotImplementedError, "");
    witness_end(witness);
    close(theirs);
}

static void
debug_mode_logs_what_happens(void **state)
{
    struct testing *t = *state;
    int fds[2];
    struct witness *witness = witness_new(t, "");

    asy_loop_set_debug(t->loop, true);
    new_pipe(fds);
    begin(witness, true, fds[0]);
    trace_run(t, 3);
    require_ok(asy_transport_pause_reading(witness->transport));
    require_ok(asy_transport_resume_reading(witness->transport));
    close(fds[1]);
    trace_run(t, 2);
    assert_non_null(strstr(t->log, "DEBUG Read pipe "));
    assert_non_null(strstr(t->log, " connected: (<_UnixReadPipeTransport fd="));
    assert_non_null(strstr(t->log, " idle> pauses reading\n"));
    assert_non_null(strstr(t->log, " polling> resumes reading\n"));
    assert_non_null(strstr(t->log, "INFO <_UnixReadPipeTransport fd="));
    assert_non_null(strstr(t->log, " polling> was closed by peer\n"));
    witness_end(witness);
}

/* ---- faults ------------------------------------------------------------------------------ */

static int reads_left_to_fail;

static ssize_t
failing_read(int fd, void *buffer, size_t size)
{
    if (reads_left_to_fail-- > 0) {
        errno = EAGAIN;
        return -1;
    }
    return read(fd, buffer, size < 1 ? size : 1);
}

static void
descriptor_that_is_not_ready_after_all_is_tried_again(void **state)
{
    struct testing *t = *state;
    struct pipe_calls calls = system_pipe_calls;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);

    calls.read = failing_read;
    pipe_calls = &calls;
    reads_left_to_fail = 2;
    put(theirs, "ab");
    trace_run(t, 4);
    require_trace(t, "3:data=a 4:data=b");
    witness_end(witness);
    close(theirs);
}

static void
big_data_come_in_pieces_of_an_iteration(void **state)
{
    struct testing *t = *state;
    int fds[2], size = 4 << 20;

    testing_socket_pair(fds);
    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    struct witness *witness = connect_end(t, true, fds[0]);
    char *bytes = asy_alloc(300000);
    ssize_t sent = write(fds[1], bytes, 300000);
    asy_free(bytes);
    trace_run(t, 1);
    if (sent == 300000)
        require_trace(t, "1:data#262144");
    witness_end(witness);
    close(fds[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        pipe_case(reading_begins_after_connection_made),
        pipe_case(data_end_and_connection_lost),
        pipe_case(close_queues_connection_lost),
        pipe_case(pausing_in_connection_made),
        pipe_case(closing_in_connection_made),
        pipe_case(pausing_takes_the_data_from_the_queue),
        pipe_case(closing_while_paused),
        pipe_case(error_in_data_received_is_reported),
        pipe_case(error_in_connection_lost_is_reported),
        pipe_case(protocol_that_is_set_gets_the_rest),
        pipe_case(data_and_closing_by_the_protocol),
        pipe_case(text_tells_the_state),
        pipe_case(is_reading_unless_paused_or_closing),
        pipe_case(methods_of_writing_are_not_implemented),
        pipe_case(debug_mode_logs_what_happens),
        pipe_case(descriptor_that_is_not_ready_after_all_is_tried_again),
        pipe_case(big_data_come_in_pieces_of_an_iteration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
