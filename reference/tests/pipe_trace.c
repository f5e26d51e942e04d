/* SPDX-License-Identifier: MIT */
/* See pipe_trace.h. */
#include "pipe_trace.h"

#include "base/fd.h"
#include "cancel_sweep.h"
#include "io/pipe_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- the fixture ------------------------------------------------------------------- */

#ifdef ASY_FAULTS

/* Where each read() has one byte. */
static ssize_t
read_all_there_is(int fd, void *buffer, size_t size)
{
    size_t total = 0;

    while (total < size) {
        ssize_t count = system_pipe_calls.read(fd, (char *)buffer + total, size - total);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0 && total == 0)
            return count;
        if (count <= 0)
            break;
        total += (size_t)count;
    }
    return (ssize_t)total;
}

/* Where each write() is refused first, and interrupted. */
static ssize_t
write_or_try_again(int fd, const void *data, size_t size)
{
    ssize_t count;
    int refusals = 0;

    do {
        count = system_pipe_calls.write(fd, data, size);
        refusals += count < 0 && errno == EAGAIN;
    } while (count < 0 && (errno == EINTR || (errno == EAGAIN && refusals < 2)));
    return count;
}

int
pipe_setup(void **state)
{
    static struct pipe_calls calls;

    calls = system_pipe_calls;
    calls.read = read_all_there_is;
    calls.write = write_or_try_again;
    pipe_calls = &calls;
    return trace_setup(state);
}

#else

int
pipe_setup(void **state)
{
    return trace_setup(state);
}

#endif

int
pipe_teardown(void **state)
{
    pipe_calls = &system_pipe_calls;
    return testing_teardown(state);
}

/* ---- the witness ------------------------------------------------------------------- */

static struct witness *
from_protocol(asy_protocol *protocol)
{
    return (struct witness *)protocol;
}

static asy_error *
act(struct witness *self, const char *event)
{
    return self->act ? self->act(self, event) : ASY_OK;
}

static asy_error *
made(asy_protocol *protocol, asy_transport *transport)
{
    struct witness *self = from_protocol(protocol);

    self->transport = transport;
    trace_note(self->t, "%smade", self->name);
    return act(self, "made");
}

static asy_error *
lost(asy_protocol *protocol, asy_error *exc)
{
    struct witness *self = from_protocol(protocol);

    if (exc)
        trace_note(self->t, "%slost=%s", self->name, asy_error_kind_name(exc->kind));
    else
        trace_note(self->t, "%slost", self->name);
    return act(self, "lost");
}

static asy_error *
data(asy_protocol *protocol, const void *bytes, size_t size)
{
    struct witness *self = from_protocol(protocol);

    if (size < 10)
        trace_note(self->t, "%sdata=%.*s", self->name, (int)size, (const char *)bytes);
    else
        trace_note(self->t, "%sdata#%zu", self->name, size);
    return act(self, "data");
}

static asy_error *
eof(asy_protocol *protocol, bool *ret_keep_open)
{
    struct witness *self = from_protocol(protocol);

    assert_false(*ret_keep_open);
    trace_note(self->t, "%seof", self->name);
    return act(self, "eof");
}

static asy_error *
note_size(struct witness *self, const char *event)
{
    size_t size;

    require_ok(asy_transport_get_write_buffer_size(self->transport, &size));
    trace_note(self->t, "%s%s#%zu", self->name, event, size);
    return act(self, event);
}

static asy_error *
pause_writing(asy_protocol *protocol)
{
    return note_size(from_protocol(protocol), "pause");
}

static asy_error *
resume_writing(asy_protocol *protocol)
{
    return note_size(from_protocol(protocol), "resume");
}

static void
ref(asy_protocol *protocol)
{
    from_protocol(protocol)->refs++;
}

static void
unref(asy_protocol *protocol)
{
    from_protocol(protocol)->refs--;
}

const asy_protocol_methods witness_methods = {
    .connection_made = made,
    .connection_lost = lost,
    .pause_writing = pause_writing,
    .resume_writing = resume_writing,
    .data_received = data,
    .eof_received = eof,
    .ref = ref,
    .unref = unref,
};

struct witness *
witness_new(struct testing *t, const char *name)
{
    struct witness *self = asy_alloc(sizeof *self);

    self->protocol.methods = &witness_methods;
    self->t = t;
    self->name = name;
    return self;
}

/* Whoever still has it would tell it of its end. */
void
witness_end(struct witness *self)
{
    if (self->task)
        asy_error_unref(asy_future_result(asy_task_future(self->task), NULL));
    self->task = asy_task_unref(self->task);
    self->act = NULL;
    if (self->connected)
        asy_error_unref(asy_transport_close(self->connected));
    if (self->same)
        asy_protocol_unref(self->same);
    for (int i = 0; i < 5 && self->refs > 0; i++)
        trace_run(self->t, 1);
    self->connected = asy_transport_unref(self->connected);
    assert_int_equal(self->refs, 0);
    self->t->trace[0] = '\0';
    asy_free(self);
}

/* ---- connecting -------------------------------------------------------------------- */

static asy_error *
give_witness(void *argument, asy_protocol **ret_protocol)
{
    struct witness *self = argument;
    *ret_protocol = asy_protocol_ref(&self->protocol);
    return ASY_OK;
}

void
begin(struct witness *self, bool reads, int fd)
{
    asy_loop *loop = self->t->loop;

    self->pipe = (asy_pipe){ .fd = fd };
    asy_coro *coro = reads ? asy_loop_connect_read_pipe(loop, give_witness, self, &self->pipe,
                                                        &self->connected, &self->same)
                           : asy_loop_connect_write_pipe(loop, give_witness, self, &self->pipe,
                                                         &self->connected, &self->same);
    self->task = trace_task(self->t, relay(self->t, "c", coro));
}

struct witness *
connect_end(struct testing *t, bool reads, int fd)
{
    struct witness *self = witness_new(t, "");

    trace_restart();
    begin(self, reads, fd);
    trace_run(t, 3);
    require_trace(t, "1:c> 2:made 3:c=ok");
    assert_ptr_equal(self->connected, self->transport);
    assert_ptr_equal(self->same, &self->protocol);
    assert_int_equal(self->pipe.fd, -1);
    trace_restart();
    trace_reports(t);
    return self;
}

void
new_pipe(int fds[2])
{
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
}

struct witness *
new_reader(struct testing *t, int *ret_fd)
{
    int fds[2];

    new_pipe(fds);
    *ret_fd = fds[1];
    return connect_end(t, true, fds[0]);
}

struct witness *
new_writer(struct testing *t, int *ret_fd)
{
    int fds[2];

    new_pipe(fds);
    *ret_fd = fds[0];
    return connect_end(t, false, fds[1]);
}

/* ---- what programs do -------------------------------------------------------------- */

void
put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

void
take_all(struct testing *t, int fd)
{
    char buffer[4096];
    size_t total = 0;
    ssize_t count;

    while ((count = read(fd, buffer, sizeof buffer)) > 0)
        total += (size_t)count;
    assert_true(count == 0 || errno == EAGAIN);
    trace_note(t, "received#%zu", total);
}

void
write_bytes(struct witness *self, size_t count)
{
    char *bytes = asy_alloc(count);

    memset(bytes, 'x', count);
    require_ok(asy_transport_write(self->transport, bytes, count));
    asy_free(bytes);
}

size_t
buffer_size(const struct witness *self)
{
    size_t size;

    require_ok(asy_transport_get_write_buffer_size(self->transport, &size));
    return size;
}

void
set_high_water(struct witness *self, int64_t high)
{
    require_ok(asy_transport_set_write_buffer_limits(self->transport, &high, NULL));
}

struct marking {
    struct testing *t;
    const char     *name;
};

static asy_error *
note_mark(void *argument)
{
    const struct marking *marking = argument;
    trace_note(marking->t, "%s", marking->name);
    return ASY_OK;
}

static asy_callback
marking(struct testing *t, const char *name)
{
    struct marking *marking = asy_alloc(sizeof *marking);

    *marking = (struct marking){ t, name };
    return asy_own(note_mark, marking, asy_free);
}

void
mark(struct testing *t, const char *name)
{
    require_ok(asy_loop_call_soon(t->loop, marking(t, name), NULL));
}

void
mark_last(struct testing *t, const char *name)
{
    require_ok(asy_loop_call_at(t->loop, t->now, marking(t, name), NULL));
}

/* ---- the cancel sweep ---------------------------------------------------------------- */

struct swept {
    asy_pipe       pipe;
    int            theirs;
    asy_transport *transport;
    asy_protocol  *protocol;
};

asy_error *
give_nothing(void *argument, asy_protocol **ret_protocol)
{
    static const asy_protocol_methods no_methods;
    static asy_protocol protocol = { &no_methods };

    (void)argument;
    *ret_protocol = &protocol;
    return ASY_OK;
}

static struct swept *
swept_new(bool reads)
{
    struct swept *data = asy_alloc(sizeof *data);
    int fds[2];

    new_pipe(fds);
    data->pipe.fd = fds[reads ? 0 : 1];
    data->theirs = fds[reads ? 1 : 0];
    return data;
}

static asy_coro *
make_reading(struct testing *t, void **ret_data)
{
    struct swept *data = swept_new(true);

    *ret_data = data;
    return asy_loop_connect_read_pipe(t->loop, give_nothing, NULL, &data->pipe, &data->transport,
                                      &data->protocol);
}

static asy_coro *
make_writing(struct testing *t, void **ret_data)
{
    struct swept *data = swept_new(false);

    *ret_data = data;
    return asy_loop_connect_write_pipe(t->loop, give_nothing, NULL, &data->pipe, &data->transport,
                                       &data->protocol);
}

/* What goes on by itself is the end of the transport. */
static void
release_swept(struct testing *t, void *argument)
{
    struct swept *data = argument;

    (void)t;
    if (data->transport)
        asy_error_unref(asy_transport_close(data->transport));
    asy_transport_unref(data->transport);
    fd_close(&data->pipe.fd);
    close(data->theirs);
}

int
sweep_connecting(bool reads)
{
    const struct cancel_sweep operation = {
        .name = reads ? "connect_read_pipe" : "connect_write_pipe",
        .make = reads ? make_reading : make_writing,
        .release = release_swept,
    };
    return cancel_sweep(&operation);
}
