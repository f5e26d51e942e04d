/* SPDX-License-Identifier: MIT */
/*
 * Handle and TimerHandle: a callback that waits for its turn.
 *
 * C programs get handles from the loop's call_... functions and use the methods below.
 *
 * Embedders (a language binding, or a C object that schedules itself without an allocation)
 * put an asy_handle or asy_timer_handle into their own object, fill an
 * asy_handle_ops, and hand it to the asy_loop_add_... functions of host.h. The loop takes a
 * reference for each place where it keeps the handle; a handle may be kept in several.
 */
#ifndef ASY_HANDLE_H
#define ASY_HANDLE_H

#include <asy/types.h>

ASY_BEGIN_DECLARATIONS

/* ---- callbacks ------------------------------------------------------------- */

/* What to call, with what. The fields name and line are for messages. Written with asy_borrow()
 * or asy_own(); an error that the function returns goes to the loop's exception handler.
 *
 * Whoever is said to steal a callback calls drop(argument), once, when the callback can no
 * longer run: it is cancelled, or the last reference to its handle goes, or it was refused.
 */
struct asy_callback {
    asy_error  *(*function)(void *argument);
    void        *argument;
    void       (*drop)(void *argument);             /* or NULL */
    const char  *name;                              /* static text, such as "tick", or NULL */
    const char  *file;                              /* static text, or NULL */
    int          line;
};

/* The argument stays the caller's, who keeps it long enough. */
#define asy_borrow(function, argument) asy_own(function, argument, NULL)

/* The argument becomes the callback's, and drop gives it back. */
#define asy_own(function, argument, drop)                                                  \
    asy_callback_make(function, argument, drop, #function, __FILE__, __LINE__)

static inline asy_callback
asy_callback_make(asy_error *(*function)(void *), void *argument, void (*drop)(void *),
                  const char *name, const char *file, int line)
{
    asy_callback callback = { function, argument, drop, name, file, line };
    return callback;
}

/* ---- handle.c -------------------------------------------------------------- */

/* handle.cancel(): it will not run any more, and lets its callback go.
 *
 * A callback that runs at the moment runs to its end. Of a watched descriptor it ends the watch
 * when the descriptor is ready next. No effect on a handle that is cancelled.
 *
 * Thread   any, for handles of call_soon_threadsafe. From 3.14 on it then waits for the
 *          callback, if that runs at the moment in the loop's thread.
 * Spec     Handle.cancel, Handle.cancel.twice, Handle.cancel.after-run,
 *          Handle.cancel.same-batch, Handle.cancel.releases
 */
ASY_API void asy_handle_cancel(asy_handle *handle);

/* handle.cancelled() -> bool
 *
 * Thread   any
 * Spec     Handle.cancelled.true, Handle.cancelled.false
 */
ASY_API bool asy_handle_cancelled(const asy_handle *handle);

/* handle.get_context(): borrowed; an asy_context * unless the loop has a host.
 *
 * Spec     Handle.get_context
 */
ASY_API void *asy_handle_get_context(asy_handle *handle);

/* timer.when() -> float: the deadline, in the loop's time.
 *
 * Spec     TimerHandle.when, TimerHandle.when.float
 */
ASY_API double asy_timer_handle_when(const asy_timer_handle *timer);

/* A timer handle as a handle: borrowed. */
ASY_API asy_handle *asy_timer_handle_base(asy_timer_handle *timer);

/* One more reference, one reference less. The latter accepts and returns NULL.
 *
 * Thread   any, for the handles that this library makes; otherwise as the embedder says.
 */
ASY_API asy_handle *asy_handle_ref(asy_handle *handle);
ASY_API asy_handle *asy_handle_unref(asy_handle *handle);
ASY_API asy_timer_handle *asy_timer_handle_unref(asy_timer_handle *timer);

/* ---- for embedders --------------------------------------------------------- */

/* What the loop asks of a handle. Every function is required but where it says otherwise. run is
 * called in the loop's thread, clear in that which cancels, describe... in that which reports.
 */
struct asy_handle_ops {
    /* handle._context.run(callback, *args), and nothing around it: an error that is returned is
     * reported by the loop, as "Exception in callback ...", unless it is fatal. */
    asy_error *(*run)(asy_handle *handle);

    void       (*ref)(asy_handle *handle);
    void       (*unref)(asy_handle *handle);        /* may free it, and run anything */

    /* The handle has just been cancelled: let go of callback and arguments. Its own run() may be
     * on the stack of the same thread. May run anything. May be NULL. */
    void       (*clear)(asy_handle *handle);

    /* The context it runs in, borrowed, or NULL: where the exception handler is called for an
     * exception of this handle. May be NULL. */
    void      *(*context)(asy_handle *handle);

    /* Texts, from asy_alloc(): the handle for "Executing ... took 1.000 seconds", its callback
     * for "Exception in callback ...". Both may be NULL, and may return NULL. */
    char      *(*describe)(asy_handle *handle);
    char      *(*describe_callback)(asy_handle *handle);
};

/* Handle. The fields are the library's: read them through the functions above. */
struct asy_handle {
    const asy_handle_ops *ops;
    asy_loop             *loop;         /* borrowed: an embedder's handle keeps its loop alive */
    bool                  cancelled;    /* only through atomic operations */
    bool                  threadsafe;   /* of call_soon_threadsafe: others may cancel it */
    bool                  is_timer;     /* an asy_timer_handle */
    bool                  scheduled;    /* is_timer only: it is in the loop's heap */
    bool                  mark;         /* the embedder's own; false at first */
};

/* TimerHandle. */
struct asy_timer_handle {
    asy_handle handle;
    double     when;
};

/* Handle.__init__ for an embedded handle. The embedder's reference count is its own affair. */
ASY_API void asy_handle_init(asy_handle *handle, const asy_handle_ops *ops, asy_loop *loop);

/* TimerHandle.__init__ for an embedded handle. */
ASY_API void asy_timer_handle_init(asy_timer_handle *timer, const asy_handle_ops *ops,
                                   asy_loop *loop, double when);

ASY_END_DECLARATIONS

#endif
