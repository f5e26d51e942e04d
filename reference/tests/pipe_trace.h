/* SPDX-License-Identifier: MIT */
/*
 * What the tests of pipe transports share with oracle/pipe_traces.py, which prints the traces that
 * they expect: pipes one end of which has a transport, and a protocol that notes what it is told.
 */
#ifndef TESTS_PIPE_TRACE_H
#define TESTS_PIPE_TRACE_H

#include "await_trace.h"

#define pipe_case(function)                                                                \
    cmocka_unit_test_setup_teardown(function, pipe_setup, pipe_teardown)

/* In the fault build (ASY_FAULTS), transports have calls that try again, so that faults are below
 * what traces show. */
int pipe_setup(void **state);
int pipe_teardown(void **state);

#define PIPE_SIZE 65536             /* what Linux keeps for a pipe */

/* A protocol. It notes "made", "data=abc" (or "data#1000", if it is long), "eof", "lost",
 * "lost=Kind", "pause#size" and "resume#size", and then calls act, if there is one. */
struct witness {
    asy_protocol    protocol;           /* first */
    struct testing *t;
    const char     *name;               /* before all that it notes */
    asy_transport  *transport;          /* of connection_made(); borrowed */
    int             refs;               /* that others have to it */
    asy_error    *(*act)(struct witness *self, const char *event);
    struct witness *second;             /* for act */

    /* What begin() starts. */
    asy_pipe        pipe;
    asy_task       *task;
    asy_transport  *connected;
    asy_protocol   *same;
};

extern const asy_protocol_methods witness_methods;

/* A new one; end it when nothing refers to it any more but the loop. That closes what is open. */
struct witness *witness_new(struct testing *t, const char *name);
void witness_end(struct witness *witness);

/* A task that connects the descriptor, as "c". */
void begin(struct witness *witness, bool reads, int fd);

/* The same, finished; the trace is empty, and iterations are counted from there. */
struct witness *connect_end(struct testing *t, bool reads, int fd);

/* A transport for the one end of a pipe; *ret_fd is the other, for the test to close. */
struct witness *new_reader(struct testing *t, int *ret_fd);
struct witness *new_writer(struct testing *t, int *ret_fd);

/* A factory of a protocol that does nothing. */
asy_error *give_nothing(void *argument, asy_protocol **ret_protocol);

/* The cancel sweep of connecting.
 *
 * Returns  how many iterations it takes.
 */
int sweep_connecting(bool reads);

/* Two ends of a pipe that do not block: [0] reads. */
void new_pipe(int fds[2]);

/* Write a text; receive all there is, and note "received#count". */
void put(int fd, const char *text);
void take_all(struct testing *t, int fd);

/* Write so many bytes; how many wait; and the high-water mark. */
void write_bytes(struct witness *witness, size_t count);
size_t buffer_size(const struct witness *witness);
void set_high_water(struct witness *witness, int64_t high);

/* Note the name in the next iteration; at the end of it, behind what descriptors have queued. */
void mark(struct testing *t, const char *name);
void mark_last(struct testing *t, const char *name);

#endif
