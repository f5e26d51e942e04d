/* SPDX-License-Identifier: MIT */
/*
 * Connecting pipes: which descriptors, in which contexts, and cancelled. Traces are those of
 * oracle/pipe_traces.py.
 */
#include "base/fd.h"
#include "pipe_trace.h"

#include "core/loop_impl.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void
regular_files_are_refused_for_writing(void **state)
{
    struct testing *t = *state;
    char path[] = "/tmp/asy-file-XXXXXX";
    int fd = mkstemp(path);
    struct witness *witness = witness_new(t, "");

    begin(witness, false, fd);
    trace_run(t, 1);
    require_error(asy_future_result(asy_task_future(witness->task), NULL), ASY_ValueError,
                  "Pipe transport is only for pipes, sockets and character devices");
    require_trace(t, "1:c> 1:c=ValueError");
    assert_int_equal(witness->pipe.fd, fd);
    witness_end(witness);
    close(fd);
    unlink(path);
}

/* Of a terminal, nothing is noticed; it is not watched for reading. */
static void
terminals_are_only_written_to(void **state)
{
    struct testing *t = *state;
    char received[8];
    size_t watched = t->loop->watched.count;
    int theirs = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    assert_int_equal(grantpt(theirs), 0);
    assert_int_equal(unlockpt(theirs), 0);
    struct witness *witness = connect_end(t, false,
                                          open(ptsname(theirs), O_RDWR | O_NOCTTY | O_CLOEXEC));
    assert_int_equal(t->loop->watched.count, watched);
    require_ok(asy_transport_write(witness->transport, "abc", 3));
    assert_int_equal(read(theirs, received, sizeof received), 3);
    assert_memory_equal(received, "abc", 3);
    witness_end(witness);
    close(theirs);
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

static asy_error *
give_null(void *argument, asy_protocol **ret_protocol)
{
    (void)argument;
    *ret_protocol = NULL;
    return ASY_OK;
}

static void
factory_that_gives_no_protocol_is_an_error(void **state)
{
    struct testing *t = *state;
    asy_transport *transport = NULL;
    asy_protocol *protocol = NULL;
    int fds[2];

    new_pipe(fds);
    for (int reads = 0; reads < 4; reads++) {
        asy_pipe pipe = { .fd = fds[reads % 2] };
        asy_loop_set_debug(t->loop, reads > 1);
        asy_coro *coro = reads % 2 ? asy_loop_connect_write_pipe(t->loop, give_null, NULL, &pipe,
                                                                 &transport, &protocol)
                                   : asy_loop_connect_read_pipe(t->loop, give_null, NULL, &pipe,
                                                                &transport, &protocol);
        asy_task *task = trace_task(t, coro);
        trace_run(t, 1);
        require_error(asy_future_result(asy_task_future(task), NULL), ASY_AttributeError,
                      "'NoneType' object has no attribute 'connection_made'");
        asy_task_unref(task);
        assert_int_equal(pipe.fd, fds[reads % 2]);
        assert_null(transport);
    }
    testing_close_pair(fds);
}

static asy_error *
forget_protocol(struct witness *self, const char *event)
{
    if (strcmp(event, "made") == 0)
        asy_transport_set_protocol(self->transport, NULL);
    return ASY_OK;
}

static asy_error *
close_when_made(struct witness *self, const char *event)
{
    return strcmp(event, "made") == 0 ? asy_transport_close(self->transport) : ASY_OK;
}

/* What connecting gives is the caller's, whatever connection_made() has done. */
static void
protocol_that_the_transport_let_go_of_is_still_given(void **state)
{
    struct testing *t = *state;

    for (int closes = 0; closes < 2; closes++) {
        struct witness *witness = witness_new(t, "");
        int fds[2];

        new_pipe(fds);
        witness->act = closes ? close_when_made : forget_protocol;
        begin(witness, true, fds[0]);
        trace_run(t, 4);
        asy_task_unref(witness->task);
        witness->task = NULL;
        assert_ptr_equal(witness->same, &witness->protocol);
        assert_int_equal(witness->refs, 1);
        witness_end(witness);
        close(fds[1]);
    }
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
    asy_protocol_unref(witness->same);
    asy_transport_unref(witness->connected);
    assert_int_equal(witness->refs, 0);
    asy_free(witness);
    close(theirs);
}

static void
cancelled_connecting_of_a_writer(void **state)
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
        begin(witness, false, fds[1]);
        trace_run(t, at);
        require_ok(asy_task_cancel(witness->task, NULL, NULL));
        trace_run(t, 5 - at);
        require_trace(t, expected[at]);
        fd_close(&witness->pipe.fd);
        witness_end(witness);
        close(fds[0]);
    }
}

static void
cancelling_a_writer_at_any_moment_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(sweep_connecting(false), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        pipe_case(reset_connection_is_reported),
        pipe_case(end_of_a_terminal_is_not_reported),
        pipe_case(fifo_is_a_pipe),
        pipe_case(regular_files_are_refused),
        pipe_case(closed_descriptor_raises_oserror),
        pipe_case(descriptor_becomes_non_blocking_and_is_closed_in_the_end),
        pipe_case(regular_files_are_refused_for_writing),
        pipe_case(terminals_are_only_written_to),
        pipe_case(callbacks_run_in_copies_of_contexts),
        pipe_case(cancelled_connecting),
        pipe_case(cancelling_at_any_moment_leaves_nothing),
        pipe_case(factory_that_raises_leaves_the_descriptor_alone),
        pipe_case(factory_that_gives_no_protocol_is_an_error),
        pipe_case(protocol_that_the_transport_let_go_of_is_still_given),
        pipe_case(transport_that_nobody_closes_warns),
        pipe_case(closing_with_a_closed_loop_raises),
        pipe_case(cancelled_connecting_of_a_writer),
        pipe_case(cancelling_a_writer_at_any_moment_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
