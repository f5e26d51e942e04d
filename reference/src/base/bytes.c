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

/* Space for size more behind those that are there: by moving them to the front if that leaves as
 * much again as they are, else by growing to twice the need. So a byte is moved a few times in its
 * life, on average, however many are added. */
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
    if (needed <= self->capacity / 2)
        return;
    self->capacity = needed < LEAST_CAPACITY / 2 ? LEAST_CAPACITY : 2 * needed;
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
