/* SPDX-License-Identifier: MIT */
/* The loop as an object: new, closed, freed; its plain attributes; what a collector sees. */
#include "testing.h"

#include "core/loop_impl.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* Spec: new_event_loop.initial-state */
static void
new_loop_is_idle_and_open(void **state)
{
    struct testing *t = *state;
    assert_false(asy_loop_is_running(t->loop));
    assert_false(asy_loop_is_closed(t->loop));
    assert_false(asy_loop_get_debug(t->loop));
    assert_true(asy_loop_get_slow_callback_duration(t->loop) == 0.1);
    assert_int_equal(asy_loop_profile(t->loop), ASY_NEWEST_PROFILE);
    assert_ptr_equal(asy_loop_host_data(t->loop), t);
    assert_null(asy_loop_get_exception_handler(t->loop, NULL));
    assert_int_equal(asy_loop_ready_count(t->loop), 0);
}

static void
selector_is_named_in_the_log(void **state)
{
    static const char *const names[] = { "epoll", "poll", "select" };
    static const char *const lines[] = {
        "DEBUG Using selector: EpollSelector\n",
        "DEBUG Using selector: PollSelector\n",
        "DEBUG Using selector: SelectSelector\n",
    };
    struct testing *t = *state;

    for (int i = 0; i < 3; i++) {
        asy_loop_options options = testing_options(t);
        options.selector = (asy_selector_kind)(ASY_SELECTOR_EPOLL + i);
        t->log[0] = '\0';
        asy_loop *loop = testing_new_loop(&options);
        assert_string_equal(t->log, lines[i]);
        assert_string_equal(asy_loop_selector_name(loop), names[i]);
        testing_close(loop);
        t->log[0] = '\0';
    }
}

static void
loop_without_options_has_the_system_clock(void **state)
{
    asy_loop *loop;
    (void)state;
    require_ok(asy_new_event_loop(&loop));
    double before = asy_loop_time(loop);
    assert_true(asy_loop_time(loop) >= before);
    assert_null(asy_loop_host_data(loop));
    testing_close(loop);
}

static void
unknown_profile_makes_no_loop(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop;

    options.profile = 99;
    require_error(asy_loop_new(&options, &loop), ASY_ValueError,
                  "no profile of Python 3.99: use 3.11 to 3.15, or 0 for the newest");
}

/* valgrind keeps the limit to itself, and does not hold socketpair() to it. */
static bool
limit_of_descriptors_is_kept(const struct rlimit *tight, const struct rlimit *old)
{
    int fds[2];

    setrlimit(RLIMIT_NOFILE, tight);
    bool made = socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0;
    setrlimit(RLIMIT_NOFILE, old);
    if (made)
        testing_close_pair(fds);
    return !made;
}

/* At each number of free descriptors that is too small, what was made is taken back. */
static void
loop_without_descriptors_raises_and_leaks_nothing(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    struct rlimit old, tight;
    asy_loop *loop;

    int fds[2];
    testing_socket_pair(fds);
    int lowest_free = fds[0];
    testing_close_pair(fds);
    getrlimit(RLIMIT_NOFILE, &old);
    for (int spare = 0; spare < 2; spare++) {
        tight = (struct rlimit){ (rlim_t)(lowest_free + spare), old.rlim_max };
        if (!limit_of_descriptors_is_kept(&tight, &old))
            skip();
        setrlimit(RLIMIT_NOFILE, &tight);
        asy_error *err = asy_loop_new(&options, &loop);
        setrlimit(RLIMIT_NOFILE, &old);
        assert_true(asy_error_is_a(err, ASY_OSError));
        asy_error_unref(err);
    }
}

/* Spec: get_debug.default-env */
static void
debug_mode_comes_from_the_environment_unless_told(void **state)
{
    struct testing *t = *state;
    static const char *const values[] = { NULL, "", "0", "1" };
    const char *saved = getenv("PYTHONASYNCIODEBUG");
    char *kept = saved ? strdup(saved) : NULL;

    for (int i = 0; i < 4; i++) {
        asy_loop_options options = testing_options(t);
        options.debug = ASY_DEBUG_FROM_ENVIRONMENT;
        unsetenv("PYTHONASYNCIODEBUG");
        if (values[i])
            setenv("PYTHONASYNCIODEBUG", values[i], 1);
        asy_loop *loop = testing_new_loop(&options);
        assert_int_equal(asy_loop_get_debug(loop), i >= 2);
        testing_close(loop);
    }
    unsetenv("PYTHONASYNCIODEBUG");
    if (kept)
        setenv("PYTHONASYNCIODEBUG", kept, 1);
    free(kept);
}

/* ---- closing ------------------------------------------------------------------ */

/* Spec: close.discards-pending, close.clears-queues, close.idempotent, is_closed.after-close */
static void
close_forgets_callbacks_timers_and_watches(void **state)
{
    struct testing *t = *state;
    int fds[2];

    testing_socket_pair(fds);
    testing_call_soon(t, "soon");
    require_ok(asy_loop_call_soon_threadsafe(t->loop, testing_mark(t, "safe"), NULL));
    require_ok(asy_loop_call_later(t->loop, 1, testing_mark(t, "later"), NULL));
    require_ok(asy_loop_add_reader(t->loop, fds[0], testing_mark(t, "reader")));
    require_ok(asy_loop_add_writer(t->loop, fds[0], testing_mark(t, "writer")));
    require_ok(asy_loop_close(t->loop));
    require_ok(asy_loop_close(t->loop));
    assert_true(asy_loop_is_closed(t->loop));
    assert_int_equal(asy_loop_ready_count(t->loop), 0);
    assert_int_equal(asy_loop_scheduled_count(t->loop), 0);
    assert_int_equal(asy_loop_wakeup_fd(t->loop), -1);
    require_trace(t, "");
    testing_close_pair(fds);
}

static asy_error *
close_running(void *argument)
{
    struct testing *t = argument;
    require_error(asy_loop_close(t->loop), ASY_RuntimeError, "Cannot close a running event loop");
    asy_loop_stop(t->loop);
    return ASY_OK;
}

/* Spec: close.not-running */
static void
running_loop_cannot_be_closed(void **state)
{
    struct testing *t = *state;
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(close_running, t), NULL));
    require_ok(asy_loop_run_forever(t->loop));
    assert_false(asy_loop_is_closed(t->loop));
}

static void
close_is_logged_in_debug_mode(void **state)
{
    struct testing *t = *state;
    asy_loop_set_debug(t->loop, true);
    require_ok(asy_loop_close(t->loop));
    assert_string_equal(t->log,
                        "DEBUG Close <asy_loop running=False closed=False debug=True>\n");
}

static void
loop_that_was_not_closed_warns_and_closes_itself(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);

    t->log[0] = '\0';
    assert_null(asy_loop_unref(loop));
    assert_string_equal(t->log, "WARNING unclosed event loop "
                                "<asy_loop running=False closed=False debug=False>\n");
    assert_null(asy_loop_unref(NULL));
}

static asy_error *
keep_loop(void *host, asy_log_level level, const char *message, asy_error *exception)
{
    asy_loop **kept = host;

    (void)exception;
    if (level == ASY_LOG_WARNING && strncmp(message, "unclosed", strlen("unclosed")) == 0)
        asy_loop_ref(*kept);
    return ASY_OK;
}

static void
loop_that_somebody_takes_while_it_closes_itself_stays(void **state)
{
    static const asy_host keeping_host = { .log = keep_loop };
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *kept;

    options.host = &keeping_host;
    options.host_data = &kept;
    kept = testing_new_loop(&options);
    asy_loop_unref(kept);
    assert_true(asy_loop_is_closed(kept));
    asy_loop_unref(kept);
}

/* What a finalizer of the host may do while the loop gives its handles back. */
static void
meddle(void *argument)
{
    struct testing *t = argument;
    asy_error *err = asy_loop_call_soon(t->loop, testing_mark(t, "late"), NULL);

    testing_trace(t, "dropped");
    assert_true(asy_error_is_a(err, ASY_RuntimeError));
    asy_error_unref(err);
    require_ok(asy_loop_close(t->loop));
    require_ok(asy_loop_remove_reader(t->loop, 0, NULL));
}

static asy_error *
do_nothing(void *argument)
{
    (void)argument;
    return ASY_OK;
}

static void
finalizers_may_call_the_loop_that_is_closing(void **state)
{
    struct testing *t = *state;
    asy_callback meddling = asy_own(do_nothing, t, meddle);
    int fds[2];

    testing_socket_pair(fds);
    require_ok(asy_loop_call_soon(t->loop, meddling, NULL));
    require_ok(asy_loop_call_soon(t->loop, meddling, NULL));
    require_ok(asy_loop_call_later(t->loop, 1, meddling, NULL));
    require_ok(asy_loop_add_reader(t->loop, fds[0], meddling));
    require_ok(asy_loop_close(t->loop));
    require_trace(t, "dropped dropped dropped dropped");
    testing_close_pair(fds);
}

/* ---- visiting ----------------------------------------------------------------- */

struct tally {
    asy_handle *looked_for;
    int         seen;
    int         total;
    int         stop_after;
};

static int
count_visit(asy_handle *handle, void *argument)
{
    struct tally *tally = argument;
    tally->total++;
    if (handle == tally->looked_for)
        tally->seen++;
    return tally->total == tally->stop_after ? 42 : 0;
}

/* The handle is put into the loop in five ways; the sixth reference is the test's own. */
static void
every_reference_of_the_loop_is_visited(void **state)
{
    struct testing *t = *state;
    int fds[2];
    asy_timer_handle *timer = timer_handle_new(t->loop, START + 1, testing_mark(t, "x"));
    struct tally tally = { .looked_for = &timer->handle };

    testing_socket_pair(fds);
    asy_loop_add_timer_handle(t->loop, timer);
    asy_loop_add_handle(t->loop, &timer->handle);
    require_ok(asy_loop_add_reader_handle(t->loop, fds[0], &timer->handle));
    require_ok(asy_loop_add_writer_handle(t->loop, fds[0], &timer->handle));
    require_ok(asy_loop_add_handle_threadsafe(t->loop, &timer->handle));
    assert_int_equal(asy_loop_visit(t->loop, count_visit, &tally), 0);
    assert_int_equal(tally.seen, 5);
    assert_int_equal(tally.total, 6);       /* and the reader of the self-pipe */
    tally = (struct tally){ .stop_after = 3 };
    assert_int_equal(asy_loop_visit(t->loop, count_visit, &tally), 42);
    assert_int_equal(tally.total, 3);
    testing_close_pair(fds);
    asy_timer_handle_unref(timer);
}

static struct tally *tally_in_run;

static asy_error *
visit_in_run(void *loop)
{
    assert_int_equal(asy_loop_visit(loop, count_visit, tally_in_run), 0);
    return ASY_OK;
}

static void
running_handle_is_visited(void **state)
{
    struct testing *t = *state;
    struct tally tally = { 0 };

    require_ok(asy_loop_call_soon(t->loop, asy_borrow(visit_in_run, t->loop), &tally.looked_for));
    tally_in_run = &tally;
    testing_run_once(t);
    assert_int_equal(tally.seen, 1);
    asy_handle_unref(tally.looked_for);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(new_loop_is_idle_and_open),
        testing_case(selector_is_named_in_the_log),
        testing_case(loop_without_options_has_the_system_clock),
        testing_case(unknown_profile_makes_no_loop),
        testing_case(loop_without_descriptors_raises_and_leaks_nothing),
        testing_case(debug_mode_comes_from_the_environment_unless_told),
        testing_case(close_forgets_callbacks_timers_and_watches),
        testing_case(running_loop_cannot_be_closed),
        testing_case(close_is_logged_in_debug_mode),
        testing_case(loop_that_was_not_closed_warns_and_closes_itself),
        testing_case(loop_that_somebody_takes_while_it_closes_itself_stays),
        testing_case(finalizers_may_call_the_loop_that_is_closing),
        testing_case(every_reference_of_the_loop_is_visited),
        testing_case(running_handle_is_visited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
