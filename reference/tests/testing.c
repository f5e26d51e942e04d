/* SPDX-License-Identifier: MIT */
/* See testing.h. */
#include "testing.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "core/thread.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the process -------------------------------------------------------------- */

/* How many names a folder of /proc holds; 0 where there is none. */
static int
count_entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;

    if (!directory)
        return 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

int
testing_count_fds(void)
{
    return count_entries("/proc/self/fd");
}

int
testing_count_threads(void)
{
    return count_entries("/proc/self/task");
}

void
testing_socket_pair(int fds[2])
{
    require_ok(fd_socket_pair(fds));
}

void
testing_close_pair(int fds[2])
{
    fd_close(&fds[0]);
    fd_close(&fds[1]);
}

/* ---- fixture ------------------------------------------------------------------ */

static double
fake_time(void *data)
{
    const struct testing *t = data;
    return t->now;
}

static void
fake_advance(void *data, double seconds)
{
    struct testing *t = data;
    t->now += seconds;
}

static void
append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void
append(char *text, size_t size, const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, size - length, format, arguments);
    va_end(arguments);
}

static asy_error *
capture_log(void *host, asy_log_level level, const char *message, asy_error *exception)
{
    static const char *const names[] = { "DEBUG", "INFO", "WARNING", "ERROR" };
    struct testing *t = host;

    append(t->log, sizeof t->log, "%s %s\n", names[level], message);
    if (exception)
        append(t->log, sizeof t->log, "  %s: %s\n", asy_error_kind_name(exception->kind),
               exception->message);
    return ASY_OK;
}

static const asy_host capturing_host = { .log = capture_log };

static asy_selector_kind
selector_from_environment(void)
{
    const char *name = getenv("ASY_TEST_SELECTOR");

    if (!name)
        return ASY_SELECTOR_DEFAULT;
    if (strcmp(name, "epoll") == 0)
        return ASY_SELECTOR_EPOLL;
    return strcmp(name, "poll") == 0 ? ASY_SELECTOR_POLL : ASY_SELECTOR_SELECT;
}

asy_loop_options
testing_options(struct testing *t)
{
    return (asy_loop_options){
        .selector = selector_from_environment(),
        .debug = ASY_DEBUG_OFF,
        .clock = { fake_time, fake_advance, 1e-9, t },
        .host = &capturing_host,
        .host_data = t,
    };
}

asy_loop *
testing_new_loop(const asy_loop_options *options)
{
    asy_loop *loop;
    require_ok(asy_loop_new(options, &loop));
    return loop;
}

void
testing_close(asy_loop *loop)
{
    require_ok(asy_loop_close(loop));
    asy_loop_unref(loop);
}

void
testing_use_profile(struct testing *t, int profile)
{
    asy_loop_options options = testing_options(t);

    options.profile = profile;
    testing_close(t->loop);
    t->loop = testing_new_loop(&options);
    t->log[0] = '\0';
}

int
testing_setup(void **state)
{
    struct testing *t = calloc(1, sizeof *t);
    asy_loop_options options = testing_options(t);

    t->now = START;
    t->fds_before = testing_count_fds();
    t->threads_before = testing_count_threads();
    t->blocks_before = alloc_block_count();
    t->loop = testing_new_loop(&options);
    t->log[0] = '\0';
    *state = t;
    return 0;
}

/* A thread that has been joined may still be on its way out. */
static void
require_threads(int expected)
{
    for (int patience = 100000; patience > 0; patience--) {
        if (UNDER_THREAD_SANITIZER || testing_count_threads() == expected)
            return;
        sched_yield();
    }
    assert_int_equal(testing_count_threads(), expected);
}

/* Where threads are not counted, one may still hold what it gives back on its way out. */
static void
require_blocks(long expected)
{
    for (int patience = 1000000; patience > 0 && alloc_block_count() != expected; patience--)
        sched_yield();
    assert_int_equal(alloc_block_count(), expected);
}

int
testing_teardown(void **state)
{
    struct testing *t = *state;

    testing_close(t->loop);
    thread_state_clear();
    assert_int_equal(testing_count_fds(), t->fds_before);
    require_threads(t->threads_before);
    require_blocks(t->blocks_before);
    free(t);
    return 0;
}

/* ---- what callbacks do -------------------------------------------------------- */

struct mark {
    struct testing *t;
    const char     *name;
    bool            raises;
    asy_error_kind  kind;
};

static asy_error *
leave_mark(void *argument)
{
    struct mark *mark = argument;
    testing_trace(mark->t, mark->name);
    return mark->raises ? asy_error_new(mark->kind, "%s raised", mark->name) : ASY_OK;
}

static struct mark *
mark_new(struct testing *t, const char *name)
{
    struct mark *mark = asy_alloc(sizeof *mark);
    mark->t = t;
    mark->name = name;
    return mark;
}

asy_callback
testing_mark(struct testing *t, const char *name)
{
    return asy_own(leave_mark, mark_new(t, name), asy_free);
}

asy_callback
testing_raise(struct testing *t, const char *name, asy_error_kind kind)
{
    struct mark *mark = mark_new(t, name);
    mark->raises = true;
    mark->kind = kind;
    return asy_own(leave_mark, mark, asy_free);
}

void
testing_trace(struct testing *t, const char *name)
{
    append(t->trace, sizeof t->trace, "%s ", name);
}

void
testing_require_trace(struct testing *t, const char *expected, const char *file, int line)
{
    size_t length = strlen(t->trace);
    if (length > 0)
        t->trace[length - 1] = '\0';
    _assert_string_equal(t->trace, expected, file, line);
    t->trace[0] = '\0';
}

void
testing_call_soon(struct testing *t, const char *name)
{
    require_ok(asy_loop_call_soon(t->loop, testing_mark(t, name), NULL));
}

void
testing_run_once(struct testing *t)
{
    require_ok(asy_loop_run_once(t->loop));
}

/* ---- errors ------------------------------------------------------------------- */

void
testing_require_ok(asy_error *err, const char *file, int line)
{
    if (!err)
        return;
    print_error("%s: %s\n", asy_error_kind_name(err->kind), err->message);
    _fail(file, line);
}

void
testing_require_error(asy_error *err, asy_error_kind kind, const char *message, const char *file,
                      int line)
{
    if (!err) {
        print_error("nothing was raised; expected %s\n", asy_error_kind_name(kind));
        _fail(file, line);
    }
    _assert_string_equal(asy_error_kind_name(err->kind), asy_error_kind_name(kind), file, line);
    _assert_string_equal(err->message, message, file, line);
    asy_error_unref(err);
}
