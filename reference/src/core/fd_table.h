/* SPDX-License-Identifier: MIT */
/*
 * Which descriptors the loop watches, and for whom: the selector's _fd_to_key.
 *
 * A hash table from descriptor to entry, with linear probing. Descriptors are small and dense,
 * so the descriptor is its own hash, and nearly every entry stands at its own number; but a
 * program may also name descriptor 2000000000, and that must not cost memory.
 *
 * The table moves references to handles and never takes or gives one back. Pointers to entries
 * are good until the next insertion or removal.
 */
#ifndef CORE_FD_TABLE_H
#define CORE_FD_TABLE_H

#include <asy/types.h>

struct watched_fd {
    int         fd;             /* -1: the place is free */
    unsigned    events;         /* EVENT_READ, EVENT_WRITE: what the selector was told */
    asy_handle *reader;         /* or NULL */
    asy_handle *writer;
};

/* All zero is an empty table. */
struct fd_table {
    struct watched_fd *places;
    size_t             capacity;        /* 0 or a power of two, more than 4/3 of count */
    size_t             count;
};

/* The entry of a descriptor, or NULL. */
struct watched_fd *fd_table_find(const struct fd_table *table, int fd);

/* A new entry without events and handles, for a descriptor that has none. */
struct watched_fd *fd_table_insert(struct fd_table *table, int fd);

/* Remove the entry of a descriptor that has one, and return what was in it. */
struct watched_fd fd_table_remove(struct fd_table *table, int fd);

/* Forget all entries and free the places. */
void fd_table_deinit(struct fd_table *table);

#endif
