/* SPDX-License-Identifier: MIT */
/* See thread.h. */
#include "core/thread.h"

#include "base/alloc.h"

#include <asy/context.h>
#include <asy/loop.h>
#include <pthread.h>
#include <stdatomic.h>

static _Thread_local struct thread_state state;

static pthread_once_t end_key_once = PTHREAD_ONCE_INIT;
static pthread_key_t end_key;
static uintptr_t main_thread_id;
static atomic_uint thread_count;

__attribute__((constructor)) static void
remember_main_thread(void)
{
    main_thread_id = thread_id();
}

struct thread_state *
thread_state(void)
{
    return &state;
}

void
thread_state_clear(void)
{
    asy_loop *loop = state.current_loop;
    asy_context *context = state.base_context;

    state.current_loop = NULL;
    state.current_loop_was_set = false;
    state.base_context = NULL;
    asy_context_unref(context);
    asy_loop_unref(loop);
}

static void
thread_ends(void *unused)
{
    (void)unused;
    thread_state_clear();
}

static void
make_end_key(void)
{
    pthread_key_create(&end_key, thread_ends);
}

void
thread_state_keep(void)
{
    pthread_once(&end_key_once, make_end_key);
    pthread_setspecific(end_key, &state);
}

uintptr_t
thread_id(void)
{
    return (uintptr_t)&state;
}

bool
thread_is_main(void)
{
    return thread_id() == main_thread_id;
}

char *
thread_name(void)
{
    if (thread_is_main())
        return alloc_text("MainThread");
    if (state.number == 0)
        state.number = atomic_fetch_add(&thread_count, 1) + 1;
    return asy_format("Thread-%u", state.number);
}
