/* SPDX-License-Identifier: MIT */
/* See read_buffer.h. */
#include "io/read_buffer.h"

#include "core/loop_impl.h"

void *
read_buffer_take(asy_loop *loop)
{
    void *buffer = loop->read_buffer;

    loop->read_buffer = NULL;
    return buffer ? buffer : asy_alloc(READ_BUFFER_SIZE);
}

void
read_buffer_give_back(asy_loop *loop, void *buffer)
{
    asy_free(loop->read_buffer);
    loop->read_buffer = buffer;
}
