/* SPDX-License-Identifier: MIT */
/*
 * A process that has no descriptors left: each thing that needs one fails with a clean error,
 * leaves nothing behind, and works the second time.
 *
 * A program does, one after the other, everything that allocates descriptors, and each thing again
 * if it has failed. In run n, allocation n fails (system_faults.h), until the program needs no
 * more of them. Then the same under a real limit, which libc meets, too: in run n there is room for
 * n descriptors.
 */
#include "gated_work.h"
#include "sock_faults.h"
#include "system_faults.h"

#include "base/alloc.h"

#include <asy/resolve.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MOST_RUNS 50

struct program {
    struct testing  *t;
    asy_loop        *loop;
    asy_executor    *executor;
    int              listener;
    int              client;
    struct rlimit    room;          /* of descriptors; no limit: 0 */
    int              failures;
};

/* ---- what needs descriptors ------------------------------------------------------------ */

static asy_error *
make_a_loop(struct program *program)
{
    asy_loop_options options = testing_options(program->t);

    TRY(asy_loop_new(&options, &program->loop));
    program->executor = asy_executor_new(1);
    return asy_set_default_executor(program->loop, program->executor);
}

static asy_error *
run(struct program *program, asy_coro *coro)
{
    asy_task *task;

    TRY(asy_loop_create_task(program->loop, coro, NULL, &task));
    asy_error *err = asy_loop_run_until_done(program->loop, asy_task_future(task));
    if (!err)
        err = asy_future_result(asy_task_future(task), NULL);
    asy_task_unref(task);
    return err;
}

/* Also wakes the loop from another thread. */
static asy_error *
work_in_a_thread(struct program *program)
{
    struct work work;
    asy_future *future;

    work_init(&work, false);
    asy_error *err = asy_run_in_executor(program->loop, NULL, asy_own(do_work, &work, drop_work),
                                         &future);
    if (err)
        return err;
    err = asy_loop_run_until_done(program->loop, future);
    asy_future_unref(future);
    assert_int_equal(work.drops, 1);
    work_deinit(&work);
    return err;
}

static asy_error *
accept_a_connection(struct program *program)
{
    int conn = -1;
    asy_error *err = run(program, asy_sock_accept(program->loop, program->listener, &conn, NULL));

    assert_int_equal(conn < 0, err != NULL);
    if (!err)
        close(conn);
    return err;
}

/* libc opens files and sockets for it. */
static asy_error *
resolve_a_name(struct program *program)
{
    struct addrinfo *addresses = NULL;
    asy_error *err = run(program, asy_getaddrinfo(program->loop, "localhost", "80", NULL,
                                                  &addresses));

    assert_int_equal(addresses == NULL, err != NULL);
    if (addresses)
        freeaddrinfo(addresses);
    return err;
}

static asy_error *(*const parts[])(struct program *program) = {
    make_a_loop, work_in_a_thread, accept_a_connection, resolve_a_name,
};

/* ---- the program ----------------------------------------------------------------------- */

/* What libc says that cannot read its files is up to libc: some say EBUSY. */
static void
require_clean_error(asy_error *err, bool from_libc)
{
    assert_true(asy_error_is_a(err, ASY_OSError));
    if (!from_libc) {
        assert_int_equal(err->errnum, EMFILE);
        assert_string_equal(err->message, "[Errno 24] Too many open files");
    }
    asy_error_unref(err);
}

static void
set_limit(const struct rlimit *limit)
{
    if (limit->rlim_cur > 0)
        assert_int_equal(setrlimit(RLIMIT_NOFILE, limit), 0);
}

/* Each part under the limit, and without it if it has failed. */
static void
run_parts(struct program *program)
{
    struct rlimit usual;

    getrlimit(RLIMIT_NOFILE, &usual);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        set_limit(&program->room);
        asy_error *err = parts[i](program);
        set_limit(&usual);
        if (!err)
            continue;
        program->failures++;
        require_clean_error(err, parts[i] == resolve_a_name);
        require_ok(parts[i](program));
    }
}

static void
begin(struct program *program, struct testing *t)
{
    *program = (struct program){ .t = t, .listener = new_listening_socket() };
    asy_address address = socket_address(program->listener);

    program->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(program->client, (const struct sockaddr *)&address.storage,
                             address.length), 0);
}

/* What it leaves is counted when the test ends; this, in each run. */
static void
end(struct program *program)
{
    testing_close(program->loop);
    asy_executor_shutdown(program->executor, true);
    asy_executor_unref(program->executor);
    close(program->listener);
    close(program->client);
}

/* ---- the tests --------------------------------------------------------------------------- */

static void
each_allocation_that_fails_is_a_clean_error_and_works_the_second_time(void **state)
{
    struct testing *t = *state;
    struct program program;
    int n = 0;

    do {
        int fds = testing_count_fds();
        long blocks = alloc_block_count();
        n++;
        begin(&program, t);
        system_faults_fail_allocation(n);
        run_parts(&program);
        end(&program);
        assert_int_equal(program.failures, n <= system_faults_allocations());
        assert_int_equal(testing_count_fds(), fds);
        assert_int_equal(alloc_block_count(), blocks);
    } while (program.failures > 0 && n < MOST_RUNS);
    system_faults_fail_allocation(0);
    print_message("%d allocations of descriptors\n", n - 1);
    assert_in_range(n, 3, MOST_RUNS - 1);           /* at least the self-pipe and the connection */
}

/* valgrind takes descriptors of the process for itself, and waits for ever where there are none. */
static bool
is_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, "vgpreload");
}

/* Room for so many descriptors that are not open yet. */
static struct rlimit
room_for(int count)
{
    struct rlimit limit;
    int next = dup(STDIN_FILENO);

    assert_true(next >= 0);
    close(next);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)(next + count);
    return limit;
}

static void
process_without_descriptors_goes_on_when_it_has_some_again(void **state)
{
    struct testing *t = *state;
    struct program program;
    int count = 0;

    if (is_under_valgrind())
        skip();
    do {
        begin(&program, t);
        program.room = room_for(count);
        run_parts(&program);
        end(&program);
        if (count == 0)
            assert_true(program.failures >= 2);
        count++;
    } while (program.failures > 0 && count < MOST_RUNS);
    print_message("room for %d descriptors is enough\n", count - 1);
    assert_in_range(count, 3, MOST_RUNS - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(each_allocation_that_fails_is_a_clean_error_and_works_the_second_time),
        testing_case(process_without_descriptors_goes_on_when_it_has_some_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
