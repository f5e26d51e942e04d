/* SPDX-License-Identifier: MIT */
/*
 * The system calls on pipes, in a table, so that tests can put faults in their places, as those on
 * sockets are.
 *
 * They have the arguments and results of the system's: -1, and errno. Any may be interrupted by a
 * signal: who calls it knows what EINTR means there (see pipe_end.h).
 */
#ifndef IO_PIPE_CALLS_H
#define IO_PIPE_CALLS_H

#include <asy/types.h>
#include <sys/stat.h>
#include <sys/types.h>

struct pipe_calls {
    int     (*status)(int fd, struct stat *ret_status);         /* fstat() */
    int     (*set_non_blocking)(int fd);
    ssize_t (*read)(int fd, void *buffer, size_t size);
    ssize_t (*write)(int fd, const void *data, size_t size);    /* raises no signal */
    int     (*close)(int fd);
};

/* The system's. */
extern const struct pipe_calls system_pipe_calls;

/* Those in force: only tests assign it, before they start anything. */
extern const struct pipe_calls *pipe_calls;

#endif
