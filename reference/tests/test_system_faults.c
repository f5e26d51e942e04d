/* SPDX-License-Identifier: MIT */
/*
 * The fault build is one: the library's calls do fail there, and in no other build. And a loop that
 * could not be woken once can be woken the next time.
 */
#include "await_trace.h"
#include "system_faults.h"

#include "core/loop_impl.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

static void
require_success(struct testing *t, asy_coro *coro)
{
    asy_task *task = trace_task(t, coro);

    require_ok(asy_loop_run_until_done(t->loop, asy_task_future(task)));
    require_ok(asy_future_result(asy_task_future(task), NULL));
    asy_task_unref(task);
}

/* Exactly in the fault build. */
static void
require_faults(int errnum, long before)
{
    assert_int_equal(system_faults_count(errnum) > before, UNDER_FAULTS);
}

static void
only_the_fault_build_refuses_to_send_and_receives_a_byte(void **state)
{
    struct testing *t = *state;
    long refused = system_faults_count(EAGAIN), shortened = system_faults_count(0);
    char buffer[4];
    size_t count;
    int fds[2];

    testing_socket_pair(fds);
    for (int i = 0; i < 3; i++) {
        require_success(t, asy_sock_sendall(t->loop, fds[0], "abcd", 4));
        require_success(t, asy_sock_recv(t->loop, fds[1], buffer, 4, &count));
        assert_int_equal(count, RECEIVED_AT_ONCE(4));
    }
    require_faults(EAGAIN, refused);
    require_faults(0, shortened);
    testing_close_pair(fds);
}

static asy_error *
stop(void *loop)
{
    asy_loop_stop(loop);
    return ASY_OK;
}

static void *
stop_from_outside(void *loop)
{
    require_ok(asy_loop_call_soon_threadsafe(loop, asy_borrow(stop, loop), NULL));
    return NULL;
}

/* A thread that is woken by what comes from the first: the loop does wait. */
static void
only_the_fault_build_interrupts_what_waits(void **state)
{
    struct testing *t = *state;
    long interrupted = system_faults_count(EINTR);
    pthread_t thread;

    for (int i = 0; i < 20; i++) {
        assert_int_equal(pthread_create(&thread, NULL, stop_from_outside, t->loop), 0);
        require_ok(asy_loop_run_forever(t->loop));
        pthread_join(thread, NULL);
    }
    require_faults(EINTR, interrupted);
}

static void
loop_that_could_not_be_woken_can_be_the_next_time(void **state)
{
    struct testing *t = *state;
    struct pollfd self_pipe = { .fd = t->loop->wake_receiver, .events = POLLIN };

    system_faults_fail_send(ENOBUFS);
    require_ok(asy_loop_call_soon_threadsafe(t->loop, testing_mark(t, "a"), NULL));
    assert_int_equal(poll(&self_pipe, 1, 0), 0);
    require_ok(asy_loop_call_soon_threadsafe(t->loop, testing_mark(t, "b"), NULL));
    assert_int_equal(poll(&self_pipe, 1, 0), 1);
    testing_run_once(t);
    require_trace(t, "a b");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(only_the_fault_build_refuses_to_send_and_receives_a_byte),
        testing_case(only_the_fault_build_interrupts_what_waits),
        testing_case(loop_that_could_not_be_woken_can_be_the_next_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
