/* SPDX-License-Identifier: MIT */
/*
 * The table of watched descriptors against an array with a place for each of 256 descriptors.
 *
 * Their numbers are chosen so that they meet in the hash table, and at its end: dense small ones,
 * steps of 16 and 64, and the highest there are. After every operation each is looked up.
 */
#include "fuzzing.h"

#include "core/fd_table.h"

#include <limits.h>
#include <string.h>

#define NUMBERS 256

struct model {
    bool     present[NUMBERS];
    unsigned events[NUMBERS];
    size_t   count;
};

static int
descriptor(unsigned number)
{
    int low = (int)(number & 63);

    switch (number / 64) {
    case 0:
        return low;
    case 1:
        return 64 + low * 16;
    case 2:
        return 2048 + low * 64 - 1;
    default:
        return INT_MAX - low;
    }
}

static void
insert(struct fd_table *table, struct model *model, unsigned number, unsigned events)
{
    if (model->present[number])
        return;
    struct watched_fd *entry = fd_table_insert(table, descriptor(number));
    require(entry->fd == descriptor(number) && entry->events == 0 && !entry->reader &&
            !entry->writer, "the entry of %d is not a new one", descriptor(number));
    entry->events = events;
    model->present[number] = true;
    model->events[number] = events;
    model->count++;
}

static void
take_out(struct fd_table *table, struct model *model, unsigned number)
{
    if (!model->present[number])
        return;
    struct watched_fd removed = fd_table_remove(table, descriptor(number));
    require(removed.fd == descriptor(number) && removed.events == model->events[number],
            "%d was removed, and not %d", removed.fd, descriptor(number));
    model->present[number] = false;
    model->count--;
}

static void
require_same(const struct fd_table *table, const struct model *model)
{
    require(table->count == model->count, "%zu in the table, %zu in the model", table->count,
            model->count);
    for (unsigned i = 0; i < NUMBERS; i++) {
        const struct watched_fd *entry = fd_table_find(table, descriptor(i));
        require(!entry == !model->present[i], "descriptor %d", descriptor(i));
        require(!entry || entry->events == model->events[i], "descriptor %d", descriptor(i));
    }
}

/* A byte for the operation, one for the descriptor with which it begins. */
static void
step(struct fd_table *table, struct model *model, struct program *program)
{
    unsigned operation = program_byte(program);
    unsigned number = program_byte(program);
    unsigned run = operation & 15;

    for (unsigned i = 0; i <= run; i++) {
        if (operation < 128)
            insert(table, model, (number + i) % NUMBERS, operation);
        else if (operation < 252)
            take_out(table, model, (number + i) % NUMBERS);
    }
    if (operation >= 252) {
        fd_table_deinit(table);
        memset(model, 0, sizeof *model);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct program program = { bytes, size };
    struct footprint before = footprint_now();
    struct fd_table table = { 0 };
    struct model model = { 0 };

    while (program.left > 0) {
        step(&table, &model, &program);
        require_same(&table, &model);
    }
    fd_table_deinit(&table);
    footprint_require(before);
    return 0;
}
