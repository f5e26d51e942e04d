/* SPDX-License-Identifier: MIT */
/*
 * The loop of a thread: the one that runs in it, and the current one, which is what
 * get_event_loop() finds outside of any. Programs whose loops belong to a host use the host's.
 */
#include "base/alloc.h"
#include "core/behaviour.h"
#include "core/thread.h"

#include <asy/error.h>
#include <asy/host.h>
#include <asy/loop.h>
#include <stdio.h>
#include <unistd.h>

/* see host.h */
void
asy_set_running_loop(asy_loop *loop)
{
    struct thread_state *thread = thread_state();
    thread->running_loop = loop;
    thread->running_process = getpid();
}

/* see loop.h */
asy_loop *
asy_running_loop(void)
{
    const struct thread_state *thread = thread_state();
    bool is_here = thread->running_loop && thread->running_process == getpid();
    return is_here ? thread->running_loop : NULL;
}

/* see loop.h */
asy_error *
asy_get_running_loop(asy_loop **ret_loop)
{
    asy_loop *loop = asy_running_loop();
    if (!loop)
        RAISE(RuntimeError, "no running event loop");
    *ret_loop = loop;
    return ASY_OK;
}

/* see loop.h */
void
asy_set_event_loop(asy_loop *loop)
{
    struct thread_state *thread = thread_state();
    asy_loop *old = thread->current_loop;

    thread_state_keep();
    thread->current_loop = loop ? asy_loop_ref(loop) : NULL;
    thread->current_loop_was_set = true;
    asy_loop_unref(old);
}

/* see loop.h */
asy_error *
asy_new_event_loop(asy_loop **ret_loop)
{
    return asy_loop_new(NULL, ret_loop);
}

/* The default policy of Python before 3.14. */
static asy_error *
make_current_loop(int profile)
{
    asy_loop *loop;

    if (profile_behaves(profile, BEHAVIOUR_MADE_CURRENT_LOOP_WARNS))
        fprintf(stderr, "DeprecationWarning: There is no current event loop\n");
    TRY(asy_loop_new(&(asy_loop_options){ .profile = profile }, &loop));
    asy_set_event_loop(loop);
    asy_loop_unref(loop);
    return ASY_OK;
}

static asy_error *
no_current_loop(void)
{
    char *name = thread_name();
    asy_error *err = asy_error_new(ASY_RuntimeError,
                                   "There is no current event loop in thread '%s'.", name);
    asy_free(name);
    return err;
}

/* see loop.h.  CPython: events.get_event_loop, BaseDefaultEventLoopPolicy.get_event_loop */
asy_error *
asy_get_event_loop_as(int profile, asy_loop **ret_loop)
{
    const struct thread_state *thread = thread_state();
    asy_loop *running = asy_running_loop();

    TRY(profile_check(profile, &profile));
    if (running) {
        *ret_loop = running;
        return ASY_OK;
    }
    if (!thread->current_loop && !thread->current_loop_was_set && thread_is_main() &&
        profile_behaves(profile, BEHAVIOUR_CURRENT_LOOP_IS_MADE))
        TRY(make_current_loop(profile));
    if (!thread->current_loop)
        return no_current_loop();
    *ret_loop = thread->current_loop;
    return ASY_OK;
}

/* see loop.h */
asy_error *
asy_get_event_loop(asy_loop **ret_loop)
{
    return asy_get_event_loop_as(ASY_NEWEST_PROFILE, ret_loop);
}
