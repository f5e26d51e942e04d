/* SPDX-License-Identifier: MIT */
/* See fuzzing.h. */
#include "fuzzing.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void
fuzzing_fail(const char *file, int line, const char *condition, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%d: not so: %s: ", file, line, condition);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

void
fuzzing_require_ok(const asy_error *err, const char *file, int line)
{
    if (err)
        fuzzing_fail(file, line, "nothing was raised", "%s: %s", asy_error_kind_name(err->kind),
                     err->message);
}

/* Nothing is called between the wait that fails and this. */
bool
fuzzing_interrupted(void)
{
    bool interrupted = errno == EINTR;

    errno = 0;
    return interrupted;
}

/* The system gives out the lowest number that is free, so one that is left open shows. */
static int
next_free_fd(void)
{
    int fd = dup(STDERR_FILENO);

    require(fd >= 0, "no descriptor can be had");
    close(fd);
    return fd;
}

struct footprint
footprint_now(void)
{
    return (struct footprint){ alloc_block_count(), next_free_fd() };
}

void
footprint_require(struct footprint before)
{
    struct footprint now = footprint_now();

    require(now.blocks == before.blocks, "%ld blocks of memory are left",
            now.blocks - before.blocks);
    require(now.next_fd == before.next_fd, "descriptor %d is left", before.next_fd);
}
