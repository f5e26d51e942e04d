/* SPDX-License-Identifier: MIT */
/*
 * What belongs to one thread: the loop that runs in it, its current loop, its context.
 */
#ifndef CORE_THREAD_H
#define CORE_THREAD_H

#include <asy/types.h>
#include <sys/types.h>

struct thread_state {
    asy_loop    *running_loop;          /* borrowed */
    pid_t        running_process;       /* in which that was set: a forked child runs no loop */
    asy_loop    *current_loop;          /* set_event_loop(); owned */
    bool         current_loop_was_set;
    unsigned     number;                /* for messages; 0 until it is asked for */
    asy_context *context;               /* that which is entered, or NULL; borrowed */
    asy_context *base_context;          /* that of code outside any run(); made when it is set */
};

/* That of the calling thread. */
struct thread_state *thread_state(void);

/* To be called before something owned is stored: it is given back when the thread ends. */
void thread_state_keep(void);

/* Give back what the calling thread owns. */
void thread_state_clear(void);

/* The calling thread, as a number that no other living thread has; never 0. */
uintptr_t thread_id(void);

/* Whether this is the thread that loaded the library: for a C program, its first. */
bool thread_is_main(void);

/* threading.current_thread().name, from asy_alloc(): "MainThread", "Thread-1". */
char *thread_name(void);

#endif
