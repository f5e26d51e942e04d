/* SPDX-License-Identifier: MIT */
/* See fd_table.h. */
#include "core/fd_table.h"

#include "base/alloc.h"

#include <assert.h>

#define FIRST_CAPACITY 16

/* The place of a descriptor, or the free place where it would be put. */
static size_t
locate(const struct fd_table *table, int fd)
{
    size_t place = (size_t)fd & (table->capacity - 1);
    while (table->places[place].fd != fd && table->places[place].fd != -1)
        place = (place + 1) & (table->capacity - 1);
    return place;
}

static void
grow(struct fd_table *table)
{
    struct fd_table old = *table;

    table->capacity = old.capacity ? old.capacity * 2 : FIRST_CAPACITY;
    table->places = alloc_resize(NULL, table->capacity, sizeof table->places[0]);
    for (size_t i = 0; i < table->capacity; i++)
        table->places[i] = (struct watched_fd){ .fd = -1 };
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.places[i].fd != -1)
            table->places[locate(table, old.places[i].fd)] = old.places[i];
    }
    asy_free(old.places);
}

struct watched_fd *
fd_table_find(const struct fd_table *table, int fd)
{
    if (table->count == 0)
        return NULL;
    struct watched_fd *found = &table->places[locate(table, fd)];
    return found->fd == fd ? found : NULL;
}

struct watched_fd *
fd_table_insert(struct fd_table *table, int fd)
{
    if (table->count + 1 > table->capacity / 4 * 3)
        grow(table);
    struct watched_fd *entry = &table->places[locate(table, fd)];
    assert(entry->fd == -1);
    entry->fd = fd;
    table->count++;
    return entry;
}

/* Whether an entry at the place may be found from the hole, which lies before it: that is so
 * unless its own number lies in between. All three are on a ring. */
static bool
may_move_to(const struct fd_table *table, size_t hole, size_t place)
{
    size_t mask = table->capacity - 1;
    size_t home = (size_t)table->places[place].fd & mask;
    return ((place - home) & mask) >= ((place - hole) & mask);
}

/* Entries that were pushed on by the removed one move back, so that no search ends at a hole. */
struct watched_fd
fd_table_remove(struct fd_table *table, int fd)
{
    size_t mask = table->capacity - 1;
    size_t hole = locate(table, fd);
    struct watched_fd removed = table->places[hole];

    assert(removed.fd == fd);
    for (size_t place = (hole + 1) & mask; table->places[place].fd != -1;
         place = (place + 1) & mask) {
        if (may_move_to(table, hole, place)) {
            table->places[hole] = table->places[place];
            hole = place;
        }
    }
    table->places[hole] = (struct watched_fd){ .fd = -1 };
    table->count--;
    return removed;
}

void
fd_table_deinit(struct fd_table *table)
{
    asy_free(table->places);
    *table = (struct fd_table){ 0 };
}
