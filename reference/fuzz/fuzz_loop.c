/* SPDX-License-Identifier: MIT */
/*
 * The loop, through its public methods and with a clock that is driven by hand, against
 * model_loop.c: the same callbacks in the same order, in the same iterations and at the same time;
 * and at each of them as many ready, scheduled and cancelled.
 *
 * Beyond that, each callback is dropped exactly once: when it is cancelled, or with its handle;
 * never while it runs.
 *
 * With epoll, the program has one descriptor only and no fatal errors: the order of descriptors
 * would be the kernel's, and these let it show.
 */
#include "fuzzing.h"
#include "model_loop.h"

#include "base/fd.h"
#include "core/thread.h"

#include <asy/asy.h>
#include <sys/socket.h>

struct real_loop;

/* The argument of a callback. */
struct callback {
    struct real_loop *owner;
    int               number;
    int               running;          /* how often it is on the stack */
    int               drops;
};

struct real_loop {
    struct side     side;               /* first */
    asy_loop       *loop;
    int             pairs[DESCRIPTORS][2];          /* the loop watches the first of each */
    struct callback callbacks[MOST_CALLBACKS];
    asy_handle     *handles[MOST_CALLBACKS];        /* owned, or NULL */
    int             reported;                       /* whose exception is on its way */
};

static struct real_loop *
loop_of(const struct side *side)
{
    return (struct real_loop *)(void *)side;
}

/* ---- callbacks ------------------------------------------------------------------- */

static asy_error *
run(void *argument)
{
    struct callback *self = argument;
    struct real_loop *owner = self->owner;

    require(self->drops == 0, "callback %d runs after it was dropped", self->number);
    self->running++;
    enum outcome outcome = side_run_callback(&owner->side, self->number);
    self->running--;
    owner->reported = self->number;
    if (outcome == RAISES_FATAL)
        RAISE(KeyboardInterrupt, "raised by callback %d", self->number);
    if (outcome == RAISES)
        RAISE(ValueError, "raised by callback %d", self->number);
    return ASY_OK;
}

static void
drop(void *argument)
{
    struct callback *self = argument;

    require(self->running == 0, "callback %d is dropped while it runs", self->number);
    self->drops++;
    require(self->drops == 1, "callback %d is dropped again", self->number);
}

static asy_callback
callback(struct real_loop *self, int number)
{
    self->callbacks[number] = (struct callback){ .owner = self, .number = number };
    return asy_own(run, &self->callbacks[number], drop);
}

static asy_error *
report(asy_loop *loop, const asy_report *what, void *argument)
{
    struct real_loop *self = argument;

    require(loop == self->loop && what->exception && what->handle, "not as it was: %s",
            what->message);
    side_report(&self->side, self->reported);
    return ASY_OK;
}

/* ---- the clock, and what the loop asks in each iteration -------------------------- */

static double
read_clock(void *data)
{
    return ((const struct real_loop *)data)->side.now;
}

static void
advance(void *data, double seconds)
{
    ((struct real_loop *)data)->side.now += seconds;
}

static asy_error *
check_signals(void *host)
{
    if (!fuzzing_interrupted())
        side_begin_iteration(&((struct real_loop *)host)->side);
    return ASY_OK;
}

static asy_error *
log_nothing(void *host, asy_log_level level, const char *message, asy_error *exception)
{
    (void)host;
    (void)exception;
    require(level == ASY_LOG_DEBUG, "%s", message);
    return ASY_OK;
}

/* ---- the methods ------------------------------------------------------------------ */

static void
call_soon(struct side *side, int number)
{
    struct real_loop *self = loop_of(side);
    require_ok(asy_loop_call_soon(self->loop, callback(self, number), &self->handles[number]));
}

static void
call_soon_threadsafe(struct side *side, int number)
{
    struct real_loop *self = loop_of(side);
    require_ok(asy_loop_call_soon_threadsafe(self->loop, callback(self, number),
                                             &self->handles[number]));
}

static void
call_at(struct side *side, int number, double when)
{
    struct real_loop *self = loop_of(side);
    asy_timer_handle *timer;

    require_ok(asy_loop_call_at(self->loop, when, callback(self, number), &timer));
    self->handles[number] = asy_timer_handle_base(timer);
}

static void
cancel(struct side *side, int number)
{
    struct real_loop *self = loop_of(side);
    const struct callback *cancelled = &self->callbacks[number];

    asy_handle_cancel(self->handles[number]);
    require(asy_handle_cancelled(self->handles[number]), "callback %d", number);
    require(cancelled->drops == 1 || cancelled->running > 0, "callback %d was not let go", number);
}

static void
stop(struct side *side)
{
    asy_loop_stop(loop_of(side)->loop);
}

static void
add_reader(struct side *side, unsigned fd, int number)
{
    struct real_loop *self = loop_of(side);
    require_ok(asy_loop_add_reader(self->loop, self->pairs[fd][0], callback(self, number)));
}

static void
add_writer(struct side *side, unsigned fd, int number)
{
    struct real_loop *self = loop_of(side);
    require_ok(asy_loop_add_writer(self->loop, self->pairs[fd][0], callback(self, number)));
}

static bool
remove_reader(struct side *side, unsigned fd)
{
    bool removed;
    require_ok(asy_loop_remove_reader(loop_of(side)->loop, loop_of(side)->pairs[fd][0], &removed));
    return removed;
}

static bool
remove_writer(struct side *side, unsigned fd)
{
    bool removed;
    require_ok(asy_loop_remove_writer(loop_of(side)->loop, loop_of(side)->pairs[fd][0], &removed));
    return removed;
}

static void
send_byte(struct side *side, unsigned fd)
{
    send(loop_of(side)->pairs[fd][1], "", 1, MSG_NOSIGNAL);
}

static void
drain(struct side *side, unsigned fd)
{
    char bytes[1024];
    while (recv(loop_of(side)->pairs[fd][0], bytes, sizeof bytes, 0) > 0)
        continue;
}

static enum outcome
run_forever(struct side *side)
{
    asy_error *err = asy_loop_run_forever(loop_of(side)->loop);
    enum outcome outcome = !err ? RETURNS : asy_error_is_fatal(err) ? RAISES_FATAL : RAISES;

    asy_error_unref(err);
    return outcome;
}

static size_t
ready_count(const struct side *side)
{
    return asy_loop_ready_count(loop_of(side)->loop);
}

static size_t
scheduled_count(const struct side *side)
{
    return asy_loop_scheduled_count(loop_of(side)->loop);
}

static ptrdiff_t
cancelled_count(const struct side *side)
{
    return asy_loop_timer_cancelled_count(loop_of(side)->loop);
}

static const struct side_ops real_ops = {
    .call_soon = call_soon,
    .call_soon_threadsafe = call_soon_threadsafe,
    .call_at = call_at,
    .cancel = cancel,
    .stop = stop,
    .add_reader = add_reader,
    .add_writer = add_writer,
    .remove_reader = remove_reader,
    .remove_writer = remove_writer,
    .send = send_byte,
    .drain = drain,
    .run_forever = run_forever,
    .ready_count = ready_count,
    .scheduled_count = scheduled_count,
    .cancelled_count = cancelled_count,
};

/* ---- a program --------------------------------------------------------------------- */

static void
begin(struct real_loop *self, const asy_loop_options *options)
{
    require_ok(asy_loop_new(options, &self->loop));
    asy_loop_set_exception_handler(self->loop, report, self, NULL);
    for (int i = 0; i < DESCRIPTORS; i++)
        require_ok(fd_socket_pair(self->pairs[i]));
    for (int i = 0; i < MOST_CALLBACKS; i++)
        self->handles[i] = NULL;
}

/* What is queued, scheduled and watched still goes with the loop. */
static void
end(struct real_loop *self)
{
    require_ok(asy_loop_close(self->loop));
    for (int i = 0; i < self->side.made; i++) {
        asy_handle_unref(self->handles[i]);
        require(self->callbacks[i].drops == 1, "callback %d was dropped %d times", i,
                self->callbacks[i].drops);
    }
    asy_loop_unref(self->loop);
    for (int i = 0; i < DESCRIPTORS; i++) {
        fd_close(&self->pairs[i][0]);
        fd_close(&self->pairs[i][1]);
    }
    thread_state_clear();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const asy_host host = { .check_signals = check_signals, .log = log_nothing };
    static struct real_loop real;
    static struct model_loop model;
    struct program header = { bytes, size };
    struct footprint before = footprint_now();
    unsigned choice = program_byte(&header);
    const asy_loop_options options = {
        .selector = choice % 3 == 0 ? ASY_SELECTOR_POLL :
            choice % 3 == 1 ? ASY_SELECTOR_SELECT : ASY_SELECTOR_EPOLL,
        .profile = ASY_OLDEST_PROFILE + (int)(choice / 3 % 5),
        .debug = choice & 64 ? ASY_DEBUG_ON : ASY_DEBUG_OFF,
        .clock = { read_clock, advance, CLOCK_RESOLUTION, &real },
        .host = &host,
        .host_data = &real,
    };

    side_begin(&real.side, &real_ops, bytes, size);
    real.side.epoll = options.selector == ASY_SELECTOR_EPOLL;
    begin(&real, &options);
    side_run_program(&real.side);
    end(&real);
    model_loop_begin(&model, bytes, size, options.profile, options.selector == ASY_SELECTOR_SELECT);
    model.side.epoll = real.side.epoll;
    side_run_program(&model.side);
    side_require_same(&real.side, &model.side);
    footprint_require(before);
    return 0;
}
