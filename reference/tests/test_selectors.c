/* SPDX-License-Identifier: MIT */
/* The three selectors, side by side: what they report, in which order, how they round. */
#include "testing.h"

#include "core/selector.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const asy_selector_kind kinds[] = {
#if defined(__linux__)
    ASY_SELECTOR_EPOLL,
#endif
    ASY_SELECTOR_POLL,
    ASY_SELECTOR_SELECT,
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

/* ---- a waiter that counts ----------------------------------------------------- */

static int entered, interruptions;
static asy_error *interruption_error;

static void *
enter(void *data)
{
    entered++;
    return data;
}

static void
leave(void *data, void *released)
{
    assert_ptr_equal(data, released);
    entered--;
}

static asy_error *
interrupted(void *data)
{
    (void)data;
    assert_int_equal(entered, 0);
    interruptions++;
    return interruption_error;
}

static const struct selector_waiter waiter = { &entered, enter, leave, interrupted };

static asy_error *
poll_now(struct selector *selector)
{
    return selector_select(selector, 0, &waiter);
}

static struct selector *
new_selector(asy_selector_kind kind)
{
    struct selector *selector;
    require_ok(selector_new(kind, &selector));
    return selector;
}

/* Call the body with each kind of selector, and two connected sockets. */
static void
for_each_kind(void (*body)(struct selector *selector, const int fds[2]))
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        int fds[2];
        struct selector *selector = new_selector(kinds[i]);
        testing_socket_pair(fds);
        body(selector, fds);
        testing_close_pair(fds);
        selector_free(selector);
    }
}

static void
require_ready(const struct selector *selector, size_t position, int fd, unsigned events)
{
    assert_true(position < selector->ready_count);
    assert_int_equal(selector->ready[position].fd, fd);
    assert_int_equal(selector->ready[position].events, events);
}

/* ---- descriptors that are registered while it waits -------------------------------- */

#define MORE_FDS 40

struct registering {
    struct selector *selector;
    int              fds[MORE_FDS];
};

/* What another thread of a host may do as soon as the host's lock is free. */
static void *
register_more(void *data)
{
    struct registering *more = data;
    for (int i = 0; i < MORE_FDS; i++)
        require_ok(selector_register(more->selector, more->fds[i], EVENT_READ | EVENT_WRITE));
    return data;
}

static void
unlocked(void *data, void *entered_data)
{
    assert_ptr_equal(data, entered_data);
}

static void
registered_while_waiting_body(struct selector *selector, const int fds[2])
{
    struct registering more = { .selector = selector };
    const struct selector_waiter registering = { &more, register_more, unlocked, interrupted };

    for (int i = 0; i < MORE_FDS; i++)
        more.fds[i] = dup(fds[1]);
    require_ok(selector_register(selector, fds[0], EVENT_WRITE));
    require_ok(selector_select(selector, 0, &registering));
    assert_true(selector->ready_count >= 1);
    require_ok(poll_now(selector));
    assert_int_equal(selector->ready_count, MORE_FDS + 1);
    for (int i = 0; i < MORE_FDS; i++) {
        selector_unregister(selector, more.fds[i]);
        close(more.fds[i]);
    }
    selector_unregister(selector, fds[0]);
}

/* Under ASan this fails if a back end looks at what register_fd() has moved. */
static void
registering_while_it_waits_counts_from_the_next_poll_at_the_latest(void **state)
{
    (void)state;
    for_each_kind(registered_while_waiting_body);
}

/* ---- what is ready ------------------------------------------------------------ */

static void
readiness_body(struct selector *selector, const int fds[2])
{
    require_ok(selector_register(selector, fds[0], EVENT_READ));
    require_ok(poll_now(selector));
    assert_int_equal(selector->ready_count, 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    for (int i = 0; i < 2; i++) {
        require_ok(poll_now(selector));
        assert_int_equal(selector->ready_count, 1);
        require_ready(selector, 0, fds[0], EVENT_READ);
    }
    require_ok(selector_modify(selector, fds[0], EVENT_READ | EVENT_WRITE));
    require_ok(poll_now(selector));
    require_ready(selector, 0, fds[0], EVENT_READ | EVENT_WRITE);
    selector_unregister(selector, fds[0]);
    assert_int_equal(selector->registered, 0);
    require_ok(poll_now(selector));
    assert_int_equal(selector->ready_count, 0);
}

static void
readable_and_writable_are_reported_as_long_as_they_hold(void **state)
{
    (void)state;
    for_each_kind(readiness_body);
}

static void
hang_up_body(struct selector *selector, const int fds[2])
{
    int watched = dup(fds[0]);
    require_ok(selector_register(selector, watched, EVENT_READ));
    shutdown(fds[1], SHUT_RDWR);
    require_ok(poll_now(selector));
    assert_int_equal(selector->ready_count, 1);
    assert_true(selector->ready[0].events & EVENT_READ);
    selector_unregister(selector, watched);
    close(watched);
}

static void
end_of_file_is_readable(void **state)
{
    (void)state;
    for_each_kind(hang_up_body);
}

/* poll and epoll: a hang-up is neither input nor output, so it wakes both sides. */
static void
hang_up_wakes_the_writer_too(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < KIND_COUNT; i++) {
        int pipe_fds[2];
        struct selector *selector = new_selector(kinds[i]);
        assert_int_equal(pipe(pipe_fds), 0);
        require_ok(selector_register(selector, pipe_fds[0], EVENT_READ));
        close(pipe_fds[1]);
        require_ok(poll_now(selector));
        require_ready(selector, 0, pipe_fds[0], EVENT_READ | EVENT_WRITE);
        selector_unregister(selector, pipe_fds[0]);
        close(pipe_fds[0]);
        selector_free(selector);
    }
}

/* poll: the order of registration, which modify() leaves and register() again changes. */
static void
poll_reports_in_the_order_of_registration(void **state)
{
    int a[2], b[2];
    struct selector *selector = new_selector(ASY_SELECTOR_POLL);

    (void)state;
    testing_socket_pair(a);
    testing_socket_pair(b);
    require_ok(selector_register(selector, b[0], EVENT_WRITE));
    require_ok(selector_register(selector, a[0], EVENT_WRITE));
    require_ok(poll_now(selector));
    require_ready(selector, 0, b[0], EVENT_WRITE);
    require_ready(selector, 1, a[0], EVENT_WRITE);
    require_ok(selector_modify(selector, b[0], EVENT_READ | EVENT_WRITE));
    require_ok(poll_now(selector));
    require_ready(selector, 0, b[0], EVENT_WRITE);
    selector_unregister(selector, b[0]);
    require_ok(selector_register(selector, b[0], EVENT_WRITE));
    require_ok(poll_now(selector));
    require_ready(selector, 0, a[0], EVENT_WRITE);
    require_ready(selector, 1, b[0], EVENT_WRITE);
    testing_close_pair(a);
    testing_close_pair(b);
    selector_free(selector);
}

static void
all_ready_descriptors_are_reported_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        int fds[100][2];
        struct selector *selector = new_selector(kinds[i]);
        for (int j = 0; j < 100; j++) {
            testing_socket_pair(fds[j]);
            require_ok(selector_register(selector, fds[j][0], EVENT_WRITE));
        }
        require_ok(poll_now(selector));
        assert_int_equal(selector->ready_count, 100);
        for (int j = 0; j < 100; j++)
            testing_close_pair(fds[j]);
        selector_free(selector);
    }
}

/* ---- what cannot be watched --------------------------------------------------- */

#if defined(__linux__)
static void
epoll_refuses_regular_files_and_closed_descriptors(void **state)
{
    struct selector *selector = new_selector(ASY_SELECTOR_EPOLL);
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    (void)state;
    require_error(selector_register(selector, fd, EVENT_READ), ASY_PermissionError,
                  "[Errno 1] Operation not permitted");
    close(fd);
    require_error(selector_register(selector, fd, EVENT_READ), ASY_OSError,
                  "[Errno 9] Bad file descriptor");
    assert_int_equal(selector->registered, 0);
    selector_free(selector);
}
#endif

static void
closed_descriptor_wakes_poll_and_fails_select(void **state)
{
    int fds[2];

    (void)state;
    testing_socket_pair(fds);
    struct selector *selector = new_selector(ASY_SELECTOR_POLL);
    struct selector *other = new_selector(ASY_SELECTOR_SELECT);
    require_ok(selector_register(selector, fds[0], EVENT_READ));
    require_ok(selector_register(other, fds[0], EVENT_READ));
    testing_close_pair(fds);
    require_ok(poll_now(selector));
    assert_int_equal(selector->ready[0].events, EVENT_READ | EVENT_WRITE);
    require_error(poll_now(other), ASY_OSError, "[Errno 9] Bad file descriptor");
    selector_free(selector);
    selector_free(other);
}

static void
select_refuses_high_descriptors_when_it_waits(void **state)
{
    struct selector *selector = new_selector(ASY_SELECTOR_SELECT);

    (void)state;
    require_ok(selector_register(selector, 5000, EVENT_READ));
    require_error(poll_now(selector), ASY_ValueError, "filedescriptor out of range in select()");
    selector_unregister(selector, 5000);
    require_ok(poll_now(selector));
    selector_free(selector);
}

static void
unknown_selector_is_refused(void **state)
{
    struct selector *selector;
    asy_error *err = selector_new((asy_selector_kind)99, &selector);

    (void)state;
    assert_true(asy_error_is_a(err, ASY_ValueError));
    asy_error_unref(err);
}

/* ---- time-outs ---------------------------------------------------------------- */

/* The values are those of CPython: math.ceil(timeout * 1e3) and so on. */
static void
timeouts_are_rounded_up_as_in_python(void **state)
{
    (void)state;
    assert_int_equal(poll_ops.round_timeout(0.0010000001), 2000000);
    assert_int_equal(poll_ops.round_timeout(1e-9), 1000000);
    assert_int_equal(poll_ops.round_timeout(86400), INT64_C(86400000000000));
    assert_int_equal(select_ops.round_timeout(1.5e-9), 2);
    assert_int_equal(select_ops.round_timeout(0.25), 250000000);
#if defined(__linux__)
    assert_int_equal(epoll_ops.round_timeout(1e-9), 1000000);
    assert_int_equal(epoll_ops.round_timeout(0.25), 250000000);
    /* ceil(3.0) * 1e-3 is 0.003, and 0.003 * 1e9 is 3000000 */
    assert_int_equal(epoll_ops.round_timeout(0.003), 3000000);
#endif
}

static void
nan_body(struct selector *selector, const int fds[2])
{
    (void)fds;
    require_error(selector_select(selector, NAN, &waiter), ASY_ValueError,
                  "cannot convert float NaN to integer");
}

static void
timeout_that_is_not_a_number_is_refused(void **state)
{
    (void)state;
    for_each_kind(nan_body);
}

/* ---- signals ------------------------------------------------------------------ */

static int wake_fd;

static void
write_a_byte(int signal_number)
{
    (void)signal_number;
    if (interruptions > 0)
        (void)!write(wake_fd, "x", 1);
}

static void
start_alarms(void)
{
    struct itimerval every_2_ms = { { 0, 2000 }, { 0, 2000 } };
    setitimer(ITIMER_REAL, &every_2_ms, NULL);
}

static void
stop_alarms(void)
{
    struct itimerval never = { { 0, 0 }, { 0, 0 } };
    setitimer(ITIMER_REAL, &never, NULL);
}

/* The first alarm interrupts the wait, a later one makes it end. */
static void
interrupted_body(struct selector *selector, const int fds[2])
{
    interruptions = 0;
    wake_fd = fds[1];
    require_ok(selector_register(selector, fds[0], EVENT_READ));
    start_alarms();
    asy_error *err = selector_select(selector, INFINITY, &waiter);
    stop_alarms();
    if (interruption_error) {
        assert_ptr_equal(err, interruption_error);
        assert_int_equal(interruptions, 1);
        return;
    }
    require_ok(err);
    assert_true(interruptions >= 1);
    require_ready(selector, 0, fds[0], EVENT_READ);
}

static void
catch_alarms(void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler };
    sigaction(SIGALRM, &action, NULL);
}

static void
wait_goes_on_after_a_signal(void **state)
{
    (void)state;
    if (UNDER_THREAD_SANITIZER)
        skip();
    catch_alarms(write_a_byte);
    for_each_kind(interrupted_body);
    catch_alarms(SIG_DFL);
}

/* Nothing is written here: only the rest of the time ends the wait. */
static void
limited_body(struct selector *selector, const int fds[2])
{
    require_ok(selector_register(selector, fds[0], EVENT_READ));
    start_alarms();
    require_ok(selector_select(selector, 0.02, &waiter));
    stop_alarms();
    assert_int_equal(selector->ready_count, 0);
}

static void
do_not_write(int signal_number)
{
    (void)signal_number;
}

static void
wait_ends_in_time_in_spite_of_signals(void **state)
{
    (void)state;
    if (UNDER_THREAD_SANITIZER)
        skip();
    interruptions = 0;
    catch_alarms(do_not_write);
    for_each_kind(limited_body);
    catch_alarms(SIG_DFL);
    assert_true(interruptions > 0);
}

static void
error_of_a_signal_handler_ends_the_wait(void **state)
{
    (void)state;
    if (UNDER_THREAD_SANITIZER)
        skip();
    interruption_error = asy_error_new(ASY_KeyboardInterrupt, "ctrl-c");
    catch_alarms(write_a_byte);
    for_each_kind(interrupted_body);
    catch_alarms(SIG_DFL);
    interruption_error = asy_error_unref(interruption_error);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(registering_while_it_waits_counts_from_the_next_poll_at_the_latest),
        testing_case(readable_and_writable_are_reported_as_long_as_they_hold),
        testing_case(end_of_file_is_readable),
        testing_case(hang_up_wakes_the_writer_too),
        testing_case(poll_reports_in_the_order_of_registration),
        testing_case(all_ready_descriptors_are_reported_at_once),
#if defined(__linux__)
        testing_case(epoll_refuses_regular_files_and_closed_descriptors),
#endif
        testing_case(closed_descriptor_wakes_poll_and_fails_select),
        testing_case(select_refuses_high_descriptors_when_it_waits),
        testing_case(unknown_selector_is_refused),
        testing_case(timeouts_are_rounded_up_as_in_python),
        testing_case(timeout_that_is_not_a_number_is_refused),
        testing_case(wait_goes_on_after_a_signal),
        testing_case(wait_ends_in_time_in_spite_of_signals),
        testing_case(error_of_a_signal_handler_ends_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
