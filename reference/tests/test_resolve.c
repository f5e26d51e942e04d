/* SPDX-License-Identifier: MIT */
/* getaddrinfo() and getnameinfo(), of addresses only: no name server is asked. */
#include "await_trace.h"

#include "core/loop_impl.h"

#include <arpa/inet.h>
#include <asy/resolve.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* The test's executor, which is waited for, becomes the loop's. */
static asy_executor *
use_own_executor(struct testing *t)
{
    asy_executor *executor = asy_executor_new(1);

    require_ok(asy_set_default_executor(t->loop, executor));
    return executor;
}

static void
end_executor(asy_executor *executor)
{
    asy_executor_shutdown(executor, true);
    asy_executor_unref(executor);
}

static asy_error *
run(struct testing *t, asy_coro *coro)
{
    asy_task *task;

    require_ok(asy_loop_create_task(t->loop, coro, NULL, &task));
    require_ok(asy_loop_run_until_done(t->loop, asy_task_future(task)));
    asy_error *err = asy_future_result(asy_task_future(task), NULL);
    asy_task_unref(task);
    return err;
}

static const struct addrinfo numeric_stream = {
    .ai_flags = AI_NUMERICHOST,
    .ai_socktype = SOCK_STREAM,
};

static struct sockaddr_in
localhost(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(80) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* ---- answers ---------------------------------------------------------------------- */

static void
address_of_an_address_is_itself(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = use_own_executor(t);
    struct sockaddr_in expected = localhost();
    struct addrinfo *addresses = NULL;

    require_ok(run(t, asy_getaddrinfo(t->loop, "127.0.0.1", "80", &numeric_stream, &addresses)));
    assert_non_null(addresses);
    assert_null(addresses->ai_next);
    assert_int_equal(addresses->ai_socktype, SOCK_STREAM);
    assert_memory_equal(addresses->ai_addr, &expected, sizeof expected);
    freeaddrinfo(addresses);
    require_ok(run(t, asy_getaddrinfo(t->loop, NULL, "80", NULL, &addresses)));
    assert_non_null(addresses);
    freeaddrinfo(addresses);
    end_executor(executor);
}

static void
names_of_an_address_are_its_digits(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = use_own_executor(t);
    struct sockaddr_in address = localhost();
    char *host = NULL, *service = NULL;

    require_ok(run(t, asy_getnameinfo(t->loop, (const struct sockaddr *)&address, sizeof address,
                                      NI_NUMERICHOST | NI_NUMERICSERV, &host, &service)));
    assert_string_equal(host, "127.0.0.1");
    assert_string_equal(service, "80");
    asy_free(host);
    asy_free(service);
    end_executor(executor);
}

/* ---- errors ------------------------------------------------------------------------- */

static void
failed_resolution_raises_gaierror(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = use_own_executor(t);
    struct addrinfo *addresses = NULL;
    char *host, *service;
    char message[200];

    asy_error *err = run(t, asy_getaddrinfo(t->loop, "no address", NULL, &numeric_stream,
                                            &addresses));
    assert_true(asy_error_is_a(err, ASY_OSError));
    assert_int_equal(err->errnum, EAI_NONAME);
    snprintf(message, sizeof message, "[Errno %d] %s", EAI_NONAME, gai_strerror(EAI_NONAME));
    require_error(err, ASY_gaierror, message);
    assert_null(addresses);

    struct sockaddr unknown = { .sa_family = AF_UNSPEC };
    err = run(t, asy_getnameinfo(t->loop, &unknown, sizeof unknown, NI_NUMERICHOST, &host,
                                 &service));
    assert_int_equal(err->kind, ASY_gaierror);
    assert_int_equal(err->errnum, EAI_FAMILY);
    asy_error_unref(err);
    require_error(run(t, asy_getnameinfo(t->loop, &unknown, 1000, 0, &host, &service)),
                  ASY_ValueError, "the address of 1000 bytes is longer than any");
    end_executor(executor);
}

static void
closed_executor_is_the_end_of_resolution(void **state)
{
    struct testing *t = *state;
    struct addrinfo *addresses;

    require_ok(run(t, asy_shutdown_default_executor(t->loop, -1)));
    require_error(run(t, asy_getaddrinfo(t->loop, "127.0.0.1", NULL, NULL, &addresses)),
                  ASY_RuntimeError, "Executor shutdown has been called");
}

/* ---- coroutines ------------------------------------------------------------------------ */

static void
nothing_is_asked_before_the_await(void **state)
{
    struct testing *t = *state;
    struct sockaddr_in address = localhost();
    struct addrinfo *addresses;
    char *host, *service;
    asy_coro *question = asy_getaddrinfo(t->loop, "127.0.0.1", "80", NULL, &addresses);

    require_ok(asy_coro_close(question));
    asy_coro_unref(question);
    question = asy_getnameinfo(t->loop, (const struct sockaddr *)&address, sizeof address, 0,
                               &host, &service);
    require_ok(asy_coro_close(question));
    asy_coro_unref(question);
    assert_null(t->loop->default_executor);
}

/* One run of the sweep: cancelled after so many iterations. Returns whether it had ended before. */
static bool
is_done_when_cancelled(struct testing *t, int iterations)
{
    struct addrinfo *addresses = NULL;
    asy_task *task;

    require_ok(asy_loop_create_task(
        t->loop, asy_getaddrinfo(t->loop, "127.0.0.1", "80", &numeric_stream, &addresses), NULL,
        &task));
    for (int i = 0; i < iterations && !asy_future_done(asy_task_future(task)); i++)
        testing_run_once(t);
    bool done = asy_future_done(asy_task_future(task));
    require_ok(asy_task_cancel(task, NULL, NULL));
    require_ok(asy_loop_run_until_done(t->loop, asy_task_future(task)));
    asy_error *err = asy_future_result(asy_task_future(task), NULL);
    assert_true(done == !err);
    assert_true(done == (addresses != NULL));
    if (addresses)
        freeaddrinfo(addresses);
    asy_error_unref(err);
    asy_task_unref(task);
    return done;
}

/* What is left is counted when the test ends. */
static void
resolution_may_be_cancelled_at_any_time(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = use_own_executor(t);
    int iterations = 0;

    while (!is_done_when_cancelled(t, iterations))
        iterations++;
    assert_in_range(iterations, 3, 10);
    require_ok(asy_loop_close(t->loop));
    end_executor(executor);
}

/* ---- debug mode ------------------------------------------------------------------------- */

static void
debug_mode_logs_question_and_answer(void **state)
{
    static const char question[] = "127.0.0.1:80, type=1, flags=4";
    struct testing *t = *state;
    asy_executor *executor = use_own_executor(t);
    struct addrinfo *addresses;
    char expected[200];

    asy_loop_set_debug(t->loop, true);
    for (int slow = 0; slow < 2; slow++) {
        t->log[0] = '\0';
        asy_loop_set_slow_callback_duration(t->loop, slow ? 0 : 1e6);
        require_ok(run(t, asy_getaddrinfo(t->loop, "127.0.0.1", "80", &numeric_stream,
                                          &addresses)));
        freeaddrinfo(addresses);
        snprintf(expected, sizeof expected, "DEBUG Get address info %s\n", question);
        assert_non_null(strstr(t->log, expected));
        snprintf(expected, sizeof expected, "%s Getting address info %s took ",
                 slow ? "INFO" : "DEBUG", question);
        assert_non_null(strstr(t->log, expected));
    }
    end_executor(executor);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(address_of_an_address_is_itself),
        testing_case(names_of_an_address_are_its_digits),
        testing_case(failed_resolution_raises_gaierror),
        testing_case(closed_executor_is_the_end_of_resolution),
        testing_case(nothing_is_asked_before_the_await),
        testing_case(resolution_may_be_cancelled_at_any_time),
        testing_case(debug_mode_logs_question_and_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
