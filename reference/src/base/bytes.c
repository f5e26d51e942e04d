/* SPDX-License-Identifier: MIT */
/* See bytes.h. */
#include "base/bytes.h"

#include "base/alloc.h"

#include <string.h>

#define LEAST_CAPACITY 4096

const void *
bytes_data(const struct bytes *self)
{
    return self->memory ? self->memory + self->first : NULL;
}

/* How much to ask for. What grows a little will grow again, and gets an eighth more, as a bytearray
 * does; what comes in one large piece is all there is, perhaps. */
static size_t
next_capacity(size_t capacity, size_t needed)
{
    size_t next = needed <= capacity + capacity / 8 ? needed + needed / 8 : needed;
    return next < LEAST_CAPACITY ? LEAST_CAPACITY : next;
}

/* Space for size more behind those that are there, if there is none: they move to the front; then,
 * if that leaves less than an eighth of what there will be, the memory grows. So many are added
 * between two moves that a byte is moved a few times in its life, on average, however many come. */
static void
make_space(struct bytes *self, size_t size)
{
    size_t needed = self->count + size;

    if (self->capacity - self->first - self->count >= size)
        return;
    if (self->first > 0) {
        memmove(self->memory, self->memory + self->first, self->count);
        self->first = 0;
    }
    if (needed + needed / 8 <= self->capacity)
        return;
    self->capacity = next_capacity(self->capacity, needed);
    self->memory = alloc_resize(self->memory, self->capacity, 1);
}

void
bytes_add(struct bytes *self, const void *data, size_t size)
{
    if (size == 0)
        return;
    make_space(self, size);
    memcpy(self->memory + self->first + self->count, data, size);
    self->count += size;
}

void
bytes_remove(struct bytes *self, size_t size)
{
    self->first += size;
    self->count -= size;
    if (self->count == 0)
        bytes_clear(self);
}

void
bytes_clear(struct bytes *self)
{
    asy_free(self->memory);
    *self = (struct bytes){ 0 };
}
