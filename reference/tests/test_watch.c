/* SPDX-License-Identifier: MIT */
/* add_reader, remove_reader and their siblings for writing. */
#include "testing.h"

#include "core/loop_impl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool
is_select(const struct testing *t)
{
    return strcmp(asy_loop_selector_name(t->loop), "select") == 0;
}

static bool
is_epoll(const struct testing *t)
{
    return strcmp(asy_loop_selector_name(t->loop), "epoll") == 0;
}

static void
add_reader(struct testing *t, int fd, const char *name)
{
    require_ok(asy_loop_add_reader(t->loop, fd, testing_mark(t, name)));
}

static void
add_writer(struct testing *t, int fd, const char *name)
{
    require_ok(asy_loop_add_writer(t->loop, fd, testing_mark(t, name)));
}

/* One iteration that does not wait. */
static void
look(struct testing *t)
{
    asy_loop_stop(t->loop);
    require_ok(asy_loop_run_forever(t->loop));
}

static void
send_byte(int fd)
{
    assert_int_equal(write(fd, "x", 1), 1);
}

/* Spec: add_reader.calls-when-readable, add_reader.level-triggered */
static void
reader_runs_in_each_iteration_while_there_is_something_to_read(void **state)
{
    struct testing *t = *state;
    int fds[2];

    testing_socket_pair(fds);
    add_reader(t, fds[0], "read");
    look(t);
    require_trace(t, "");
    send_byte(fds[1]);
    look(t);
    look(t);
    require_trace(t, "read read");
    require_ok(asy_loop_remove_reader(t->loop, fds[0], NULL));
    testing_close_pair(fds);
}

/* Spec: add_writer.calls-when-writable, reader-writer.independent, add_reader.eof-readable */
static void
reader_comes_before_writer_of_one_descriptor(void **state)
{
    struct testing *t = *state;
    int fds[2];

    testing_socket_pair(fds);
    add_writer(t, fds[0], "write");
    add_reader(t, fds[0], "read");
    look(t);
    require_trace(t, "write");
    close(fds[1]);
    fds[1] = -1;
    look(t);
    require_trace(t, "read write");
    require_ok(asy_loop_remove_writer(t->loop, fds[0], NULL));
    look(t);
    require_trace(t, "read");
    require_ok(asy_loop_remove_reader(t->loop, fds[0], NULL));
    testing_close_pair(fds);
}

/* Spec: iteration.timers-then-batch */
static void
order_is_queue_then_descriptors_then_timers(void **state)
{
    struct testing *t = *state;
    int fds[2];

    testing_socket_pair(fds);
    require_ok(asy_loop_call_later(t->loop, 0, testing_mark(t, "timer"), NULL));
    add_writer(t, fds[0], "descriptor");
    testing_call_soon(t, "queued");
    testing_run_once(t);
    require_trace(t, "queued descriptor timer");
    testing_close_pair(fds);
}

/* Spec: add_reader.replace */
static void
second_reader_replaces_the_first(void **state)
{
    struct testing *t = *state;
    int fds[2];

    testing_socket_pair(fds);
    send_byte(fds[1]);
    add_reader(t, fds[0], "old");
    add_reader(t, fds[0], "new");
    look(t);
    require_trace(t, "new");
    require_ok(asy_loop_remove_reader(t->loop, fds[0], NULL));
    testing_close_pair(fds);
}

/* Spec: remove_reader.returns-true, remove_reader.returns-false, remove_writer.returns-true */
static void
remove_tells_whether_there_was_one(void **state)
{
    struct testing *t = *state;
    bool removed = true;
    int fds[2];

    testing_socket_pair(fds);
    require_ok(asy_loop_remove_reader(t->loop, fds[0], &removed));
    assert_false(removed);
    add_writer(t, fds[0], "write");
    require_ok(asy_loop_remove_reader(t->loop, fds[0], &removed));
    assert_false(removed);
    require_ok(asy_loop_remove_writer(t->loop, fds[0], &removed));
    assert_true(removed);
    require_ok(asy_loop_remove_writer(t->loop, fds[0], &removed));
    assert_false(removed);
    look(t);
    require_trace(t, "");
    testing_close_pair(fds);
}

struct removal {
    struct testing *t;
    int             fd;
};

static asy_error *
remove_reader(void *argument)
{
    struct removal *removal = argument;
    testing_trace(removal->t, "removes");
    return asy_loop_remove_reader(removal->t->loop, removal->fd, NULL);
}

/* Spec: remove_reader.cancels-queued, remove_reader.from-callback */
static void
removed_reader_does_not_run_even_if_it_is_queued(void **state)
{
    struct testing *t = *state;
    int fds[2];

    testing_socket_pair(fds);
    struct removal removal = { t, fds[0] };
    send_byte(fds[1]);
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(remove_reader, &removal), NULL));
    add_reader(t, fds[0], "read");
    testing_run_once(t);
    require_trace(t, "removes");
    testing_close_pair(fds);
}

static asy_error *
replace_reader(void *argument)
{
    struct removal *replacement = argument;
    struct testing *t = replacement->t;
    testing_trace(t, "replaces");
    return asy_loop_add_reader(t->loop, replacement->fd, testing_mark(t, "new"));
}

/* Spec: add_reader.replace */
static void
replaced_reader_does_not_run_even_if_it_is_queued(void **state)
{
    struct testing *t = *state;
    int fds[2];

    testing_socket_pair(fds);
    struct removal replacement = { t, fds[0] };
    send_byte(fds[1]);
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(replace_reader, &replacement), NULL));
    add_reader(t, fds[0], "old");
    testing_run_once(t);
    require_trace(t, "replaces");
    look(t);
    require_trace(t, "new");
    require_ok(asy_loop_remove_reader(t->loop, fds[0], NULL));
    testing_close_pair(fds);
}

/* The loop's own handles may be cancelled by others, as sock_recv()'s is: that ends the watch. */
static void
cancelled_handle_is_taken_off_at_its_next_event(void **state)
{
    struct testing *t = *state;
    int fds[2];
    asy_handle *reader = handle_new(t->loop, testing_mark(t, "read"));

    testing_socket_pair(fds);
    require_ok(asy_loop_add_reader_handle(t->loop, fds[0], reader));
    add_writer(t, fds[0], "write");
    asy_handle_cancel(reader);
    send_byte(fds[1]);
    look(t);
    require_trace(t, "write");
    assert_int_equal(fd_table_find(&t->loop->watched, fds[0])->events, EVENT_WRITE);
    assert_null(fd_table_find(&t->loop->watched, fds[0])->reader);
    require_ok(asy_loop_remove_writer(t->loop, fds[0], NULL));
    assert_null(fd_table_find(&t->loop->watched, fds[0]));
    asy_handle_unref(reader);
    testing_close_pair(fds);
}

/* ---- what is refused ---------------------------------------------------------- */

/* Spec: add_reader.bad-fd */
static void
negative_descriptors_are_refused(void **state)
{
    struct testing *t = *state;
    bool removed;

    require_error(asy_loop_add_reader(t->loop, -1, testing_mark(t, "x")), ASY_ValueError,
                  "Invalid file descriptor: -1");
    require_error(asy_loop_add_writer(t->loop, -7, testing_mark(t, "x")), ASY_ValueError,
                  "Invalid file descriptor: -7");
    require_error(asy_loop_remove_reader(t->loop, -1, &removed), ASY_ValueError,
                  "Invalid file descriptor: -1");
    require_error(asy_loop_remove_writer(t->loop, -1, NULL), ASY_ValueError,
                  "Invalid file descriptor: -1");
}

/* Spec: close.add_reader-raises */
static void
closed_loop_refuses_to_watch_and_has_nothing_to_remove(void **state)
{
    struct testing *t = *state;
    bool removed = true;

    require_ok(asy_loop_close(t->loop));
    require_error(asy_loop_add_reader(t->loop, 0, testing_mark(t, "x")), ASY_RuntimeError,
                  "Event loop is closed");
    require_ok(asy_loop_remove_reader(t->loop, 0, &removed));
    assert_false(removed);
    require_ok(asy_loop_remove_writer(t->loop, -1, &removed));
    assert_false(removed);
}

static void
closed_descriptor_is_refused_where_the_selector_knows(void **state)
{
    struct testing *t = *state;
    int fds[2];

    testing_socket_pair(fds);
    int fd = fds[0];
    testing_close_pair(fds);
    asy_error *err = asy_loop_add_reader(t->loop, fd, testing_mark(t, "x"));
    if (is_epoll(t)) {
        require_error(err, ASY_OSError, "[Errno 9] Bad file descriptor");
        assert_null(fd_table_find(&t->loop->watched, fd));
        return;
    }
    require_ok(err);
    if (is_select(t)) {
        require_error(asy_loop_run_once(t->loop), ASY_OSError, "[Errno 9] Bad file descriptor");
    } else {
        look(t);
        require_trace(t, "x");
    }
    require_ok(asy_loop_remove_reader(t->loop, fd, NULL));
}

/* The descriptor was closed while it was watched for both purposes: the selector cannot change
 * that, so it is watched for none. */
static void
failed_change_forgets_the_descriptor(void **state)
{
    struct testing *t = *state;
    bool removed = true;
    int fds[2];

    if (!is_epoll(t))
        skip();
    testing_socket_pair(fds);
    int fd = fds[0];
    add_reader(t, fd, "read");
    add_writer(t, fd, "write");
    testing_close_pair(fds);
    require_error(asy_loop_remove_reader(t->loop, fd, &removed), ASY_OSError,
                  "[Errno 9] Bad file descriptor");
    assert_true(removed);
    require_ok(asy_loop_remove_writer(t->loop, fd, &removed));
    assert_false(removed);
}

/* CPython's flaw, kept: the selector is not told again. */
static void
reused_number_of_a_closed_descriptor_is_taken_for_the_old_one(void **state)
{
    struct testing *t = *state;
    int old[2], new[2];

    if (!is_epoll(t))
        skip();
    testing_socket_pair(old);
    add_reader(t, old[0], "old");
    testing_close_pair(old);
    testing_socket_pair(new);
    send_byte(new[1]);
    add_reader(t, new[0], "new");
    look(t);
    require_trace(t, "");
    require_ok(asy_loop_remove_reader(t->loop, new[0], NULL));
    add_reader(t, new[0], "again");
    look(t);
    require_trace(t, "again");
    testing_close_pair(new);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(reader_runs_in_each_iteration_while_there_is_something_to_read),
        testing_case(reader_comes_before_writer_of_one_descriptor),
        testing_case(order_is_queue_then_descriptors_then_timers),
        testing_case(second_reader_replaces_the_first),
        testing_case(remove_tells_whether_there_was_one),
        testing_case(removed_reader_does_not_run_even_if_it_is_queued),
        testing_case(replaced_reader_does_not_run_even_if_it_is_queued),
        testing_case(cancelled_handle_is_taken_off_at_its_next_event),
        testing_case(negative_descriptors_are_refused),
        testing_case(closed_loop_refuses_to_watch_and_has_nothing_to_remove),
        testing_case(closed_descriptor_is_refused_where_the_selector_knows),
        testing_case(failed_change_forgets_the_descriptor),
        testing_case(reused_number_of_a_closed_descriptor_is_taken_for_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
