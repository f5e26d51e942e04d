/* SPDX-License-Identifier: MIT */
/*
 * The transport that writes to a pipe, when nobody reads, when it is closed, and when the system
 * does what it seldom does. Traces are those of oracle/pipe_traces.py.
 */
#include "pipe_trace.h"

#include "core/loop_impl.h"
#include "io/pipe_calls.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

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

    set_high_water(witness, 0);
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
    asy_protocol_unref(witness->same);
    asy_transport_unref(witness->connected);
    assert_int_equal(witness->refs, 0);
    asy_free(witness);
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
    return write(fd, data, size < 2 ? size : 2);
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
    witness_end(witness);
    close(theirs);
}

static ssize_t
failing_write(int fd, const void *data, size_t size)
{
    if (writes_to_refuse-- > 0)
        return write(fd, data, size);
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
    witness_end(witness);
    close(theirs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        pipe_case(writing_to_nobody),
        pipe_case(signal_that_was_pending_stays),
        pipe_case(writes_after_the_end_are_dropped_and_from_the_sixth_on_logged),
        pipe_case(what_resume_writing_writes_before_it_closes_is_written),
        pipe_case(aborting_in_connection_made_leaves_no_watch),
        pipe_case(loop_that_is_closed_is_an_error_when_something_has_to_wait),
        pipe_case(what_the_system_takes_in_pieces_arrives_in_order),
        pipe_case(error_of_what_is_kept_ends_the_transport),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
