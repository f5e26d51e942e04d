/* SPDX-License-Identifier: MIT */
/*
 * The loop as an object: making, freeing and closing it, its plain attributes, the ready queue.
 *
 * iteration.c runs it, run.c decides how long, call.c, watch.c and wakeup.c put handles in.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "core/loop_impl.h"
#include "core/thread.h"

#include <asy/executor.h>

#define SLOW_CALLBACK_DURATION 0.1

static const asy_host no_host;
static const asy_loop_options no_options;

/* ---- making and freeing ------------------------------------------------------- */

static bool
initial_debug(asy_debug_mode mode)
{
    return mode == ASY_DEBUG_ON || (mode == ASY_DEBUG_FROM_ENVIRONMENT && debug_from_environment());
}

static void
init_clock(asy_loop *loop, const asy_clock *clock)
{
    loop->clock = *clock;
    if (!clock->time) {
        loop->clock.time = host_monotonic;
        loop->clock.advance = NULL;
        loop->clock.resolution = clock_resolution();
    }
}

static void
init_locks(asy_loop *loop)
{
    pthread_mutex_init(&loop->inbox_lock, NULL);
    pthread_mutex_init(&loop->run_lock, NULL);
    pthread_cond_init(&loop->run_ended, NULL);
}

/* BaseEventLoop.__init__ */
static asy_loop *
loop_alloc(const asy_loop_options *options, int profile)
{
    asy_loop *loop = asy_alloc(sizeof *loop);

    loop->profile = profile;
    for (enum behaviour each = 0; each < BEHAVIOUR_COUNT; each++)
        loop->behaves[each] = profile_behaves(profile, each);
    loop->host = options->host ? options->host : &no_host;
    loop->host_data = options->host_data;
    init_clock(loop, &options->clock);
    init_locks(loop);
    atomic_init(&loop->refs, 1);
    atomic_init(&loop->debug, initial_debug(options->debug));
    loop->slow_callback_duration = SLOW_CALLBACK_DURATION;
    loop->wake_receiver = -1;
    loop->wake_sender = -1;
    return loop;
}

/* Of a closed loop, or one that was never finished. */
static void
loop_free(asy_loop *loop)
{
    asy_loop_set_exception_handler(loop, NULL, NULL, NULL);
    asy_executor_unref(loop->default_executor);
    if (loop->task_factory_drop)
        loop->task_factory_drop(loop->task_factory_argument);
    asy_free(loop->read_buffer);
    pthread_mutex_destroy(&loop->inbox_lock);
    pthread_mutex_destroy(&loop->run_lock);
    pthread_cond_destroy(&loop->run_ended);
    asy_free(loop);
}

static void
close_selector(asy_loop *loop)
{
    struct selector *selector = loop->selector;

    loop->selector = NULL;
    if (selector)
        selector_free(selector);
}

/* BaseSelectorEventLoop.__init__ */
static asy_error *
loop_open(asy_loop *loop, asy_selector_kind kind)
{
    TRY(selector_new(kind, &loop->selector));
    loop->selector_name = loop->selector->ops->name;
    char *message = asy_format("Using selector: %s", loop->selector->ops->class_name);
    asy_error *err = host_log(loop, ASY_LOG_DEBUG, message, NULL);
    asy_free(message);
    if (!err)
        err = loop_make_self_pipe(loop);
    if (err)
        close_selector(loop);
    return err;
}

/* see loop.h */
asy_error *
asy_loop_new(const asy_loop_options *options, asy_loop **ret_loop)
{
    int profile;

    if (!options)
        options = &no_options;
    TRY(profile_check(options->profile, &profile));
    asy_loop *loop = loop_alloc(options, profile);
    asy_error *err = loop_open(loop, options->selector);
    if (err) {
        loop_free(loop);
        return err;
    }
    *ret_loop = loop;
    return ASY_OK;
}

/* see loop.h */
asy_loop *
asy_loop_ref(asy_loop *loop)
{
    atomic_fetch_add_explicit(&loop->refs, 1, memory_order_relaxed);
    return loop;
}

/* BaseEventLoop.__del__. The loop is alive meanwhile, and stays so if somebody takes a reference:
 * the caller gives back the one that is made here. */
static void
close_unclosed(asy_loop *loop)
{
    atomic_store(&loop->refs, 1);
    char *description = host_describe_loop(loop);
    char *message = asy_format("unclosed event loop %s", description);
    asy_error_unref(host_log(loop, ASY_LOG_WARNING, message, NULL));
    asy_free(message);
    asy_free(description);
    asy_error_unref(asy_loop_close(loop));
}

/* see loop.h */
asy_loop *
asy_loop_unref(asy_loop *loop)
{
    if (!loop || atomic_fetch_sub_explicit(&loop->refs, 1, memory_order_acq_rel) > 1)
        return NULL;
    if (!atomic_load(&loop->closed)) {
        close_unclosed(loop);
        return asy_loop_unref(loop);
    }
    loop_free(loop);
    return NULL;
}

/* ---- closing ------------------------------------------------------------------ */

void
loop_release_queue(struct handle_queue *queue)
{
    asy_handle *handle;
    while ((handle = queue_pop(queue)))
        asy_handle_unref(handle);
    queue_deinit(queue);
}

void
loop_release_heap(struct timer_heap *heap)
{
    while (heap->count > 0) {
        heap->count--;
        asy_timer_handle_unref(heap->timers[heap->count]);
    }
    heap_deinit(heap);
}

/* From here on no thread can hand anything over. */
static void
mark_closed(asy_loop *loop)
{
    pthread_mutex_lock(&loop->inbox_lock);
    atomic_store(&loop->closed, true);
    pthread_mutex_unlock(&loop->inbox_lock);
    loop_merge_inbox(loop);
    queue_deinit(&loop->inbox);
}

/* logger.debug("Close %r", self) */
static asy_error *
log_close(asy_loop *loop)
{
    if (!asy_loop_get_debug(loop))
        return ASY_OK;
    char *description = host_describe_loop(loop);
    char *message = asy_format("Close %s", description);
    asy_error *err = host_log(loop, ASY_LOG_DEBUG, message, NULL);
    asy_free(message);
    asy_free(description);
    return err;
}

/* see loop.h.  CPython: BaseSelectorEventLoop.close, BaseEventLoop.close. Nothing can be added to
 * a closed loop, so the queues stay empty whatever the handles' finalizers do. */
asy_error *
asy_loop_close(asy_loop *loop)
{
    if (asy_loop_is_running(loop))
        RAISE(RuntimeError, "Cannot close a running event loop");
    if (asy_loop_is_closed(loop))
        return ASY_OK;
    loop_close_self_pipe(loop);
    asy_error *err = log_close(loop);
    mark_closed(loop);
    loop_release_queue(&loop->ready);
    loop_release_heap(&loop->scheduled);
    loop_release_watches(loop);
    loop_abandon_tasks(loop);
    loop_release_outer_futures(loop);
    loop_forget_jobs(loop);
    loop_close_default_executor(loop);
    close_selector(loop);
    return err;
}

/* see loop.h */
bool
asy_loop_is_closed(const asy_loop *loop)
{
    return atomic_load(&loop->closed);
}

/* see host.h */
asy_error *
asy_loop_check_closed(const asy_loop *loop)
{
    return loop_check_closed(loop);
}

asy_error *
loop_check_closed(const asy_loop *loop)
{
    if (atomic_load_explicit(&loop->closed, memory_order_acquire))
        RAISE(RuntimeError, "Event loop is closed");
    return ASY_OK;
}

/* ---- attributes --------------------------------------------------------------- */

/* see loop.h */
int
asy_loop_profile(const asy_loop *loop)
{
    return loop->profile;
}

/* see loop.h */
const char *
asy_loop_selector_name(const asy_loop *loop)
{
    return loop->selector_name;
}

/* see loop.h */
double
asy_loop_get_slow_callback_duration(const asy_loop *loop)
{
    return loop->slow_callback_duration;
}

/* see loop.h */
void
asy_loop_set_slow_callback_duration(asy_loop *loop, double seconds)
{
    loop->slow_callback_duration = seconds;
}

/* see loop.h. A host's clock that raises is one that is not there. */
double
asy_loop_time(const asy_loop *loop)
{
    double now;
    asy_error *err = host_time(loop, &now);
    if (err) {
        asy_error_unref(err);
        now = loop->clock.time(loop->clock.data);
    }
    return now;
}

/* see host.h */
void *
asy_loop_host_data(const asy_loop *loop)
{
    return loop->host_data;
}

/* see host.h */
asy_handle *
asy_loop_current_handle(const asy_loop *loop)
{
    return loop->current_handle;
}

/* see host.h */
ptrdiff_t
asy_loop_timer_cancelled_count(const asy_loop *loop)
{
    return loop->timer_cancelled_count;
}

/* see host.h */
size_t
asy_loop_scheduled_count(const asy_loop *loop)
{
    return loop->scheduled.count;
}

/* see host.h */
size_t
asy_loop_ready_count(const asy_loop *loop)
{
    return loop->ready.count + atomic_load(&loop->inbox_count);
}

/* ---- the ready queue ---------------------------------------------------------- */

void
loop_append(asy_loop *loop, asy_handle *handle)
{
    if (atomic_load_explicit(&loop->inbox_count, memory_order_relaxed) > 0)
        loop_merge_inbox(loop);
    queue_push(&loop->ready, handle);
}

/* CPython: BaseEventLoop._add_callback */
void
loop_add_callback(asy_loop *loop, asy_handle *handle)
{
    if (!handle_is_cancelled(handle))
        loop_append(loop, asy_handle_ref(handle));
}
