/* SPDX-License-Identifier: MIT */
/*
 * What waits for a thread, cancelled at any time: run_in_executor(), shutdown_default_executor(),
 * getaddrinfo() and getnameinfo().
 *
 * A job at a gate keeps the only thread of the default executor busy; the gate opens in a second.
 * So the operation is cancelled while it waits for its turn, and while and after it has it.
 */
#include "await_trace.h"
#include "cancel_sweep.h"
#include "gated_work.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <asy/resolve.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

/* Of one operation. What does not apply stays 0. */
struct busy {
    asy_executor     *executor;
    struct work       gated;        /* keeps the thread busy */
    asy_future       *gated_future;
    struct work       work;         /* the operation's own */
    bool              submitted;    /* the latter */
    asy_timer_handle *timer;
    bool              names;
    struct addrinfo  *addresses;
    char             *host;
    char             *service;
};

static struct busy *
new_busy(struct testing *t, void **ret_data)
{
    struct busy *busy = *ret_data = asy_alloc(sizeof *busy);

    busy->executor = asy_executor_new(1);
    require_ok(asy_set_default_executor(t->loop, busy->executor));
    work_init(&busy->gated, true);
    work_init(&busy->work, false);
    busy->gated_future = submit(t, NULL, &busy->gated);
    require_ok(asy_loop_call_later(t->loop, 1, asy_borrow(open_gate, &busy->gated),
                                   &busy->timer));
    return busy;
}

/* Run until the threads have nothing to do and all that came back has been taken in. */
static void
finish_jobs(struct testing *t, struct busy *busy)
{
    require_ok(open_gate(&busy->gated));
    asy_executor_shutdown(busy->executor, true);
    while (asy_loop_ready_count(t->loop) > 0)
        testing_run_once(t);
}

/* Each job is given back once, and in the loop's thread. */
static void
release_busy(struct testing *t, void *data)
{
    struct busy *busy = data;

    finish_jobs(t, busy);
    asy_handle_cancel(asy_timer_handle_base(busy->timer));
    asy_timer_handle_unref(busy->timer);
    asy_future_unref(busy->gated_future);
    asy_executor_unref(busy->executor);
    assert_int_equal(busy->gated.drops, 1);
    assert_int_equal(busy->work.drops, busy->submitted);
    if (busy->submitted)
        assert_true(pthread_equal(busy->work.dropped_in, pthread_self()));
    work_deinit(&busy->gated);
    work_deinit(&busy->work);
    if (busy->addresses)
        freeaddrinfo(busy->addresses);
    asy_free(busy->host);
    asy_free(busy->service);
}

static int
sweep(const char *name, asy_coro *(*make)(struct testing *, void **),
      void (*require_result)(struct testing *, void *))
{
    return cancel_sweep(&(struct cancel_sweep){
        .name = name, .make = make, .require_result = require_result, .release = release_busy,
        .waits_for_threads = true,
    });
}

/* ---- a job --------------------------------------------------------------------------- */

struct job {
    asy_coro     co;
    asy_loop    *loop;
    struct busy *busy;
    asy_future  *future;
};

static asy_error *
begin_job(struct job *self)
{
    asy_callback callback = asy_own(do_work, &self->busy->work, drop_work);

    self->busy->submitted = true;
    return asy_run_in_executor(self->loop, NULL, callback, &self->future);
}

ASYNC(job)
{
    ASYNC_BEGIN;

    TRY(begin_job(self));
    AWAIT(self->future);

    ASYNC_END;
}

FINALLY(job)
{
    asy_future_unref(self->future);
}

static asy_coro *
make_job(struct testing *t, void **ret_data)
{
    return ASYNC_CALL(job, .loop = t->loop, .busy = new_busy(t, ret_data));
}

static void
require_run_once(struct testing *t, void *data)
{
    struct busy *busy = data;

    (void)t;
    assert_int_equal(busy->work.runs, 1);
}

/* One that has not begun is taken back; whichever way, its thread goes on to the next. */
static void
job_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_in_range(sweep("run_in_executor", make_job, require_run_once), 4, 6);
}

/* ---- shutdown ------------------------------------------------------------------------- */

static asy_coro *
make_shutdown(struct testing *t, void **ret_data)
{
    new_busy(t, ret_data);
    return asy_shutdown_default_executor(t->loop, -1);
}

static asy_coro *
make_impatient_shutdown(struct testing *t, void **ret_data)
{
    new_busy(t, ret_data);
    return asy_shutdown_default_executor(t->loop, 0.5);
}

static void
require_gated_run(struct testing *t, void *data)
{
    struct busy *busy = data;

    (void)t;
    assert_int_equal(busy->gated.runs, 1);
}

static void
require_warning(struct testing *t, void *data)
{
    (void)data;
    assert_non_null(strstr(t->log, "did not finishing joining its threads within 0.5 seconds."));
    t->log[0] = '\0';
}

/* Whichever way it ends, the jobs are done, and the threads end. */
static void
shutdown_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_in_range(sweep("shutdown_default_executor", make_shutdown, require_gated_run), 3, 8);
    assert_in_range(sweep("shutdown_default_executor, timed", make_impatient_shutdown,
                          require_warning), 3, 6);
}

/* ---- names ---------------------------------------------------------------------------- */

static asy_coro *
make_getaddrinfo(struct testing *t, void **ret_data)
{
    static const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST };
    struct busy *busy = new_busy(t, ret_data);

    return asy_getaddrinfo(t->loop, "127.0.0.1", "80", &hints, &busy->addresses);
}

static asy_coro *
make_getnameinfo(struct testing *t, void **ret_data)
{
    struct busy *busy = new_busy(t, ret_data);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(80) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    busy->names = true;
    return asy_getnameinfo(t->loop, (const struct sockaddr *)&address, sizeof address,
                           NI_NUMERICHOST | NI_NUMERICSERV, &busy->host, &busy->service);
}

static void
require_answer(struct testing *t, void *data)
{
    struct busy *busy = data;

    (void)t;
    if (busy->names)
        assert_string_equal(busy->host, "127.0.0.1");
    else
        assert_non_null(busy->addresses);
}

static void
resolution_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_in_range(sweep("getaddrinfo", make_getaddrinfo, require_answer), 4, 6);
    assert_in_range(sweep("getnameinfo", make_getnameinfo, require_answer), 4, 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_may_be_cancelled_at_any_time),
        cmocka_unit_test(shutdown_may_be_cancelled_at_any_time),
        cmocka_unit_test(resolution_may_be_cancelled_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
