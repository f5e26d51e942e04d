/* SPDX-License-Identifier: MIT */
/* The transport that writes to a pipe. Traces are those of oracle/pipe_traces.py. */
#include "base/fd.h"
#include "pipe_trace.h"

#include "core/loop_impl.h"
#include "io/pipe_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIPE_SIZE 65536             /* what Linux keeps for a pipe */

static size_t
buffer_size(struct witness *witness)
{
    size_t size;
    require_ok(asy_transport_get_write_buffer_size(witness->transport, &size));
    return size;
}

static void
set_limits(struct witness *witness, int64_t high)
{
    require_ok(asy_transport_set_write_buffer_limits(witness->transport, high,
                                                     ASY_DEFAULT_LIMIT));
}

/* ---- order and iterations ------------------------------------------------------------ */

static void
writing_is_done_at_once(void **state)
{
    struct testing *t = *state;
    struct witness *witness = witness_new(t, "");
    int fds[2];

    new_pipe(fds);
    begin(witness, false, fds[1]);
    trace_run(t, 3);
    require_ok(asy_transport_write(witness->transport, "abc", 3));
    take_all(t, fds[0]);
    close(fds[0]);
    trace_run(t, 2);
    require_trace(t, "1:c> 2:made 3:c=ok 3:received#3 5:lost");
    witness_end(witness);
}

static void
what_cannot_be_written_is_kept(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    set_limits(witness, 4096);
    write_bytes(witness, PIPE_SIZE);
    write_bytes(witness, 4096);
    write_bytes(witness, 1);
    write_bytes(witness, 1);
    mark(t, "x");
    trace_run(t, 1);
    take_all(t, theirs);
    mark(t, "y");
    trace_run(t, 1);
    take_all(t, theirs);
    close(theirs);
    trace_run(t, 3);
    require_trace(t, "0:pause#4097 1:x 1:received#65536 2:y 2:resume#0 2:received#4098 4:lost");
    witness_end(witness);
}

static void
closing_writes_what_is_kept(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    write_bytes(witness, PIPE_SIZE);
    write_bytes(witness, 10);
    require_ok(asy_transport_close(witness->transport));
    require_ok(asy_transport_write(witness->transport, "never", 5));
    mark(t, "x");
    trace_run(t, 1);
    take_all(t, theirs);
    mark(t, "y");
    mark_last(t, "z");
    trace_run(t, 2);
    take_all(t, theirs);
    require_trace(t, "1:x 1:received#65536 2:y 2:lost 2:z 3:received#10");
    witness_end(witness);
    close(theirs);
}

static void
closing_with_nothing_to_write(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    mark(t, "x");
    require_ok(asy_transport_write_eof(witness->transport));
    require_ok(asy_transport_close(witness->transport));
    mark(t, "y");
    trace_run(t, 2);
    require_trace(t, "1:x 1:lost 1:y");
    witness_end(witness);
    close(theirs);
}

static void
aborting_drops_what_is_kept(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    write_bytes(witness, PIPE_SIZE);
    write_bytes(witness, 10);
    mark(t, "x");
    require_ok(asy_transport_abort(witness->transport));
    assert_int_equal(buffer_size(witness), 0);
    trace_run(t, 2);
    take_all(t, theirs);
    require_trace(t, "1:x 1:lost 2:received#65536");
    witness_end(witness);
    close(theirs);
}

static void
aborting_twice_is_reported(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    require_ok(asy_transport_abort(witness->transport));
    require_ok(asy_transport_abort(witness->transport));
    trace_run(t, 2);
    require_trace(t, "1:lost 1:report:Exception in callback _U");
    require_error(asy_transport_abort(witness->transport), ASY_AttributeError,
                  "'NoneType' object has no attribute '_remove_reader'");
    witness_end(witness);
    close(theirs);
}

static void
reader_that_goes_is_noticed(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    asy_loop_set_debug(t->loop, true);
    close(theirs);
    trace_run(t, 3);
    require_trace(t, "2:lost");
    assert_non_null(strstr(t->log, "INFO <_UnixWritePipeTransport fd="));
    assert_non_null(strstr(t->log, " idle bufsize=0> was closed by peer\n"));
    witness_end(witness);
}

static void
reader_that_goes_with_data_in_the_pipe(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    write_bytes(witness, PIPE_SIZE);
    write_bytes(witness, 10);
    close(theirs);
    trace_run(t, 3);
    require_trace(t, "2:lost=BrokenPipeError");
    assert_int_equal(buffer_size(witness), 0);
    witness_end(witness);
}

static void
socket_peer_that_goes_is_noticed(void **state)
{
    struct testing *t = *state;
    int fds[2];

    testing_socket_pair(fds);
    struct witness *witness = connect_end(t, false, fds[0]);
    close(fds[1]);
    trace_run(t, 3);
    require_trace(t, "2:lost");
    witness_end(witness);
}

static asy_error *
close_on_resume(struct witness *self, const char *event)
{
    return strcmp(event, "resume") == 0 ? asy_transport_close(self->transport) : ASY_OK;
}

static void
closing_in_resume_writing(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    set_limits(witness, 0);
    witness->act = close_on_resume;
    write_bytes(witness, PIPE_SIZE);
    write_bytes(witness, 1);
    take_all(t, theirs);
    trace_run(t, 2);
    require_trace(t, "0:pause#1 0:received#65536 1:resume#0 1:lost "
                     "2:report:Exception in callback _U");
    witness_end(witness);
    close(theirs);
}

static asy_error *
raise_lookup_error(struct witness *self, const char *event)
{
    (void)self;
    RAISE(LookupError, "in %s", event);
}

static void
error_in_pause_writing_is_reported(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    witness->act = raise_lookup_error;
    write_bytes(witness, PIPE_SIZE);
    write_bytes(witness, 1);
    set_limits(witness, 0);
    trace_note(t, "between");
    take_all(t, theirs);
    trace_run(t, 1);
    require_trace(t, "0:pause#1 0:report:protocol.pause_writing() 0:between 0:received#65536 "
                     "1:resume#0 1:report:protocol.resume_writing(");
    witness_end(witness);
    close(theirs);
}

/* ---- the end ---------------------------------------------------------------------------- */

/* No signal either: this process has not said what it thinks of SIGPIPE, and so would end. */
static void
writing_to_nobody(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);
    sigset_t pending;

    asy_loop_set_debug(t->loop, true);
    close(theirs);
    require_ok(asy_transport_write(witness->transport, "abc", 3));
    assert_true(asy_transport_is_closing(witness->transport));
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
    trace_run(t, 2);
    require_trace(t, "1:lost=BrokenPipeError");
    assert_non_null(strstr(t->log, ": Fatal write error on pipe transport\n  BrokenPipeError: "
                                   "[Errno 32]"));
    witness_end(witness);
}

static void
signal_that_was_pending_stays(void **state)
{
    struct testing *t = *state;
    int theirs, taken;
    struct witness *witness = new_writer(t, &theirs);
    sigset_t broken_pipe, before, pending;

    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    raise(SIGPIPE);
    close(theirs);
    require_ok(asy_transport_write(witness->transport, "abc", 3));
    sigpending(&pending);
    assert_int_equal(sigismember(&pending, SIGPIPE), 1);
    sigwait(&broken_pipe, &taken);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    trace_run(t, 2);
    require_trace(t, "1:lost=BrokenPipeError");
    witness_end(witness);
}

static void
writes_after_the_end_are_dropped_and_from_the_sixth_on_logged(void **state)
{
    static const char warning[] =
        "WARNING pipe closed by peer or os.write(pipe, data) raised exception.\n";
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    require_ok(asy_transport_abort(witness->transport));
    write_bytes(witness, 1);
    trace_run(t, 2);
    for (int i = 0; i < 4; i++)
        write_bytes(witness, 1);
    require_ok(asy_transport_write(witness->transport, NULL, 0));
    assert_string_equal(t->log, "");
    write_bytes(witness, 1);
    assert_string_equal(t->log, warning);
    write_bytes(witness, 1);
    assert_string_equal(t->log + strlen(warning), warning);
    take_all(t, theirs);
    require_trace(t, "1:lost 2:received#0");
    witness_end(witness);
    close(theirs);
}

static asy_error *
write_and_close(struct witness *self, const char *event)
{
    if (strcmp(event, "resume") != 0 || asy_transport_is_closing(self->transport))
        return ASY_OK;
    write_bytes(self, 2 * PIPE_SIZE);
    return asy_transport_close(self->transport);
}

static size_t
read_all(int fd)
{
    char buffer[4096];
    size_t total = 0;
    ssize_t count;

    while ((count = read(fd, buffer, sizeof buffer)) > 0)
        total += (size_t)count;
    return total;
}

/* CPython drops what resume_writing() could not write at once. */
static void
what_resume_writing_writes_before_it_closes_is_written(void **state)
{
    struct testing *t = *state;
    int theirs;
    size_t total = 0;
    struct witness *witness = new_writer(t, &theirs);

    set_limits(witness, 0);
    witness->act = write_and_close;
    write_bytes(witness, PIPE_SIZE);
    write_bytes(witness, 1);
    for (int i = 0; i < 10; i++) {
        total += read_all(theirs);
        trace_run(t, 1);
    }
    assert_int_equal(total, 3 * PIPE_SIZE + 1);
    assert_true(asy_transport_is_closed(witness->transport));
    assert_null(strstr(t->trace, "report"));
    witness_end(witness);
    close(theirs);
}

static asy_error *
abort_when_made(struct witness *self, const char *event)
{
    return strcmp(event, "made") == 0 ? asy_transport_abort(self->transport) : ASY_OK;
}

/* The descriptor is not watched any more when it is closed, so that its number is free. */
static void
aborting_in_connection_made_leaves_no_watch(void **state)
{
    struct testing *t = *state;
    struct witness *witness = witness_new(t, "");
    size_t watched = t->loop->watched.count;
    int fds[2];

    new_pipe(fds);
    witness->act = abort_when_made;
    begin(witness, false, fds[1]);
    trace_run(t, 4);
    require_trace(t, "1:c> 2:made 3:lost 3:c=ok");
    assert_int_equal(t->loop->watched.count, watched);
    witness_end(witness);
    close(fds[0]);
}

static void
loop_that_is_closed_is_an_error_when_something_has_to_wait(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    asy_task_unref(witness->task);
    require_ok(asy_loop_close(t->loop));
    write_bytes(witness, PIPE_SIZE);
    require_error(asy_transport_write(witness->transport, "a", 1), ASY_RuntimeError,
                  "Event loop is closed");
    require_error(asy_transport_close(witness->transport), ASY_RuntimeError,
                  "Event loop is closed");
    asy_transport_unref(witness->connected);
    assert_int_equal(witness->refs, 0);
    asy_free(witness);
    close(theirs);
}

/* ---- methods and texts -------------------------------------------------------------------- */

static void
require_text(asy_transport *transport, const char *before, const char *after)
{
    const int *fd = asy_transport_get_extra_info(transport, "pipe", NULL);
    char *text = asy_transport_describe(transport);
    char *expected = asy_format("<_UnixWritePipeTransport %sfd=%d %s>", before, *fd, after);

    assert_string_equal(text, expected);
    asy_free(expected);
    asy_free(text);
}

static void
text_tells_the_state(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    require_text(witness->transport, "", "idle bufsize=0");
    write_bytes(witness, PIPE_SIZE + 3);
    require_text(witness->transport, "", "polling bufsize=3");
    require_ok(asy_transport_close(witness->transport));
    require_text(witness->transport, "closing ", "polling bufsize=3");
    require_ok(asy_transport_abort(witness->transport));
    trace_run(t, 1);
    require_text(witness->transport, "closed ", "closed");
    require_trace(t, "1:lost");
    witness_end(witness);
    close(theirs);
}

static void
lines_are_written_as_one(void **state)
{
    static char first[] = "ab", third[] = "c";
    struct testing *t = *state;
    const struct iovec lines[] = { { first, 2 }, { NULL, 0 }, { third, 1 } };
    char received[8];
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    require_ok(asy_transport_writelines(witness->transport, lines, 3));
    assert_int_equal(read(theirs, received, sizeof received), 3);
    assert_memory_equal(received, "abc", 3);
    require_ok(asy_transport_writelines(witness->transport, NULL, 0));
    witness_end(witness);
    close(theirs);
}

static void
methods_of_reading_are_not_implemented(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);
    bool flag;

    require_error(asy_transport_is_reading(witness->transport, &flag), ASY_NotImplementedError, "");
    require_error(asy_transport_pause_reading(witness->transport), ASY_NotImplementedError, "");
    require_error(asy_transport_resume_reading(witness->transport), ASY_NotImplementedError, "");
    require_ok(asy_transport_can_write_eof(witness->transport, &flag));
    assert_true(flag);
    witness_end(witness);
    close(theirs);
}

static void
regular_files_are_refused(void **state)
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

/* ---- faults -------------------------------------------------------------------------------- */

static int writes_to_refuse;

static ssize_t
reluctant_write(int fd, const void *data, size_t size)
{
    if (writes_to_refuse-- > 0) {
        errno = EAGAIN;
        return -1;
    }
    writes_to_refuse = 1;
    return system_pipe_calls.write(fd, data, size < 2 ? size : 2);
}

/* Every other write is refused, and the others take two bytes. */
static void
what_the_system_takes_in_pieces_arrives_in_order(void **state)
{
    struct testing *t = *state;
    struct pipe_calls calls = system_pipe_calls;
    char received[16];
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    calls.write = reluctant_write;
    pipe_calls = &calls;
    writes_to_refuse = 1;
    require_ok(asy_transport_write(witness->transport, "abc", 3));
    require_ok(asy_transport_write(witness->transport, "defg", 4));
    assert_int_equal(buffer_size(witness), 7);
    require_ok(asy_transport_close(witness->transport));
    trace_run(t, 7);
    require_trace(t, "7:lost");
    assert_int_equal(read(theirs, received, sizeof received), 7);
    assert_memory_equal(received, "abcdefg", 7);
    pipe_calls = &system_pipe_calls;
    witness_end(witness);
    close(theirs);
}

static ssize_t
failing_write(int fd, const void *data, size_t size)
{
    if (writes_to_refuse-- > 0)
        return system_pipe_calls.write(fd, data, size);
    errno = EIO;
    return -1;
}

static void
error_of_what_is_kept_ends_the_transport(void **state)
{
    struct testing *t = *state;
    struct pipe_calls calls = system_pipe_calls;
    int theirs;
    struct witness *witness = new_writer(t, &theirs);

    calls.write = failing_write;
    pipe_calls = &calls;
    writes_to_refuse = 1;
    write_bytes(witness, PIPE_SIZE + 5);
    take_all(t, theirs);
    trace_run(t, 2);
    require_trace(t, "0:received#65536 2:lost=OSError");
    pipe_calls = &system_pipe_calls;
    witness_end(witness);
    close(theirs);
}

/* ---- connecting ------------------------------------------------------------------------------ */

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
cancelling_at_any_moment_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(sweep_connecting(false), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(writing_is_done_at_once),
        trace_case(what_cannot_be_written_is_kept),
        trace_case(closing_writes_what_is_kept),
        trace_case(closing_with_nothing_to_write),
        trace_case(aborting_drops_what_is_kept),
        trace_case(aborting_twice_is_reported),
        trace_case(reader_that_goes_is_noticed),
        trace_case(reader_that_goes_with_data_in_the_pipe),
        trace_case(socket_peer_that_goes_is_noticed),
        trace_case(closing_in_resume_writing),
        trace_case(error_in_pause_writing_is_reported),
        trace_case(writing_to_nobody),
        trace_case(signal_that_was_pending_stays),
        trace_case(writes_after_the_end_are_dropped_and_from_the_sixth_on_logged),
        trace_case(what_resume_writing_writes_before_it_closes_is_written),
        trace_case(aborting_in_connection_made_leaves_no_watch),
        trace_case(loop_that_is_closed_is_an_error_when_something_has_to_wait),
        trace_case(text_tells_the_state),
        trace_case(lines_are_written_as_one),
        trace_case(methods_of_reading_are_not_implemented),
        trace_case(regular_files_are_refused),
        trace_case(terminals_are_only_written_to),
        trace_case(what_the_system_takes_in_pieces_arrives_in_order),
        trace_case(error_of_what_is_kept_ends_the_transport),
        trace_case(cancelled_connecting),
        trace_case(cancelling_at_any_moment_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
