/* SPDX-License-Identifier: MIT */
/*
 * Where transports read to, before the protocol gets it: as much memory as is read in one
 * iteration. The loop lends it, and keeps it from the first read until the loop is freed: also when
 * the loop is closed.
 *
 * Lent, not shared: what a protocol does while it has the data may let somebody else read.
 */
#ifndef IO_READ_BUFFER_H
#define IO_READ_BUFFER_H

#include <asy/types.h>

#define READ_BUFFER_SIZE ((size_t)256 * 1024)

/* READ_BUFFER_SIZE bytes, until they are given back. */
void *read_buffer_take(asy_loop *loop);
void read_buffer_give_back(asy_loop *loop, void *buffer);

#endif
