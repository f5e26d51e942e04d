/* SPDX-License-Identifier: MIT */
/*
 * Bytes that wait: a bytearray that grows at its end and shrinks at its beginning. Taking from the
 * beginning moves nothing; adding moves what is there only when the space runs out. The memory is
 * at most an eighth more than what has waited at one time, or one page.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <asy/types.h>

/* All zero is empty. */
struct bytes {
    unsigned char *memory;
    size_t         capacity;
    size_t         first;               /* where the bytes begin, in memory */
    size_t         count;
};

/* The first byte, for reading; NULL if there never was one. */
const void *bytes_data(const struct bytes *self);

/* self += data. The data are not of self. What bytes_data() has returned is then no more. */
void bytes_add(struct bytes *self, const void *data, size_t size);

/* del self[:size], which has at least so many. The last one gives the memory back. */
void bytes_remove(struct bytes *self, size_t size);

/* Remove all and give the memory back. */
void bytes_clear(struct bytes *self);

#endif
