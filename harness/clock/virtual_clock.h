/* SPDX-License-Identifier: MIT */
/*
 * The virtual clock of one process: an LD_PRELOAD library in which waiting costs no time.
 *
 * Idea 1.  When a process waits with a time-out and nobody else can make anything happen, the only
 *          thing that can happen is that the time-out ends. So it ends at once, and the clock is
 *          moved forward instead.
 * Idea 2.  The clock then is a counter that moves by waiting and by being looked at, not by the
 *          CPU's speed: being preempted does not show, and the order of timers is the same on a
 *          busy machine as on an idle one.
 *
 * The library has two states. Off (the start): every interposed function is a plain call of the
 * real one. On, after loopcheck_clock_on(): the process's time is virtual until it ends or
 * executes another program.
 *
 * The thread that called loopcheck_clock_on() is the *owner*. It is *alone* while its process
 * has no other thread and no child process, an unreaped one included. Time jumps only for the
 * owner, only while it is alone; otherwise time passes for real. A forked child keeps the
 * virtual values and time passes for real in it.
 *
 * Invariants while on:
 *   - Every clock but the CPU-time clocks is its real value at the start plus the same progress.
 *   - The monotonic clock strictly increases with every look, across threads too.
 *   - A look of the alone owner adds 1 microsecond; real time that passes meanwhile never counts.
 *   - While the owner is not alone the clock keeps a constant distance, the skew, to the real one.
 *   - No jump leads past 2^62 ns (146 years): a wait that would end there is a real one.
 *
 * These four functions and the interposed ones are the only exported symbols. None takes a lock or
 * allocates memory, so looking at the clock stays possible in a signal handler and after a fork.
 */
#ifndef LOOPCHECK_VIRTUAL_CLOCK_H
#define LOOPCHECK_VIRTUAL_CLOCK_H

#include <stdint.h>

/* Switch to virtual time, which starts at the real values. Calling it again in the same process
 * does nothing. A forked child may call it: it then becomes an owner itself and starts again
 * from the real values. */
void loopcheck_clock_on(void);

/* The time that was jumped over since loopcheck_clock_on(), in nanoseconds. */
int64_t loopcheck_clock_jumped_ns(void);

/* The time that passed for real since loopcheck_clock_on(), in nanoseconds: waiting and running
 * while not alone. */
int64_t loopcheck_clock_passed_ns(void);

/* 1 in the process that called loopcheck_clock_on(), otherwise 0; also 0 in a child that it
 * forks. */
int loopcheck_clock_active(void);

#endif
