/* SPDX-License-Identifier: MIT */
/* The transport that reads from a pipe. Traces are those of oracle/pipe_traces.py. */
#include "base/fd.h"
#include "pipe_trace.h"

#include "core/loop_impl.h"
#include "io/pipe_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/* ---- other kinds of descriptors ------------------------------------------------------- */

/* Two connected sockets, the second of which resets the connection when it is closed. */
static void
new_connection(int fds[2])
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    const struct linger reset = { 1, 0 };
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fds[0], (struct sockaddr *)&address, size), 0);
    fds[1] = accept(listener, NULL, NULL);
    assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close(listener);
}

static void
reset_connection_is_reported(void **state)
{
    struct testing *t = *state;
    int fds[2];

    new_connection(fds);
    struct witness *witness = connect_end(t, true, fds[0]);
    close(fds[1]);
    trace_run(t, 3);
    require_trace(t, "1:report:Fatal read error on pipe 2:lost=ConnectionResetError");
    witness_end(witness);
}

/* What a terminal says when its other side is closed. */
static void
end_of_a_terminal_is_not_reported(void **state)
{
    struct testing *t = *state;
    int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    assert_int_equal(grantpt(ours), 0);
    assert_int_equal(unlockpt(ours), 0);
    int theirs = open(ptsname(ours), O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct witness *witness = connect_end(t, true, ours);
    asy_loop_set_debug(t->loop, true);
    close(theirs);
    for (int i = 0; i < 1000 && !asy_transport_is_closed(witness->transport); i++)
        testing_run_once(t);
    require_trace(t, "0:lost=OSError");
    assert_non_null(strstr(t->log, ": Fatal read error on pipe transport\n  OSError: [Errno 5]"));
    witness_end(witness);
}

static void
fifo_is_a_pipe(void **state)
{
    struct testing *t = *state;
    char folder[] = "/tmp/asy-fifo-XXXXXX";

    assert_non_null(mkdtemp(folder));
    char *path = asy_format("%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    int ours = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int theirs = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    struct witness *witness = connect_end(t, true, ours);
    put(theirs, "abc");
    close(theirs);
    trace_run(t, 3);
    require_trace(t, "1:data=abc 3:eof 3:lost");
    witness_end(witness);
    unlink(path);
    rmdir(folder);
    asy_free(path);
}

/* The descriptor stays the caller's, and blocking as it was. */
static void
regular_files_are_refused(void **state)
{
    struct testing *t = *state;
    char path[] = "/tmp/asy-file-XXXXXX";
    int fd = mkstemp(path);
    struct witness *witness = witness_new(t, "");

    begin(witness, true, fd);
    trace_run(t, 1);
    require_trace(t, "1:c> 1:c=ValueError");
    require_error(asy_future_result(asy_task_future(witness->task), NULL), ASY_ValueError,
                  "Pipe transport is for pipes/sockets only.");
    assert_int_equal(witness->pipe.fd, fd);
    assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
    witness_end(witness);
    close(fd);
    unlink(path);
}

static void
closed_descriptor_raises_oserror(void **state)
{
    struct testing *t = *state;
    struct witness *witness = witness_new(t, "");

    begin(witness, true, -1);
    trace_run(t, 1);
    require_error(asy_future_result(asy_task_future(witness->task), NULL), ASY_OSError,
                  "[Errno 9] Bad file descriptor");
    require_trace(t, "1:c> 1:c=OSError");
    witness_end(witness);
}

static void
descriptor_becomes_non_blocking_and_is_closed_in_the_end(void **state)
{
    struct testing *t = *state;
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    struct witness *witness = connect_end(t, true, fds[0]);
    assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    close(fds[1]);
    trace_run(t, 3);
    assert_int_equal(fcntl(fds[0], F_GETFL), -1);
    const int *known = asy_transport_get_extra_info(witness->transport, "pipe", NULL);
    assert_int_equal(*known, fds[0]);
    assert_null(asy_transport_get_extra_info(witness->transport, "socket", NULL));
    require_trace(t, "2:eof 2:lost");
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
    require_error(asy_transport_set_write_buffer_limits(transport, 1, 1), ASY_NotImplementedError,
                  "");
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

/* ---- contexts --------------------------------------------------------------------------- */

static asy_context_var *seen;
static char mine[] = "mine", first_name[] = "a", second_name[] = "b";

static asy_error *
note_context(struct witness *self, const char *event)
{
    trace_note(self->t, "%s-in-%s", event, (char *)asy_context_var_get(seen, mine));
    asy_context_var_set(seen, mine, NULL, NULL);
    return ASY_OK;
}

static asy_error *
connect_in_context(void *argument)
{
    struct witness *self = argument;
    asy_context_var_set(seen, first_name, NULL, NULL);
    begin(self, true, self->pipe.fd);
    return ASY_OK;
}

static asy_error *
resume_in_context(void *argument)
{
    struct witness *self = argument;
    asy_context_var_set(seen, second_name, NULL, NULL);
    return asy_transport_resume_reading(self->transport);
}

/* Each callback has a copy of the context that was current when it was queued or watched: what one
 * sets, the next does not see. But eof and lost are queued by the one that reads. */
static void
callbacks_run_in_copies_of_contexts(void **state)
{
    struct testing *t = *state;
    struct witness *witness = witness_new(t, "");
    asy_context *first = asy_context_copy_current(), *second = asy_context_copy_current();
    int fds[2];

    seen = asy_context_var_new("seen");
    new_pipe(fds);
    witness->pipe.fd = fds[0];
    witness->act = note_context;
    require_ok(asy_context_run(first, connect_in_context, witness));
    trace_run(t, 3);
    put(fds[1], "abc");
    trace_run(t, 1);
    require_ok(asy_transport_pause_reading(witness->transport));
    require_ok(asy_context_run(second, resume_in_context, witness));
    close(fds[1]);
    trace_run(t, 3);
    require_trace(t, "1:c> 2:made 2:made-in-a 3:c=ok 4:data=abc 4:data-in-a 6:eof 6:eof-in-b "
                     "6:lost 6:lost-in-b");
    witness_end(witness);
    asy_context_unref(first);
    asy_context_unref(second);
    asy_context_var_unref(seen);
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
    return system_pipe_calls.read(fd, buffer, size < 1 ? size : 1);
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
    pipe_calls = &system_pipe_calls;
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

/* ---- life -------------------------------------------------------------------------------- */

static void
cancelled_connecting(void **state)
{
    static const char *const expected[] = {
        "", "1:c> 2:made 2:c=CancelledError 3:lost", "1:c> 2:made 3:c=CancelledError 4:lost",
    };
    struct testing *t = *state;

    for (int at = 0; at < 3; at++) {
        struct witness *witness = witness_new(t, "");
        int fds[2];

        new_pipe(fds);
        trace_restart();
        begin(witness, true, fds[0]);
        trace_run(t, at);
        require_ok(asy_task_cancel(witness->task, NULL, NULL));
        trace_run(t, 5 - at);
        require_trace(t, expected[at]);
        assert_int_equal(witness->pipe.fd, at == 0 ? fds[0] : -1);
        fd_close(&witness->pipe.fd);
        witness_end(witness);
        close(fds[1]);
    }
}

static void
cancelling_at_any_moment_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(sweep_connecting(true), 3);
}

static asy_error *
refuse(void *argument, asy_protocol **ret_protocol)
{
    (void)argument, (void)ret_protocol;
    RAISE(LookupError, "no protocol");
}

static void
factory_that_raises_leaves_the_descriptor_alone(void **state)
{
    struct testing *t = *state;
    asy_transport *transport = NULL;
    asy_protocol *protocol;
    int fds[2];

    new_pipe(fds);
    asy_pipe pipe = { .fd = fds[0] };
    asy_task *task = trace_task(t, asy_loop_connect_read_pipe(t->loop, refuse, NULL, &pipe,
                                                              &transport, &protocol));
    trace_run(t, 1);
    require_error(asy_future_result(asy_task_future(task), NULL), ASY_LookupError, "no protocol");
    asy_task_unref(task);
    assert_int_equal(pipe.fd, fds[0]);
    assert_null(transport);
    testing_close_pair(fds);
}

/* The loop's end is that of what it watches: the transport, then, has nobody any more. */
static void
transport_that_nobody_closes_warns(void **state)
{
    struct testing *t = *state;
    int fds[2];
    asy_transport *transport;
    asy_protocol *protocol;

    new_pipe(fds);
    asy_pipe pipe = { .fd = fds[0] };
    asy_task_unref(trace_task(t, asy_loop_connect_read_pipe(t->loop, give_nothing, NULL, &pipe,
                                                            &transport, &protocol)));
    trace_run(t, 3);
    asy_transport_unref(transport);
    assert_null(strstr(t->log, "unclosed"));
    testing_close(t->loop);
    t->loop = NULL;
    assert_non_null(strstr(t->log, "WARNING unclosed transport <_UnixReadPipeTransport fd="));
    assert_int_equal(fcntl(fds[0], F_GETFL), -1);
    close(fds[1]);
    asy_loop_options options = testing_options(t);
    t->loop = testing_new_loop(&options);
}

static void
closing_with_a_closed_loop_raises(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_reader(t, &theirs);

    asy_task_unref(witness->task);
    require_ok(asy_loop_close(t->loop));
    require_error(asy_transport_close(witness->transport), ASY_RuntimeError,
                  "Event loop is closed");
    assert_true(asy_transport_is_closing(witness->transport));
    asy_transport_unref(witness->connected);
    assert_int_equal(witness->refs, 0);
    asy_free(witness);
    close(theirs);
}

/* ---- hosts -------------------------------------------------------------------------------- */

struct owner {
    int            refs;
    int            closes;
    asy_transport *transport;
};

static void
owner_ref(void *argument)
{
    ((struct owner *)argument)->refs++;
}

static void
owner_unref(void *argument)
{
    ((struct owner *)argument)->refs--;
}

static char *
owner_describe(void *argument)
{
    (void)argument;
    return asy_format("<mine>");
}

static char *
owner_describe_callback(void *argument, const char *method)
{
    (void)argument;
    return asy_format("mine.%s()", method);
}

static asy_error *
owner_close(void *argument)
{
    struct owner *owner = argument;
    const int *fd = asy_transport_get_extra_info(owner->transport, "pipe", NULL);

    owner->closes++;
    close(*fd);
    RAISE(LookupError, "when closing");
}

static const asy_transport_owner owner_methods = {
    .ref = owner_ref,
    .unref = owner_unref,
    .describe = owner_describe,
    .describe_callback = owner_describe_callback,
};

static int
count_references(asy_handle *handle, void *argument)
{
    int *counts = argument;
    asy_transport *transport;
    asy_protocol *protocol;

    if (asy_handle_get_transport(handle, &transport, &protocol)) {
        counts[0]++;
        counts[1] += protocol != NULL;
    }
    return 0;
}

static void
require_references(struct testing *t, struct owner *owner, struct witness *witness)
{
    int counts[2] = { 0, 0 };

    asy_loop_visit(t->loop, count_references, counts);
    assert_int_equal(owner->refs, counts[0]);
    assert_int_equal(witness->refs, counts[1] + 1);
}

/* What a collector is shown is all there is. */
static void
references_to_an_owner_are_those_of_handles(void **state)
{
    struct testing *t = *state;
    struct owner owner = { 0 };
    struct witness *witness = witness_new(t, "");
    int fds[2];

    new_pipe(fds);
    asy_pipe pipe = { fds[0], owner_close, &owner };
    require_ok(asy_read_pipe_transport_new(t->loop, &pipe, &witness->protocol, &owner_methods,
                                           &owner, &owner.transport));
    assert_int_equal(owner.refs, 2);
    require_references(t, &owner, witness);
    trace_run(t, 1);
    require_references(t, &owner, witness);
    assert_int_equal(owner.refs, 1);
    assert_ptr_equal(asy_transport_get_owner(owner.transport), &owner);
    char *text = asy_transport_describe(owner.transport);
    assert_string_equal(text, "<mine>");
    asy_free(text);
    close(fds[1]);
    trace_run(t, 1);
    require_references(t, &owner, witness);
    assert_int_equal(owner.refs, 2);
    trace_reports(t);
    trace_run(t, 1);
    require_trace(t, "1:made 3:eof 3:lost 3:report:Exception in callback mi");
    assert_int_equal(owner.closes, 1);
    assert_int_equal(owner.refs, 0);
    asy_transport_free(owner.transport);
    assert_int_equal(owner.closes, 1);
    witness_end(witness);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(reading_begins_after_connection_made),
        trace_case(data_end_and_connection_lost),
        trace_case(close_queues_connection_lost),
        trace_case(pausing_in_connection_made),
        trace_case(closing_in_connection_made),
        trace_case(pausing_takes_the_data_from_the_queue),
        trace_case(closing_while_paused),
        trace_case(error_in_data_received_is_reported),
        trace_case(error_in_connection_lost_is_reported),
        trace_case(protocol_that_is_set_gets_the_rest),
        trace_case(data_and_closing_by_the_protocol),
        trace_case(reset_connection_is_reported),
        trace_case(end_of_a_terminal_is_not_reported),
        trace_case(fifo_is_a_pipe),
        trace_case(regular_files_are_refused),
        trace_case(closed_descriptor_raises_oserror),
        trace_case(descriptor_becomes_non_blocking_and_is_closed_in_the_end),
        trace_case(text_tells_the_state),
        trace_case(is_reading_unless_paused_or_closing),
        trace_case(methods_of_writing_are_not_implemented),
        trace_case(debug_mode_logs_what_happens),
        trace_case(callbacks_run_in_copies_of_contexts),
        trace_case(descriptor_that_is_not_ready_after_all_is_tried_again),
        trace_case(big_data_come_in_pieces_of_an_iteration),
        trace_case(cancelled_connecting),
        trace_case(cancelling_at_any_moment_leaves_nothing),
        trace_case(factory_that_raises_leaves_the_descriptor_alone),
        trace_case(transport_that_nobody_closes_warns),
        trace_case(closing_with_a_closed_loop_raises),
        trace_case(references_to_an_owner_are_those_of_handles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
