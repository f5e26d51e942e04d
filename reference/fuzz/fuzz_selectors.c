/* SPDX-License-Identifier: MIT */
/*
 * epoll, poll and select, with the same program at the same time, against a model of what is
 * registered with each.
 *
 * The model asks poll(2) about one descriptor at a time, and knows by three rules what a back end
 * makes of the answer: which conditions wake a reader and which a writer, what becomes of a
 * descriptor that was closed, and in which order what is ready comes (epoll's order is the
 * kernel's; it is not modelled).
 *
 * The descriptors are both ends of four socket pairs, each at a number of its own, at which it is
 * opened again after it was closed; and one number that is too high for select() and never open.
 */
#include "fuzzing.h"

#include "base/fd.h"
#include "core/selector.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 8
#define SLOTS (SOCKETS + 1)
#define TOO_HIGH (FD_SETSIZE + 100)
#define OUT_OF_THE_WAY 200              /* where no socket of ours is */

struct slot {
    int  fd;
    bool open;
};

struct registration {
    bool     present;
    unsigned events;
    unsigned order;                     /* the smaller, the earlier it was registered */
    bool     forgotten;                 /* closed since then */
};

struct back_end {
    asy_selector_kind   kind;
    struct selector    *selector;
    struct registration registered[SLOTS];
    unsigned            next_order;
};

struct run {
    struct slot     slots[SLOTS];
    struct back_end back_ends[3];
};

/* ---- sockets ------------------------------------------------------------------ */

/* A pair that lies at the numbers of two slots, or, if they have none yet, where it happens to. */
static void
open_pair(struct slot *first)
{
    int fds[2], small = 4096;

    require_ok(fd_socket_pair(fds));
    for (int i = 0; i < 2; i++) {
        if (first[i].fd < 0)
            first[i].fd = fds[i];
        setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    }
    if (fds[0] != first[0].fd || fds[1] != first[1].fd) {
        for (int i = 0; i < 2; i++) {
            int moved = fcntl(fds[i], F_DUPFD, OUT_OF_THE_WAY);
            close(fds[i]);
            fds[i] = moved;
        }
        for (int i = 0; i < 2; i++) {
            require(dup2(fds[i], first[i].fd) == first[i].fd, "dup2 to %d", first[i].fd);
            close(fds[i]);
        }
    }
    first[0].open = true;
    first[1].open = true;
}

static void
close_slot(struct run *run, unsigned number)
{
    struct slot *slot = &run->slots[number];

    if (!slot->open)
        return;
    close(slot->fd);
    slot->open = false;
    for (int i = 0; i < 3; i++)
        run->back_ends[i].registered[number].forgotten = true;
}

static void
reopen(struct run *run, unsigned number)
{
    struct slot *first = &run->slots[number & ~1U];

    if (number < SOCKETS && !first[0].open && !first[1].open)
        open_pair(first);
}

static void
fill(int fd)
{
    static const char bytes[2048];
    while (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
        continue;
}

static void
drain(int fd)
{
    char bytes[4096];
    while (recv(fd, bytes, sizeof bytes, 0) > 0)
        continue;
}

static void
use_socket(struct run *run, unsigned number, unsigned operation)
{
    int fd = run->slots[number].fd;

    if (operation == 0)
        send(fd, "", 1, MSG_NOSIGNAL);
    else if (operation == 1)
        fill(fd);
    else if (operation == 2)
        drain(fd);
    else if (operation == 3)
        shutdown(fd, SHUT_WR);
    else if (operation == 4)
        shutdown(fd, SHUT_RDWR);
    else if (operation == 5)
        close_slot(run, number);
    else
        reopen(run, number);
}

/* ---- registering -------------------------------------------------------------- */

/* Only epoll looks at a descriptor before it waits. */
static void
require_outcome(asy_error *err, const struct back_end *self, bool refused)
{
    refused = refused && self->kind == ASY_SELECTOR_EPOLL;
    require(!err == !refused, "%s: %s", self->selector->ops->name, err ? err->message : "accepted");
    require(!err || asy_error_is_a(err, ASY_OSError), "%s", err->message);
}

static void
register_or_modify(struct run *run, struct back_end *self, unsigned number, unsigned events)
{
    const struct slot *slot = &run->slots[number];
    struct registration *key = &self->registered[number];
    asy_error *err;

    if (key->present) {
        err = selector_modify(self->selector, slot->fd, events);
        require_outcome(err, self, !slot->open || key->forgotten);
    } else {
        err = selector_register(self->selector, slot->fd, events);
        require_outcome(err, self, !slot->open);
        *key = (struct registration){ .order = self->next_order++ };
    }
    key->present = !err;
    key->events = events;
    asy_error_unref(err);
}

static void
unregister(struct run *run, struct back_end *self, unsigned number)
{
    if (!self->registered[number].present)
        return;
    selector_unregister(self->selector, run->slots[number].fd);
    self->registered[number].present = false;
}

/* ---- what is ready ------------------------------------------------------------- */

/* What the back end is to report for one descriptor. */
static unsigned
expected_events(const struct back_end *self, const struct registration *key, int fd)
{
    int asked = (key->events & EVENT_READ ? POLLIN : 0) | (key->events & EVENT_WRITE ? POLLOUT : 0);
    struct pollfd each = { .fd = fd, .events = (short)asked };

    if (!key->present || (key->forgotten && self->kind == ASY_SELECTOR_EPOLL))
        return 0;
    while (poll(&each, 1, 0) < 0)       /* a signal */
        continue;
    int readable = self->kind == ASY_SELECTOR_SELECT ? POLLIN | POLLHUP | POLLERR : ~POLLOUT;
    int writable = self->kind == ASY_SELECTOR_SELECT ? POLLOUT | POLLERR : ~POLLIN;
    unsigned events = (each.revents & readable ? EVENT_READ : 0);
    events |= (each.revents & writable ? EVENT_WRITE : 0);
    return events & key->events;
}

/* select() refuses to wait for what is not there; epoll and poll do not. */
static asy_error_kind
expected_error(const struct run *run, const struct back_end *self)
{
    asy_error_kind kind = ASY_BaseException;

    for (int i = 0; i < SLOTS && self->kind == ASY_SELECTOR_SELECT; i++) {
        if (self->registered[i].present && run->slots[i].fd >= FD_SETSIZE)
            return ASY_ValueError;
        if (self->registered[i].present && !run->slots[i].open)
            kind = ASY_OSError;
    }
    return kind;
}

static unsigned
slot_of(const struct run *run, int fd)
{
    unsigned number = 0;

    while (number < SLOTS && run->slots[number].fd != fd)
        number++;
    require(number < SLOTS, "descriptor %d is ready, which nobody registered", fd);
    return number;
}

/* Each is reported once, and after those that come before it. */
static void
require_order(const struct run *run, const struct back_end *self)
{
    long previous = -1;

    for (size_t i = 0; i < self->selector->ready_count; i++) {
        int fd = self->selector->ready[i].fd;
        long order = (long)self->registered[slot_of(run, fd)].order;
        long place = self->kind == ASY_SELECTOR_POLL ? order : fd;
        require(self->kind == ASY_SELECTOR_EPOLL || place > previous, "%s: %d is out of order",
                self->selector->ops->name, fd);
        previous = place;
    }
}

static void
require_ready(const struct run *run, const struct back_end *self, const unsigned *expected)
{
    unsigned ready[SLOTS] = { 0 };

    for (size_t i = 0; i < self->selector->ready_count; i++) {
        unsigned number = slot_of(run, self->selector->ready[i].fd);
        require(!ready[number], "descriptor %d is ready twice", run->slots[number].fd);
        ready[number] = self->selector->ready[i].events & self->registered[number].events;
    }
    for (unsigned i = 0; i < SLOTS; i++)
        require(ready[i] == expected[i], "%s: descriptor %d has %u, and not %u",
                self->selector->ops->name, run->slots[i].fd, ready[i], expected[i]);
    require_order(run, self);
}

static asy_error *
interrupted(void *data)
{
    (void)data;
    return ASY_OK;
}

/* Without a time; or, with `wait`, for as long as it takes, when something is ready. */
static void
select_and_compare(const struct run *run, struct back_end *self, bool wait)
{
    const struct selector_waiter waiter = { .interrupted = interrupted };
    asy_error_kind kind = expected_error(run, self);
    unsigned expected[SLOTS];
    size_t registered = 0;
    bool any = false;

    for (unsigned i = 0; i < SLOTS; i++) {
        expected[i] = expected_events(self, &self->registered[i], run->slots[i].fd);
        any |= expected[i] != 0;
        registered += self->registered[i].present;
    }
    require(self->selector->registered == registered, "%zu are registered, and not %zu",
            self->selector->registered, registered);
    asy_error *err = selector_select(self->selector, wait && any ? INFINITY : 0, &waiter);
    if (kind == ASY_BaseException) {
        require_ok(err);
        require_ready(run, self, expected);
    } else {
        require(asy_error_is_a(err, kind), "%s is not raised", asy_error_kind_name(kind));
    }
    asy_error_unref(err);
}

/* ---- the program --------------------------------------------------------------- */

static void
step(struct run *run, struct program *program)
{
    unsigned operation = program_below(program, 16);
    unsigned number = program_below(program, SLOTS);

    if (operation >= 8 && number < SOCKETS)
        use_socket(run, number, operation - 8);
    for (int i = 0; i < 3; i++) {
        struct back_end *self = &run->back_ends[i];
        if (operation < 6)
            register_or_modify(run, self, number, operation / 2 + 1);
        else if (operation < 8)
            unregister(run, self, number);
        select_and_compare(run, self, operation & 1);
    }
}

static void
begin(struct run *run)
{
    static const asy_selector_kind kinds[] = {
        ASY_SELECTOR_EPOLL, ASY_SELECTOR_POLL, ASY_SELECTOR_SELECT,
    };

    *run = (struct run){ 0 };
    for (int i = 0; i < SOCKETS; i++)
        run->slots[i].fd = -1;
    for (int i = 0; i < SOCKETS; i += 2)
        open_pair(&run->slots[i]);
    run->slots[SOCKETS].fd = TOO_HIGH;
    for (int i = 0; i < 3; i++) {
        run->back_ends[i].kind = kinds[i];
        require_ok(selector_new(kinds[i], &run->back_ends[i].selector));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct program program = { bytes, size };
    struct footprint before = footprint_now();
    struct run run;

    begin(&run);
    while (program.left > 0)
        step(&run, &program);
    for (unsigned i = 0; i < SLOTS; i++)
        close_slot(&run, i);
    for (int i = 0; i < 3; i++)
        selector_free(run.back_ends[i].selector);
    footprint_require(before);
    return 0;
}
