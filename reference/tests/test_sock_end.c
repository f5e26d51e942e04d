/* SPDX-License-Identifier: MIT */
/*
 * Coroutines that wait for the kernel or for a thread, and nobody goes on with them: the loop is
 * closed, or whoever drives one by hand drops it. FINALLY runs, and nothing is left; the fixture
 * counts blocks and descriptors.
 */
#include "await_trace.h"
#include "gated_work.h"
#include "sock_faults.h"

#include "base/alloc.h"
#include "core/loop_impl.h"

#include <asy/resolve.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

/* A pair of which neither end can receive nor, the first, send; a file, and outputs. */
struct ends {
    int          fds[2];
    int          file;
    int          conn;
    char         buffer[4];
    size_t       count;
    asy_address  from;
    struct work  work;              /* keeps the only thread of the executor busy */
    asy_executor *executor;
    char        *host;
    char        *service;
};

static void
fill(int sock)
{
    static const char block[4096];

    while (send(sock, block, sizeof block, 0) > 0)
        continue;
    while (send(sock, block, 1, 0) > 0)
        continue;
}

static void
ends_init(struct testing *t, struct ends *ends)
{
    char name[] = "/tmp/test_sock_end_XXXXXX";

    *ends = (struct ends){ .file = mkstemp(name) };
    assert_true(ends->file >= 0);
    unlink(name);
    assert_int_equal(write(ends->file, "hello", 5), 5);
    assert_int_equal(lseek(ends->file, 1, SEEK_SET), 1);
    testing_socket_pair(ends->fds);
    fill(ends->fds[0]);
    ends->executor = asy_executor_new(1);
    require_ok(asy_set_default_executor(t->loop, ends->executor));
    work_init(&ends->work, true);
    asy_future_unref(submit(t, NULL, &ends->work));
    wait_at(&ends->work.begun);
}

static void
ends_deinit(struct ends *ends)
{
    sem_post(&ends->work.gate);
    asy_executor_shutdown(ends->executor, true);
    asy_executor_unref(ends->executor);
    work_deinit(&ends->work);
    testing_close_pair(ends->fds);
    close(ends->file);
}

/* ---- what waits ------------------------------------------------------------------------- */

static asy_coro *
make_recv(asy_loop *loop, struct ends *ends)
{
    return asy_sock_recv(loop, ends->fds[0], ends->buffer, sizeof ends->buffer, &ends->count);
}

static asy_coro *
make_recvfrom(asy_loop *loop, struct ends *ends)
{
    return asy_sock_recvfrom(loop, ends->fds[0], ends->buffer, sizeof ends->buffer, &ends->count,
                             &ends->from);
}

static asy_coro *
make_sendall(asy_loop *loop, struct ends *ends)
{
    return asy_sock_sendall(loop, ends->fds[0], "abc", 3);
}

static asy_coro *
make_sendto(asy_loop *loop, struct ends *ends)
{
    return asy_sock_sendto(loop, ends->fds[0], "abc", 3, NULL, &ends->count);
}

static asy_coro *
make_sendfile(asy_loop *loop, struct ends *ends)
{
    return asy_sock_sendfile(loop, ends->fds[0], ends->file, 2, 0, false, &ends->count);
}

static asy_coro *
make_getnameinfo(asy_loop *loop, struct ends *ends)
{
    static const struct sockaddr_in address = { .sin_family = AF_INET };

    return asy_getnameinfo(loop, (const struct sockaddr *)&address, sizeof address, 0,
                           &ends->host, &ends->service);
}

static asy_coro *
make_shutdown(asy_loop *loop, struct ends *ends)
{
    (void)ends;
    return asy_shutdown_default_executor(loop, -1);
}

static asy_coro *(*const makers[])(asy_loop *loop, struct ends *ends) = {
    make_recv, make_recvfrom, make_sendall, make_sendto, make_sendfile, make_getnameinfo,
    make_shutdown,
};

#define MAKER_COUNT (sizeof makers / sizeof makers[0])

/* ---- the loop is closed ------------------------------------------------------------------- */

/* Once held by nobody but its task, once by the test, too, which still holds it after the end. */
static void
close_while_it_waits(struct testing *t, size_t maker, bool held)
{
    struct ends ends;

    ends_init(t, &ends);
    asy_coro *coro = makers[maker](t->loop, &ends);
    asy_coro *kept = held ? asy_coro_ref(coro) : NULL;
    trace_start(t, coro);
    testing_run_once(t);
    assert_false(kept && asy_coro_finished(kept));
    require_ok(asy_loop_close(t->loop));
    assert_true(!kept || asy_coro_finished(kept));
    asy_coro_unref(kept);
    if (makers[maker] == make_sendfile)
        assert_int_equal(lseek(ends.file, 0, SEEK_CUR), 2);
    ends_deinit(&ends);
}

static void
closing_the_loop_ends_whatever_waits(void **state)
{
    for (size_t i = 0; i < 2 * MAKER_COUNT; i++) {
        struct testing *t = *state;
        close_while_it_waits(t, i / 2, i % 2);
        assert_int_equal(testing_teardown(state), 0);
        assert_int_equal(trace_setup(state), 0);
    }
}

struct watcher {
    asy_coro  co;
    asy_loop *loop;
    int       sock;
    int      *ended;
    asy_ready ready;
};

static asy_error *
do_nothing(void *argument)
{
    (void)argument;
    return ASY_OK;
}

static void
drop_coro(void *coro)
{
    asy_coro_unref(coro);
}

/* What no coroutine here does: its callback holds it. */
ASYNC(watcher)
{
    ASYNC_BEGIN;

    TRY(asy_ready_begin_with(&self->ready, self->loop, self->sock, ASY_READABLE,
                             asy_own(do_nothing, asy_coro_ref(&self->co), drop_coro)));
    AWAIT(self->ready.future);

    ASYNC_END;
}

FINALLY(watcher)
{
    asy_ready_end(&self->ready);
    ++*self->ended;
}

static void
closing_the_loop_ends_even_a_coroutine_that_holds_itself(void **state)
{
    struct testing *t = *state;
    int ended = 0;
    int fds[2];

    testing_socket_pair(fds);
    trace_start(t, ASYNC_CALL(watcher, .loop = t->loop, .sock = fds[0], .ended = &ended));
    testing_run_once(t);
    require_ok(asy_loop_close(t->loop));
    assert_int_equal(ended, 1);
    testing_close_pair(fds);
}

/* ---- nobody wants it any more --------------------------------------------------------------- */

/* What is dropped stops: it is not sent when the descriptor is ready at last. */
static void
coroutine_that_is_dropped_no_longer_sends(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        struct testing *t = *state;
        struct ends ends;
        size_t watched = t->loop->watched.count;
        char block[4096];

        ends_init(t, &ends);
        asy_coro *coro = (i == 0 ? make_sendall : make_sendfile)(t->loop, &ends);
        assert_ptr_equal(asy_coro_send(coro, NULL), ASY_SUSPENDED);
        assert_int_equal(t->loop->watched.count, watched + 1);
        asy_coro_unref(coro);
        assert_int_equal(t->loop->watched.count, watched);
        while (recv(ends.fds[1], block, sizeof block, 0) > 0)
            continue;
        testing_call_soon(t, "next");
        testing_run_once(t);
        require_trace(t, "next");
        assert_int_equal(recv(ends.fds[1], block, sizeof block, 0), -1);
        ends_deinit(&ends);
        assert_int_equal(testing_teardown(state), 0);
        assert_int_equal(trace_setup(state), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(closing_the_loop_ends_whatever_waits),
        trace_case(closing_the_loop_ends_even_a_coroutine_that_holds_itself),
        trace_case(coroutine_that_is_dropped_no_longer_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
