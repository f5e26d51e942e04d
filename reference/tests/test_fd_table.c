/* SPDX-License-Identifier: MIT */
/* The table of watched descriptors. */
#include "testing.h"

#include "core/fd_table.h"

#include <stdlib.h>

static void
insert(struct fd_table *table, int fd)
{
    struct watched_fd *entry = fd_table_insert(table, fd);
    assert_null(entry->reader);
    assert_null(entry->writer);
    entry->events = (unsigned)fd + 1;
}

static void
empty_table_finds_nothing(void **state)
{
    struct fd_table table = { 0 };
    (void)state;
    assert_null(fd_table_find(&table, 0));
    fd_table_deinit(&table);
}

static void
highest_descriptor_costs_no_memory(void **state)
{
    struct fd_table table = { 0 };
    (void)state;
    insert(&table, INT32_MAX);
    assert_int_equal(fd_table_find(&table, INT32_MAX)->fd, INT32_MAX);
    assert_true(table.capacity < 100);
    fd_table_deinit(&table);
}

/* Descriptors 16 apart want the same place of a small table. */
static void
removing_one_of_several_that_collide_leaves_the_others_findable(void **state)
{
    (void)state;
    for (int removed = 0; removed < 6; removed++) {
        struct fd_table table = { 0 };
        for (int i = 0; i < 6; i++)
            insert(&table, 14 + 16 * (i % 3) + i / 3);
        int fd = 14 + 16 * (removed % 3) + removed / 3;
        assert_int_equal(fd_table_remove(&table, fd).events, fd + 1);
        for (int i = 0; i < 6; i++) {
            int other = 14 + 16 * (i % 3) + i / 3;
            assert_int_equal(fd_table_find(&table, other) != NULL, other != fd);
        }
        fd_table_deinit(&table);
    }
}

/* Against an array of flags. */
static void
random_insertions_and_removals_agree_with_an_array(void **state)
{
    enum { LIMIT = 300 };
    bool present[LIMIT] = { false };
    struct fd_table table = { 0 };
    unsigned seed = 7;

    (void)state;
    for (int step = 0; step < 20000; step++) {
        seed = seed * 1103515245U + 12345U;
        int number = (int)((seed >> 16) % LIMIT);
        int fd = number * 37;
        assert_int_equal(fd_table_find(&table, fd) != NULL, present[number]);
        if (present[number])
            assert_int_equal(fd_table_remove(&table, fd).events, fd + 1);
        else
            insert(&table, fd);
        present[number] = !present[number];
    }
    fd_table_deinit(&table);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(empty_table_finds_nothing),
        testing_case(highest_descriptor_costs_no_memory),
        testing_case(removing_one_of_several_that_collide_leaves_the_others_findable),
        testing_case(random_insertions_and_removals_agree_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
