/* SPDX-License-Identifier: MIT */
/*
 * What the callbacks of fuzz_loop.c do: the same script, once for the library's loop and once for
 * the model. Each of the two is a side: a table of what a loop can do.
 *
 * Callbacks are numbered as they are made. What a callback does is read from the program at a place
 * that its number decides, so that two sides which run the same callbacks in the same order do the
 * same; and each side writes down what it ran and what it held at that moment. Two traces that are
 * equal are two loops that agree on order, iteration and time.
 */
#ifndef FUZZ_LOOP_SCRIPT_H
#define FUZZ_LOOP_SCRIPT_H

#include <asy/types.h>

#define MOST_CALLBACKS 700
#define MOST_EVENTS 20000
#define DESCRIPTORS 3
#define MOST_ITERATIONS 50          /* of one run_forever(): then the loop is stopped */
#define CLOCK_RESOLUTION 1e-9

struct side;

/* What a callback, or a run of the loop, ends with. */
enum outcome { RETURNS, RAISES, RAISES_FATAL };

struct side_ops {
    void         (*call_soon)(struct side *side, int number);
    void         (*call_soon_threadsafe)(struct side *side, int number);
    void         (*call_at)(struct side *side, int number, double when);
    void         (*cancel)(struct side *side, int number);
    void         (*stop)(struct side *side);
    void         (*add_reader)(struct side *side, unsigned fd, int number);
    void         (*add_writer)(struct side *side, unsigned fd, int number);
    bool         (*remove_reader)(struct side *side, unsigned fd);
    bool         (*remove_writer)(struct side *side, unsigned fd);
    void         (*send)(struct side *side, unsigned fd);       /* it becomes readable */
    void         (*drain)(struct side *side, unsigned fd);      /* no more */
    enum outcome (*run_forever)(struct side *side);
    size_t       (*ready_count)(const struct side *side);
    size_t       (*scheduled_count)(const struct side *side);
    ptrdiff_t    (*cancelled_count)(const struct side *side);
};

enum event_kind { RAN, REPORTED, REMOVED, RUN_ENDED };

struct event {
    enum event_kind kind;
    int             number;             /* the callback; or what the kind means by it */
    int             iteration;
    double          now;
    size_t          ready;
    size_t          scheduled;
    ptrdiff_t       cancelled;
};

struct side {
    const struct side_ops *ops;
    const uint8_t         *bytes;
    size_t                 size;
    bool                   epoll;       /* which decides the order of descriptors by itself */
    double                 now;
    int                    iteration;
    int                    made;                        /* callbacks */
    bool                   stops[MOST_CALLBACKS];       /* this one does nothing but stop() */
    bool                   cancellable[MOST_CALLBACKS]; /* there is a handle to it */
    size_t                 events;
    struct event           trace[MOST_EVENTS];          /* last: it is not cleared */
};

/* Make the side ready for the program. */
void side_begin(struct side *side, const struct side_ops *ops, const uint8_t *bytes, size_t size);

/* The whole program: some runs of the loop, each with something before it. */
void side_run_program(struct side *side);

/* What the loop does when it calls back; when it reports an exception; in each iteration, between
 * waiting and looking at what is ready. */
enum outcome side_run_callback(struct side *side, int number);
void side_report(struct side *side, int number);
void side_begin_iteration(struct side *side);

/* Both traces are equal. */
void side_require_same(const struct side *real, const struct side *model);

#endif
