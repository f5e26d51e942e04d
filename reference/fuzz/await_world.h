/* SPDX-License-Identifier: MIT */
/*
 * The world of fuzz_await.c: a loop, and a table of every future and task that its coroutines have
 * made and may wait for, with what must hold of them.
 *
 * Each entry has a done callback, which is its first. So what the table knows of an entry it knows
 * in the same iteration as whoever waits for the future, and a moment before.
 *
 * A rank keeps circles out: who has one waits only for what has a higher one. Tasks that wait for
 * one another can never end, so a program has to ask for them (circles), and then less is required.
 */
#ifndef FUZZ_AWAIT_WORLD_H
#define FUZZ_AWAIT_WORLD_H

#include "fuzzing.h"

#include <asy/asy.h>

#define MOST_ENTRIES 48
#define MOST_CHILDREN 3
#define MOST_EVENTS 6000
#define HIGHEST_RANK 1000

enum entry_kind { FUTURE, TASK, GATHER, SHIELD };

struct world;

struct entry {
    struct world   *world;
    enum entry_kind kind;
    int             rank;
    asy_future     *future;             /* owned; NULL: the program has given it up */
    bool            return_exceptions;  /* of GATHER */
    int             child_count;        /* of GATHER, and 1 of SHIELD */
    struct entry   *children[MOST_CHILDREN];
    int             bodies;             /* of TASK: how often its coroutine has ended */
    int             deliveries;         /* and CancelledErrors that can be nobody's but its own */
    int             calls;              /* of the done callback, */
    int             drops;
    int             done_iteration;     /* and when that was */
    bool            seen_done;          /* and then what the outcome was */
    asy_error      *seen_exception;     /* to compare only */
    void           *seen_result;
    asy_future_state seen_state;
};

struct event {
    int what;
    int who;
    int iteration;
};

struct world {
    asy_loop      *loop;
    const uint8_t *bytes;
    size_t         size;
    int            profile;
    bool           circles;
    double         now;
    int            iteration;
    int            actions_left;        /* for all coroutines together */
    bool           finished;            /* the driver has had enough */
    int            driver_place;
    int            cancels;             /* requests to cancel anything, and whatever may make one */
    int            fatals;              /* these cut an iteration short */
    int            given_up;
    int            live_frames;
    int            next_number;         /* of coroutines */
    int            driver_drops;
    struct entry   entries[MOST_ENTRIES];
    int            count;
    struct event   trace[MOST_EVENTS];
    int            events;
};

/* A byte of the program, which has no end. */
unsigned world_byte(const struct world *world, size_t place);

void world_record(struct world *world, int what, int who);

/* ---- entries -------------------------------------------------------------------- */

/* A new entry. Steals the future, to which it adds the done callback. */
struct entry *entry_new(struct world *world, enum entry_kind kind, int rank, asy_future *future);

/* One that a coroutine of the rank may wait for, the first from some place on; or NULL. */
struct entry *entry_choose(struct world *world, int rank, unsigned place);

/* Whether there is room for one more. */
bool world_has_room(const struct world *world);

/* Future i of all is what it was when it was done. */
void world_check_entries(struct world *world);

/* What an await of the entry's future has raised is what that has. */
void entry_check_outcome(struct entry *self, const asy_error *err);

/* After the end of everything: each callback ran at most once, and was dropped. */
void world_check_end(const struct world *world);

/* all_tasks() has those that are not done, and no other. */
void world_check_all_tasks(const struct world *world);

bool world_has_pending_task(const struct world *world);

#endif
