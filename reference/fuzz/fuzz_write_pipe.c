/* SPDX-License-Identifier: MIT */
/*
 * The transport that writes to a pipe, against a count of bytes.
 *
 * The program writes, closes, aborts, moves the limits, runs iterations, and says what the system
 * does with each write: take some, or none, or fail. The bytes are numbered, so that one that is
 * lost, doubled or out of its turn shows. Its protocol may do the same things in each of its
 * methods.
 *
 * The descriptor is that of a real pipe, which is always writable, because nothing is written to
 * it: the system's calls go through the table of io/pipe_calls.h.
 */
#include "fuzzing.h"

#include "core/loop_impl.h"
#include "io/pipe_calls.h"

#include <asy/pipe.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MOST_DEPTH 3                /* of methods within methods */

/* What must be so. */
static struct model {
    struct program program;
    asy_loop      *loop;
    asy_transport *transport;
    int            theirs;          /* the other end; -1: closed */
    size_t         given;           /* bytes, by write(), while the transport took them */
    size_t         taken;           /* of these, by the system */
    size_t         dropped;         /* of these, by abort(), or an error */
    int64_t        high;
    bool           paused;
    bool           closing;
    bool           failed;          /* an error: nothing is written any more */
    bool           watches_end;     /* it notices when the other end is closed */
    bool           lost;            /* connection_lost() was called */
    int            ends_queued;     /* calls of it that wait */
    size_t         lost_writes;
    int            warnings;
    int            warnings_due;
    int            reports;
    int            reports_due;
    int            depth;
} model;

static size_t
kept(void)
{
    return model.given - model.taken - model.dropped;
}

/* ---- the system ------------------------------------------------------------------------- */

/* Bytes whose numbers begin there, modulo 251. */
static const unsigned char *
numbered(size_t from, size_t count)
{
    static unsigned char bytes[251 + 65536];

    if (bytes[1] == 0) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (unsigned char)(i % 251);
    }
    require(count <= 65536, "%zu bytes", count);
    return bytes + from % 251;
}

static void
fail_write(void)
{
    model.dropped += kept();
    model.failed = true;
    model.lost_writes++;
    model.closing = true;
    model.watches_end = false;
    model.ends_queued++;
}

/* Always all that waits, and nothing else. */
static ssize_t
fake_write(int fd, const void *data, size_t size)
{
    unsigned answer = program_byte(&model.program);
    const unsigned char *bytes = data;

    (void)fd;
    require(size == kept(), "%zu of %zu", size, kept());
    require(!model.failed && !model.lost, "after the end");
    for (size_t i = 0; i < size; i++)
        require(bytes[i] == (model.taken + model.dropped + i) % 251, "byte %zu of %zu", i, size);
    if (answer >= 250) {
        fail_write();
        errno = EIO;
        return -1;
    }
    if (answer < 40) {
        errno = EAGAIN;
        return -1;
    }
    size_t count = answer < 120 || size < answer ? size : answer;
    model.taken += count;
    return (ssize_t)count;
}

/* ---- what the program and the protocol do ------------------------------------------------- */

static void
write_some(unsigned kind)
{
    static const size_t sizes[] = { 0, 1, 7, 100, 1000, 5000, 20000, 65536 };
    size_t size = sizes[kind % 8];
    size_t from = model.given;

    if (size > 0 && (model.closing || model.failed)) {
        model.warnings_due += model.lost_writes >= 5;
        model.lost_writes++;
    } else {
        model.given += size;
    }
    require_ok(asy_transport_write(model.transport, numbered(from, size), size));
}

static void
move_limits(unsigned kind)
{
    static const int64_t limits[] = { 0, 1, 99, 4000, 65536 };
    int64_t low;

    require_ok(asy_transport_set_write_buffer_limits(model.transport,
                                                     kind % 6 < 5 ? &limits[kind % 6] : NULL,
                                                     NULL));
    require_ok(asy_transport_get_write_buffer_limits(model.transport, &low, &model.high));
    require(low == model.high / 4, "%lld", (long long)low);
}

static void
close_or_write_eof(bool eof)
{
    if (!model.closing && kept() == 0) {
        model.ends_queued++;
        model.watches_end = false;
    }
    model.closing = true;
    require_ok(eof ? asy_transport_write_eof(model.transport)
                   : asy_transport_close(model.transport));
}

static void
abort_it(void)
{
    bool raises = model.lost;

    model.closing = true;
    model.dropped += kept();
    model.watches_end = false;
    model.ends_queued += !raises;
    asy_error *err = asy_transport_abort(model.transport);
    require(asy_error_is_a(err, ASY_AttributeError) == raises, "abort");
    asy_error_unref(err);
}

static void
require_same(void)
{
    size_t size;

    require_ok(asy_transport_get_write_buffer_size(model.transport, &size));
    require(size == kept(), "%zu in the buffer, %zu in the model", size, kept());
    require(asy_transport_is_closing(model.transport) == model.closing, "closing");
    require(asy_transport_is_closed(model.transport) == model.lost, "closed");
    require(model.warnings == model.warnings_due, "%d warnings", model.warnings);
    require(model.reports == model.reports_due, "%d reports", model.reports);
    require(model.paused || (int64_t)size <= model.high, "not paused with %zu", size);
}

/* One thing, but for iterations, which a method cannot run. */
static void
act_on(unsigned byte)
{
    unsigned kind = byte >> 4;

    if (byte % 16 < 9)
        write_some(kind);
    else if (byte % 16 < 11)
        move_limits(kind);
    else if (byte % 16 < 12)
        close_or_write_eof(kind % 2);
    else if (byte == 0xfc || byte == 0x0c)
        abort_it();
    else if ((byte == 0xfd || byte == 0x0d) && model.theirs >= 0) {
        close(model.theirs);
        model.theirs = -1;
    }
}

/* What a method of the protocol does: nothing, or a few things. */
static void
act(void)
{
    unsigned byte = program_byte(&model.program);

    model.depth++;
    for (int i = 0; i < 3 && byte >= 128 && model.depth <= MOST_DEPTH; i++) {
        act_on(byte & 127);
        byte = program_byte(&model.program);
    }
    model.depth--;
}

/* ---- the protocol ------------------------------------------------------------------------- */

static asy_error *
made(asy_protocol *self, asy_transport *transport)
{
    (void)self;
    require(transport == model.transport, "another transport");
    act();
    return ASY_OK;
}

/* From the queue, or, when the last that was kept has been written, directly. */
static asy_error *
lost(asy_protocol *self, asy_error *exc)
{
    (void)self, (void)exc;
    require(!model.lost, "lost twice");
    require(model.closing && kept() == 0, "lost with %zu", kept());
    model.lost = true;
    model.watches_end = false;
    return ASY_OK;
}

static asy_error *
pause_writing(asy_protocol *self)
{
    (void)self;
    require(!model.paused && kept() > 0, "paused with %zu", kept());
    model.paused = true;
    act();
    return ASY_OK;
}

static asy_error *
resume_writing(asy_protocol *self)
{
    (void)self;
    require(model.paused && kept() == 0, "resumed with %zu", kept());
    model.paused = false;
    act();
    return ASY_OK;
}

static const asy_protocol_methods methods = {
    .connection_made = made,
    .connection_lost = lost,
    .pause_writing = pause_writing,
    .resume_writing = resume_writing,
};

/* ---- iterations --------------------------------------------------------------------------- */

/* What has been queued ends the transport, or, when that has ended, is reported. */
static void
run_once(void)
{
    int queued = model.ends_queued;
    bool was_lost = model.lost;

    if (model.theirs < 0 && model.watches_end) {
        model.dropped += kept();
        model.closing = true;
        model.watches_end = false;
        model.ends_queued++;
    }
    asy_loop_stop(model.loop);
    require_ok(asy_loop_run_once(model.loop));
    atomic_store(&model.loop->stopping, false);
    require(queued == 0 || model.lost, "not lost");
    require(!model.closing || kept() > 0 || model.lost || model.ends_queued > queued, "no end");
    model.ends_queued -= queued;
    model.reports_due += queued - (queued > 0 && !was_lost);
}

/* ---- the program -------------------------------------------------------------------------- */

static asy_error *
count_log(void *host, asy_log_level level, const char *message, asy_error *exception)
{
    (void)host, (void)message, (void)exception;
    model.warnings += level == ASY_LOG_WARNING;
    return ASY_OK;
}

static asy_error *
count_report(asy_loop *loop, const asy_report *report, void *argument)
{
    (void)loop, (void)argument;
    require(asy_error_is_a(report->exception, ASY_AttributeError), "%s",
            report->exception->message);
    model.reports++;
    return ASY_OK;
}

static void
begin(asy_protocol *protocol)
{
    static const asy_host host = { .log = count_log };
    const asy_loop_options options = { .debug = ASY_DEBUG_OFF, .host = &host };
    int fds[2];

    require_ok(asy_loop_new(&options, &model.loop));
    asy_loop_set_exception_handler(model.loop, count_report, NULL, NULL);
    require(pipe2(fds, O_CLOEXEC) == 0, "errno %d", errno);
    model.theirs = fds[0];
    const asy_pipe ours = { .fd = fds[1] };
    require_ok(asy_write_pipe_transport_new(model.loop, &ours, protocol, NULL, NULL,
                                            &model.transport));
    model.high = 65536;
    run_once();
    model.watches_end = !model.closing || kept() > 0;
}

/* Whatever was done, it ends. */
static void
end(void)
{
    abort_it();
    run_once();
    require(model.lost, "not lost");
    require_same();
    asy_transport_unref(model.transport);
    if (model.theirs >= 0)
        close(model.theirs);
    require_ok(asy_loop_close(model.loop));
    asy_loop_unref(model.loop);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct pipe_calls calls = system_pipe_calls;
    struct footprint before = footprint_now();
    asy_protocol protocol = { &methods };

    model = (struct model){ .program = { bytes, size } };
    calls.write = fake_write;
    pipe_calls = &calls;
    begin(&protocol);
    while (model.program.left > 0) {
        unsigned byte = program_byte(&model.program);
        if (byte % 16 == 15)
            run_once();
        else
            act_on(byte);
        require_same();
    }
    end();
    pipe_calls = &system_pipe_calls;
    footprint_require(before);
    return 0;
}
