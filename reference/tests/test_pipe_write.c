/* SPDX-License-Identifier: MIT */
/* The transport that writes to a pipe. Traces are those of oracle/pipe_traces.py. */
#include "pipe_trace.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

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

    set_high_water(witness, 4096);
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

    set_high_water(witness, 0);
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
    set_high_water(witness, 0);
    trace_note(t, "between");
    take_all(t, theirs);
    trace_run(t, 1);
    require_trace(t, "0:pause#1 0:report:protocol.pause_writing() 0:between 0:received#65536 "
                     "1:resume#0 1:report:protocol.resume_writing(");
    witness_end(witness);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        pipe_case(writing_is_done_at_once),
        pipe_case(what_cannot_be_written_is_kept),
        pipe_case(closing_writes_what_is_kept),
        pipe_case(closing_with_nothing_to_write),
        pipe_case(aborting_drops_what_is_kept),
        pipe_case(aborting_twice_is_reported),
        pipe_case(reader_that_goes_is_noticed),
        pipe_case(reader_that_goes_with_data_in_the_pipe),
        pipe_case(socket_peer_that_goes_is_noticed),
        pipe_case(closing_in_resume_writing),
        pipe_case(error_in_pause_writing_is_reported),
        pipe_case(text_tells_the_state),
        pipe_case(lines_are_written_as_one),
        pipe_case(methods_of_reading_are_not_implemented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
