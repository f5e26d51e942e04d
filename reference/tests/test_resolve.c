/* SPDX-License-Identifier: MIT */
/* getaddrinfo() and getnameinfo(), of addresses only: no name server is asked. */
#include "await_trace.h"
#include "gated_work.h"

#include "core/loop_impl.h"

#include <arpa/inet.h>
#include <asy/resolve.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
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

/* ---- answers without a thread --------------------------------------------------------- */

static void
require_same_list(const struct addrinfo *left, const struct addrinfo *right)
{
    for (; left && right; left = left->ai_next, right = right->ai_next) {
        assert_int_equal(left->ai_family, right->ai_family);
        assert_int_equal(left->ai_socktype, right->ai_socktype);
        assert_int_equal(left->ai_protocol, right->ai_protocol);
        assert_int_equal(left->ai_addrlen, right->ai_addrlen);
        assert_memory_equal(left->ai_addr, right->ai_addr, left->ai_addrlen);
    }
    assert_ptr_equal(left, right);          /* both at their end */
}

/* Returns whether there was an answer. What there is none for, getaddrinfo(3) is not asked either:
 * it might ask a name server. */
static bool
answers_as_the_system(const char *host, const char *service, const struct addrinfo *hints)
{
    struct addrinfo *ours, *theirs;

    if (!asy_getaddrinfo_literal(host, service, hints, &ours))
        return false;
    assert_int_equal(getaddrinfo(host, service, hints, &theirs), 0);
    require_same_list(ours, theirs);
    freeaddrinfo(ours);
    freeaddrinfo(theirs);
    return true;
}

static void
literal_answers_are_those_of_the_system(void **state)
{
    static const char *const hosts[] = { "127.0.0.1", "255.255.255.255", "::1", "2001:db8::1" };
    static const char *const services[] = { NULL, "0", "80", "080", "65535", "99999" };
    static const int families[] = { AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX };
    static const int kinds[] = { 0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET };
    static const int protocols[] = { 0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };
    int answers = 0;

    (void)state;
    for (size_t host = 0; host < 4; host++) {
        for (size_t rest = 0; rest < 6 * 4 * 5 * 4; rest++) {
            const struct addrinfo hints = {
                .ai_family = families[rest / 6 % 4],
                .ai_socktype = kinds[rest / 24 % 5],
                .ai_protocol = protocols[rest / 120],
            };
            answers += answers_as_the_system(hosts[host], services[rest % 6], &hints);
        }
        answers += answers_as_the_system(hosts[host], "80", NULL);
    }
    assert_true(answers > 100);
}

static void
what_is_no_number_beyond_doubt_has_no_literal_answer(void **state)
{
    static const char *const hosts[] = {
        "", "localhost", "127.1", "1", "0x7f.0.0.1", "256.0.0.1", "1.2.3.4.5", " 127.0.0.1",
        "127.0.0.1 ", "fe80::1%lo", "::1%1", "[::1]", ":::1",
    };
    static const char *const services[] = { "", "http", " 80", "80 ", "+80", "-1", "123456" };
    const struct addrinfo flags = { .ai_flags = AI_PASSIVE };
    struct addrinfo *addresses;

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        assert_false(asy_getaddrinfo_literal(hosts[i], "80", NULL, &addresses));
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
        assert_false(asy_getaddrinfo_literal("127.0.0.1", services[i], NULL, &addresses));
    assert_false(asy_getaddrinfo_literal(NULL, "80", NULL, &addresses));
    assert_false(asy_getaddrinfo_literal("127.0.0.1", "80", &flags, &addresses));
}

static const struct addrinfo stream = { .ai_socktype = SOCK_STREAM };

/* The coroutine ends when it is first sent on. */
static bool
needs_no_thread(struct testing *t, asy_coro *question, struct addrinfo **addresses)
{
    asy_task *task;

    *addresses = NULL;
    require_ok(asy_loop_create_task(t->loop, question, NULL, &task));
    testing_run_once(t);
    bool done = asy_future_done(asy_task_future(task));
    require_ok(asy_loop_run_until_done(t->loop, asy_task_future(task)));
    require_ok(asy_future_result(asy_task_future(task), NULL));
    asy_task_unref(task);
    assert_non_null(*addresses);
    freeaddrinfo(*addresses);
    return done;
}

static void
address_in_digits_needs_no_thread(void **state)
{
    struct testing *t = *state;
    struct addrinfo *addresses;

    asy_coro *question = asy_getaddrinfo(t->loop, "127.0.0.1", "80", &stream, &addresses);
    assert_true(needs_no_thread(t, question, &addresses));
    question = asy_getaddrinfo(t->loop, "::1", NULL, NULL, &addresses);
    assert_true(needs_no_thread(t, question, &addresses));
    assert_null(t->loop->default_executor);
}

static void
executor_of_the_program_gets_the_job(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = use_own_executor(t);
    struct addrinfo *addresses;

    asy_coro *question = asy_getaddrinfo(t->loop, "127.0.0.1", "80", &stream, &addresses);
    assert_false(needs_no_thread(t, question, &addresses));
    end_executor(executor);
}

/* As many jobs as an executor has threads at most, each at its gate. */
#define MOST_WORKS 32

static void
full_default_executor_delays_the_answer(void **state)
{
    struct testing *t = *state;
    struct work works[MOST_WORKS];
    asy_future *futures[MOST_WORKS];
    struct addrinfo *addresses;

    for (int i = 0; i < MOST_WORKS; i++) {
        work_init(&works[i], true);
        futures[i] = submit(t, NULL, &works[i]);
        require_ok(asy_loop_call_later(t->loop, 0, asy_borrow(open_gate, &works[i]), NULL));
    }
    asy_coro *question = asy_getaddrinfo(t->loop, "127.0.0.1", "80", &stream, &addresses);
    assert_false(needs_no_thread(t, question, &addresses));
    for (int i = 0; i < MOST_WORKS; i++) {
        require_ok(asy_loop_run_until_done(t->loop, futures[i]));
        asy_future_unref(futures[i]);
        work_deinit(&works[i]);
    }
    while (!loop_has_idle_executor(t->loop))    /* a thread that has ended its job is no such yet */
        sched_yield();
    question = asy_getaddrinfo(t->loop, "127.0.0.1", "80", &stream, &addresses);
    assert_true(needs_no_thread(t, question, &addresses));
    require_ok(run(t, asy_shutdown_default_executor(t->loop, -1)));
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
    err = run(t, asy_getnameinfo(t->loop, NULL, 0, 0, &host, &service));
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
        testing_case(literal_answers_are_those_of_the_system),
        testing_case(what_is_no_number_beyond_doubt_has_no_literal_answer),
        testing_case(address_in_digits_needs_no_thread),
        testing_case(executor_of_the_program_gets_the_job),
        testing_case(full_default_executor_delays_the_answer),
        testing_case(failed_resolution_raises_gaierror),
        testing_case(closed_executor_is_the_end_of_resolution),
        testing_case(nothing_is_asked_before_the_await),
        testing_case(resolution_may_be_cancelled_at_any_time),
        testing_case(debug_mode_logs_question_and_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
