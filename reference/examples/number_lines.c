/* SPDX-License-Identifier: MIT */
/* Copy standard input to standard output, with a number before each line, as in number_lines.py. */
#include "example.h"
#include <string.h>

/* ---- standard output: when too much waits to be written, standard input has to wait, too ---- */

struct output {
    asy_protocol   protocol;
    asy_transport *reader;
    asy_future    *ended;
};

static asy_error *
output_pause_writing(asy_protocol *self)
{
    asy_transport *reader = ((struct output *)self)->reader;
    return reader ? asy_transport_pause_reading(reader) : ASY_OK;
}

static asy_error *
output_resume_writing(asy_protocol *self)
{
    asy_transport *reader = ((struct output *)self)->reader;
    return reader ? asy_transport_resume_reading(reader) : ASY_OK;
}

/* All is written, or whoever reads it has gone. */
static asy_error *
output_connection_lost(asy_protocol *self, asy_error *exc)
{
    asy_future *ended = ((struct output *)self)->ended;

    (void)exc;
    return ended ? asy_future_set_result(ended, NULL, NULL) : ASY_OK;
}

static const asy_protocol_methods output_methods = {
    .pause_writing = output_pause_writing,
    .resume_writing = output_resume_writing,
    .connection_lost = output_connection_lost,
};

/* ---- standard input ---------------------------------------------------------- */

struct input {
    asy_protocol   protocol;
    asy_transport *writer;
    int            number;
    bool           within_line;
};

static asy_error *
write_number(struct input *self)
{
    char text[20];
    int size = snprintf(text, sizeof text, "%d: ", ++self->number);

    return asy_transport_write(self->writer, text, (size_t)size);
}

/* Write each line, or what has come of it, unless nobody reads it any more. */
static asy_error *
input_data_received(asy_protocol *protocol, const void *data, size_t size)
{
    struct input *self = (struct input *)protocol;

    for (const char *line = data, *end = line + size; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *next = newline ? newline + 1 : end;
        if (asy_transport_is_closing(self->writer))
            break;
        if (!self->within_line)
            TRY(write_number(self));
        TRY(asy_transport_write(self->writer, line, (size_t)(next - line)));
        self->within_line = !newline;
        line = next;
    }
    return ASY_OK;
}

static asy_error *
input_connection_lost(asy_protocol *self, asy_error *exc)
{
    (void)exc;
    return asy_transport_close(((struct input *)self)->writer);
}

static const asy_protocol_methods input_methods = {
    .data_received = input_data_received,
    .connection_lost = input_connection_lost,
};

/* ---- the program ------------------------------------------------------------- */

/* lambda: protocol */
static asy_error *
return_protocol(void *argument, asy_protocol **ret_protocol)
{
    *ret_protocol = argument;
    return ASY_OK;
}

/* They have no count of references: they are there as long as the loop may call them. */
static struct output output = { .protocol = { &output_methods } };
static struct input input = { .protocol = { &input_methods } };

struct number_lines {
    asy_coro      co;
    asy_loop     *loop;
    asy_pipe      out;
    asy_pipe      in;
    asy_protocol *protocol;
};

ASYNC(number_lines)
{
    ASYNC_BEGIN;
    output.ended = asy_loop_create_future(self->loop);
    AWAIT(asy_loop_connect_write_pipe(self->loop, return_protocol, &output.protocol, &self->out,
                                      &input.writer, &self->protocol));
    AWAIT(asy_loop_connect_read_pipe(self->loop, return_protocol, &input.protocol, &self->in,
                                     &output.reader, &self->protocol));
    AWAIT(output.ended);
    TRY(asy_transport_close(output.reader));
    ASYNC_END;
}

FINALLY(number_lines)
{
    input.writer = asy_transport_unref(input.writer);
    output.reader = asy_transport_unref(output.reader);
    output.ended = asy_future_unref(output.ended);
}

ASYNCIO_RUN(ASYNC_CALL(number_lines, .loop = loop, .out.fd = 1, .in.fd = 0))
