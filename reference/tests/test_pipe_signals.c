/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing pipes: without the host's lock, and what the host's signal handlers do in the
 * middle of it.
 *
 * The handlers run where a call of the system was interrupted, and nowhere else in these tests.
 */
#include "pipe_trace.h"

#include "core/loop_impl.h"
#include "io/pipe_calls.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- a host, and a system that interrupts ---------------------------------------------- */

static bool locked = true;
static int interruptions;           /* so many calls are interrupted */
static bool signalled;              /* one was, and the handler has not run yet */
static struct witness *target;      /* what the handler acts on */
static asy_error *(*handler)(void);

static void *
release_lock(void *host)
{
    assert_true(locked);
    locked = false;
    return host;
}

static void
acquire_lock(void *host, void *released)
{
    assert_ptr_equal(host, released);
    assert_false(locked);
    locked = true;
    errno = ENOTTY;
}

static asy_error *
check_signals(void *host)
{
    (void)host;
    assert_true(locked);
    if (!signalled)
        return ASY_OK;
    signalled = false;
    trace_note(target->t, "handler");
    return handler ? handler() : ASY_OK;
}

static bool
is_interrupted(void)
{
    assert_false(locked);
    if (interruptions == 0)
        return false;
    interruptions--;
    signalled = true;
    errno = EINTR;
    return true;
}

static ssize_t
interrupted_read(int fd, void *buffer, size_t size)
{
    return is_interrupted() ? -1 : read(fd, buffer, size);
}

static ssize_t
interrupted_write(int fd, const void *data, size_t size)
{
    return is_interrupted() ? -1 : write(fd, data, size);
}

/* A connected end whose next call is interrupted. */
static struct witness *
interrupted_end(struct testing *t, bool reads, int *ret_theirs, asy_error *(*what)(void))
{
    static asy_host host;
    static struct pipe_calls calls;
    struct witness *witness = reads ? new_reader(t, ret_theirs) : new_writer(t, ret_theirs);

    host = *t->loop->host;
    host.release_lock = release_lock;
    host.acquire_lock = acquire_lock;
    host.check_signals = check_signals;
    t->loop->host = &host;
    calls = system_pipe_calls;
    calls.read = interrupted_read;
    calls.write = interrupted_write;
    pipe_calls = &calls;
    handler = what;
    target = witness;
    interruptions = 1;
    signalled = false;
    return witness;
}

static void
end(struct witness *witness, int theirs)
{
    interruptions = 0;
    witness_end(witness);
    close(theirs);
}

/* More waits than the pipe takes: the call that is interrupted next is that of the loop. */
static void
fill(struct witness *witness)
{
    interruptions = 0;
    write_bytes(witness, PIPE_SIZE);
    write_bytes(witness, 3);
    assert_int_equal(buffer_size(witness), 3);
    interruptions = 1;
}

/* ---- what handlers raise --------------------------------------------------------------- */

static asy_error *
raise_lookup_error(void)
{
    RAISE(LookupError, "of a handler");
}

static asy_error *
raise_os_error(void)
{
    RAISE(PermissionError, "of a handler");
}

static asy_error *
raise_interrupted_error(void)
{
    RAISE(InterruptedError, "of a handler");
}

static asy_error *
raise_keyboard_interrupt(void)
{
    RAISE(KeyboardInterrupt, "of a handler");
}

static void
interrupted_calls_are_repeated_when_the_handlers_have_run(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = interrupted_end(t, true, &theirs, NULL);

    interruptions = 2;
    put(theirs, "abc");
    trace_run(t, 1);
    require_trace(t, "1:handler 1:handler 1:data=abc");
    end(witness, theirs);

    witness = interrupted_end(t, false, &theirs, NULL);
    require_ok(asy_transport_write(witness->transport, "abc", 3));
    take_all(t, theirs);
    fill(witness);
    interruptions = 2;
    take_all(t, theirs);
    trace_run(t, 1);
    take_all(t, theirs);
    require_trace(t, "0:handler 0:received#3 0:received#65536 1:handler 1:handler "
                     "1:received#3");
    end(witness, theirs);
}

static void
error_of_a_handler_while_reading_is_that_of_the_callback(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = interrupted_end(t, true, &theirs, raise_lookup_error);

    put(theirs, "abc");
    trace_run(t, 2);
    require_trace(t, "1:handler 1:report:Exception in callback _U 2:data=abc");
    interruptions = 1;
    handler = raise_interrupted_error;
    put(theirs, "abc");
    trace_run(t, 2);
    require_trace(t, "3:handler 4:data=abc");
    interruptions = 1;
    handler = raise_os_error;
    put(theirs, "abc");
    trace_run(t, 2);
    require_trace(t, "5:handler 5:report:Fatal read error on pipe 6:lost=PermissionError");
    end(witness, theirs);
}

static void
error_of_a_handler_while_writing_ends_the_transport(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = interrupted_end(t, false, &theirs, raise_lookup_error);

    require_ok(asy_transport_write(witness->transport, "abc", 3));
    trace_run(t, 1);
    require_trace(t, "0:handler 0:report:Fatal write error on pip 1:lost=LookupError");
    end(witness, theirs);

    witness = interrupted_end(t, false, &theirs, raise_os_error);
    fill(witness);
    take_all(t, theirs);
    trace_run(t, 2);
    require_trace(t, "0:received#65536 1:handler 2:lost=PermissionError");
    end(witness, theirs);
}

static void
fatal_error_of_a_handler_leaves_the_loop_and_the_transport_goes_on(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = interrupted_end(t, true, &theirs, raise_keyboard_interrupt);

    put(theirs, "abc");
    require_error(asy_loop_run_once(t->loop), ASY_KeyboardInterrupt, "of a handler");
    trace_run(t, 1);
    require_trace(t, "0:handler 1:data=abc");
    end(witness, theirs);

    witness = interrupted_end(t, false, &theirs, raise_keyboard_interrupt);
    require_error(asy_transport_write(witness->transport, "abc", 3), ASY_KeyboardInterrupt,
                  "of a handler");
    fill(witness);
    take_all(t, theirs);
    require_error(asy_loop_run_once(t->loop), ASY_KeyboardInterrupt, "of a handler");
    trace_run(t, 1);
    take_all(t, theirs);
    require_trace(t, "0:handler 0:received#65536 0:handler 1:received#3");
    end(witness, theirs);
}

static void
interrupted_error_of_a_handler_is_to_wait(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = interrupted_end(t, false, &theirs, raise_interrupted_error);

    require_ok(asy_transport_write(witness->transport, "abc", 3));
    assert_int_equal(buffer_size(witness), 3);
    interruptions = 1;
    trace_run(t, 2);
    take_all(t, theirs);
    require_trace(t, "0:handler 1:handler 2:received#3");
    end(witness, theirs);
}

/* ---- what handlers do ------------------------------------------------------------------- */

#define REFUSAL "Existing exports of data: object cannot be re-sized"

static asy_error *
write_and_abort(void)
{
    require_error(asy_transport_write(target->transport, "x", 1), ASY_BufferError, REFUSAL);
    return asy_transport_abort(target->transport);
}

/* The system has the address of the buffer. CPython: a bytearray that is exported. */
static void
buffer_that_is_written_cannot_be_changed_by_a_handler(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = interrupted_end(t, false, &theirs, write_and_abort);

    fill(witness);
    take_all(t, theirs);
    trace_run(t, 2);
    require_trace(t, "0:received#65536 1:handler 1:report:Fatal write error on pip "
                     "2:lost=BufferError");
    end(witness, theirs);
}

static asy_error *
write_more(void)
{
    write_bytes(target, 5);
    return ASY_OK;
}

static asy_error *
close_it(void)
{
    return asy_transport_close(target->transport);
}

static void
handler_may_write_before_what_is_being_written(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = interrupted_end(t, false, &theirs, write_more);

    require_ok(asy_transport_write(witness->transport, "abc", 3));
    take_all(t, theirs);
    require_trace(t, "0:handler 0:received#8");
    end(witness, theirs);
}

/* Of what is being written as much is written as the system takes at once. */
static void
handler_that_closes_leaves_no_watch(void **state)
{
    struct testing *t = *state;
    int theirs;
    struct witness *witness = interrupted_end(t, false, &theirs, close_it);
    size_t watched = t->loop->watched.count;

    write_bytes(witness, PIPE_SIZE + 5);
    assert_int_equal(t->loop->watched.count, watched - 1);
    assert_int_equal(buffer_size(witness), 0);
    trace_run(t, 1);
    take_all(t, theirs);
    require_trace(t, "0:handler 1:lost 1:received#65536");
    end(witness, theirs);

    witness = interrupted_end(t, false, &theirs, close_it);
    fill(witness);
    take_all(t, theirs);
    trace_run(t, 1);
    take_all(t, theirs);
    require_trace(t, "0:received#65536 1:handler 1:lost 1:received#3");
    end(witness, theirs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        pipe_case(interrupted_calls_are_repeated_when_the_handlers_have_run),
        pipe_case(error_of_a_handler_while_reading_is_that_of_the_callback),
        pipe_case(error_of_a_handler_while_writing_ends_the_transport),
        pipe_case(fatal_error_of_a_handler_leaves_the_loop_and_the_transport_goes_on),
        pipe_case(interrupted_error_of_a_handler_is_to_wait),
        pipe_case(buffer_that_is_written_cannot_be_changed_by_a_handler),
        pipe_case(handler_may_write_before_what_is_being_written),
        pipe_case(handler_that_closes_leaves_no_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
