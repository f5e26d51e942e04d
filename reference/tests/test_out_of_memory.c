/* SPDX-License-Identifier: MIT */
/*
 * Where there is no memory, the process ends with a sentence: whichever allocation it is that
 * fails, and never by using what it did not get.
 *
 * The linker sends the library's calloc() and realloc() here (--wrap). A program runs in a child
 * process again and again; in run n, allocation n fails; until the program needs no more of them.
 */
#include "testing.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_ALLOCATIONS 1000

void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static long left = -1;              /* allocations that succeed; below 0: all */

static bool
fails(void)
{
    return left >= 0 && left-- == 0;
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

/* ---- a program that has some of everything ----------------------------------------- */

static asy_error *
raise_an_error(void *argument)
{
    (void)argument;
    RAISE(ValueError, "reported");
}

static asy_error *
ignore(asy_loop *loop, const asy_report *report, void *argument)
{
    (void)argument;
    return report->exception ? ASY_OK : asy_loop_default_exception_handler(loop, report);
}

static asy_error *
write_nothing(void *argument)
{
    (void)argument;
    return ASY_OK;
}

static asy_error *
run_program(asy_loop *loop)
{
    asy_task *tasks[2];
    asy_future *gathering;

    asy_loop_set_exception_handler(loop, ignore, NULL, NULL);
    TRY(asy_loop_call_soon(loop, asy_borrow(raise_an_error, NULL), NULL));
    TRY(asy_loop_add_writer(loop, asy_loop_wakeup_fd(loop), asy_borrow(write_nothing, NULL)));
    TRY(asy_loop_create_task(loop, asy_sleep(loop, 0.001), NULL, &tasks[0]));
    asy_future *shield = asy_shield(asy_task_future(tasks[0]));
    TRY(asy_loop_create_task(loop, asy_wait_for(loop, shield, 60), NULL, &tasks[1]));
    asy_future *const futures[] = { asy_task_future(tasks[0]), asy_task_future(tasks[1]) };
    TRY(asy_gather(loop, futures, 2, false, &gathering));
    TRY(asy_loop_run_until_done(loop, gathering));
    asy_future_unref(gathering);
    asy_future_unref(shield);
    asy_task_unref(tasks[0]);
    asy_task_unref(tasks[1]);
    return asy_loop_close(loop);
}

/* In the child: its status is that of the process. */
static void
run_and_exit(int fails_at)
{
    asy_loop *loop;
    struct rlimit no_core = { 0, 0 };

    setrlimit(RLIMIT_CORE, &no_core);
    left = fails_at;
    if (asy_loop_new(NULL, &loop) || run_program(loop))
        _exit(1);
    asy_loop_unref(loop);
    _exit(0);
}

/* ---- the test ------------------------------------------------------------------------ */

/* Run it in a child. Returns how that ended; what it wrote to stderr is in the text. */
static int
run_in_child(int fails_at, char *text, size_t size)
{
    int fds[2], status;
    ssize_t length;
    size_t used = 0;

    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        run_and_exit(fails_at);
    }
    close(fds[1]);
    while ((length = read(fds[0], text + used, size - 1 - used)) > 0)
        used += (size_t)length;
    text[used] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void
each_allocation_that_fails_ends_the_process_with_a_sentence(void **state)
{
    char text[4096];
    int fails_at = 0;
    int status = run_in_child(fails_at, text, sizeof text);

    (void)state;
    while (!WIFEXITED(status) && fails_at < MOST_ALLOCATIONS) {
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
        assert_memory_equal(text, "asy: out of memory: cannot allocate ", 36);
        fails_at++;
        status = run_in_child(fails_at, text, sizeof text);
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(fails_at > 30);
    print_message("%d allocations\n", fails_at);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_that_fails_ends_the_process_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
