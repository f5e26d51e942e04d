/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: functions that can wait.
 *
 * An async function is written as a struct, its frame, and a body:
 *
 *     struct greet {
 *         asy_coro    co;              // first
 *         asy_loop   *loop;            // arguments
 *         const char *name;
 *         int         left;            // locals that live across an await
 *     };
 *
 *     ASYNC(greet)
 *     {
 *         ASYNC_BEGIN;
 *
 *         for (self->left = 3; self->left > 0; self->left--) {
 *             AWAIT(asy_sleep(self->loop, 0.5));
 *             printf("hello %s\n", self->name);
 *         }
 *
 *         ASYNC_END;
 *     }
 *
 *     FINALLY(greet)
 *     {
 *     }
 *
 * and called by ASYNC_CALL(greet, .loop = loop, .name = "you"), which, as in Python, makes a
 * coroutine object and runs nothing. To run it, await it or make a task of it.
 *
 * How it works. The body is an ordinary function that returns asy_error *. It may also return
 * ASY_SUSPENDED: not now, call me again. ASYNC_BEGIN is a switch over the line to go on at, and
 * AWAIT notes its line, returns ASY_SUSPENDED, and is a case label of that switch. What the
 * awaited thing raises comes out of the AWAIT and leaves the body, as TRY() would do it; so does
 * the CancelledError of a task that is cancelled. asy_coro_send() is the one place that calls
 * bodies.
 *
 * The rules, and who enforces them:
 *   - A variable that lives across an AWAIT is a field of the frame. Locals have no initialiser
 *     (ci/checks/coroutines.py), so that the compiler sees one that is used after an AWAIT.
 *   - One AWAIT in a line (the compiler: duplicate case value), none within a switch (the body
 *     stops with a RuntimeError that says so).
 *   - FINALLY stands directly below each ASYNC, and nothing but a brace between ASYNC_END and it
 *     (the compiler: each completes the other). It runs exactly once: when the body returns or
 *     raises, or when the coroutine is dropped, even if it was never started. It cannot await.
 *     So each field starts as "nothing to give back".
 *   - The frame's memory is zeroed but for the arguments. Whoever keeps a pointer to it keeps a
 *     reference: asy_coro_ref(). But what the frame itself owns, such as the handle of a callback
 *     that writes to the frame, only borrows it, and FINALLY takes it away: with a reference the
 *     two would hold each other, and a coroutine that nobody else wants would never end.
 *   - No AWAIT outside of the body: a helper function that has to wait is a coroutine itself.
 *
 * A coroutine belongs to one thread at a time.
 */
#ifndef ASY_CORO_H
#define ASY_CORO_H

#include <asy/error.h>
#include <asy/future.h>
#include <asy/types.h>
#include <assert.h>

ASY_BEGIN_DECLARATIONS

/* "Not now": what a body returns when it waits. Never unref'd, never seen by callers of a body
 * other than asy_coro_send().
 */
ASY_API extern asy_error asy_suspended;
#define ASY_SUSPENDED (&asy_suspended)

/* What an async function is: made by ASYNC(). */
struct asy_coro_type {
    const char *name;                       /* its function */
    const char *file;
    int         line;
    size_t      size;                       /* of the frame */
    asy_error *(*body)(asy_coro *self);     /* run from self->resume_line to the next await */
    void       (*finally)(asy_coro *self);
};

/* The start of every frame. The fields are the library's. */
struct asy_coro {
    const asy_coro_type *type;
    int         refs;
    int         resume_line;        /* where the body goes on; 0: it has not begun */
    bool        running;
    bool        finished;           /* and finally has run */
    asy_coro   *outer;              /* the coroutine that awaits this one; borrowed */
    asy_coro   *inner;              /* the coroutine that this one awaits; owned */
    asy_future *future;             /* or the future; owned. NULL for both: a bare yield */
    asy_error  *thrown;             /* what the await raises; owned */
    asy_error  *bad_yield;          /* a host's coroutine has yielded what cannot be waited for:
                                       what its task throws into it; owned. To be found, and
                                       taken, in the coroutine that was sent */
    void       *result;             /* owned; most coroutines write through ret_ pointers instead */
    void      (*drop_result)(void *result);
};

/* ---- coro.c: what programs use --------------------------------------------- */

/* One more reference, one reference less. The latter accepts and returns NULL. The last one
 * ends the coroutine, as asy_coro_close() does; one that was never started is also reported:
 * "coroutine 'greet' was never awaited", as a warning in the log of the loop that runs in this
 * thread, or on stderr.
 */
ASY_API asy_coro *asy_coro_ref(asy_coro *coro);
ASY_API asy_coro *asy_coro_unref(asy_coro *coro);

/* coroutine.send(None), or, if there is an error, coroutine.throw(thrown): run it, and whatever
 * it awaits, up to the next suspension. An error that is thrown into a coroutine that has not
 * begun comes out at once.
 *
 * Returns  ASY_SUSPENDED: it waits, see asy_coro_awaits(). ASY_OK: it has returned. Another
 *          error: it has raised that.
 * Raises   also RuntimeError: cannot reuse already awaited coroutine; coroutine is being awaited
 *          already. ValueError: coroutine already executing.
 * Steals   thrown.
 */
ASY_API asy_error *asy_coro_send(asy_coro *coro, asy_error *thrown) ASY_MUST_CHECK;

/* What a suspended coroutine waits for, at the end of the chain of its awaits: borrowed, or
 * NULL for a bare yield. Who drives coroutines without tasks, and sees to it that the future is
 * waited for, sets its field `blocking` to false. Otherwise the next send, or await of the same
 * future, raises a RuntimeError if it is pending still: await wasn't used with future.
 */
ASY_API asy_future *asy_coro_awaits(const asy_coro *coro);

/* coroutine.close(): end it. It, and the coroutines that it awaits, raise nothing and run no
 * code but their FINALLY, the innermost first.
 *
 * Raises   ValueError: coroutine already executing.
 */
ASY_API asy_error *asy_coro_close(asy_coro *coro) ASY_MUST_CHECK;

/* Set what a task around this coroutine has as its result, when the body returns. Replaces what
 * was set before.
 *
 * Steals   result, which drop (may be NULL) gives back.
 */
ASY_API void asy_coro_set_result(asy_coro *coro, void *result, void (*drop)(void *result));

/* The name of the function. */
ASY_API const char *asy_coro_name(const asy_coro *coro);

/* Whether it has begun, or ended without; whether it has ended. */
ASY_API bool asy_coro_started(const asy_coro *coro);
ASY_API bool asy_coro_finished(const asy_coro *coro);

/* ---- writing async functions ----------------------------------------------- */

/* The body of an async function, with the frame as `self`. The struct of that name stands
 * before it, FINALLY(function) after it. */
#define ASYNC(function)                                                                    \
    static asy_error *function##_body(struct function *self);                              \
    static void function##_finally(struct function *self);                                 \
    static asy_error *function##_run_body(asy_coro *co)                                    \
    {                                                                                      \
        return function##_body((struct function *)(void *)co);                             \
    }                                                                                      \
    static void function##_run_finally(asy_coro *co)                                       \
    {                                                                                      \
        function##_finally((struct function *)(void *)co);                                 \
    }                                                                                      \
    static_assert(offsetof(struct function, co) == 0, "co is the first field of a frame"); \
    static const asy_coro_type function##_type = {                                         \
        #function, __FILE__, __LINE__, sizeof(struct function), function##_run_body,       \
        function##_run_finally,                                                            \
    };                                                                                     \
    static asy_error *function##_body(struct function *self)

/* What is given back when the coroutine ends, whichever way. */
#define FINALLY(function)                                                                  \
    function##_async_end;                                                                  \
    static void function##_finally(struct function *self __attribute__((unused)))

/* Call an async function: ASYNC_CALL(greet, .loop = loop, .name = name). A new reference. */
#define ASYNC_CALL(function, ...)                                                          \
    asy_coro_new(&function##_type, &(struct function){ .co = { 0 }, __VA_ARGS__ })

#define ASYNC_BEGIN                                                                        \
    switch (self->co.resume_line) {                                                        \
    case 0:

/* The last line of a body. It ends the function; what the source's brace then ends is the struct
 * of a typedef, in which a statement does not compile, and which FINALLY gives its name. */
#define ASYNC_END                                                                          \
        return ASY_OK;                                                                     \
    default:                                                                               \
        return asy_coro_lost(&self->co);                                                   \
    }                                                                                      \
    }                                                                                      \
    typedef struct {                                                                       \
        char no_code_after_async_end

/* await: wait for a future or task (borrowed) or a coroutine (stolen). What it raises leaves
 * the body. A future that is NULL is a bare yield: let others run once. */
#define AWAIT(awaitable)                                                                   \
    do {                                                                                   \
        AWAIT_SUSPEND_(awaitable);                                                         \
        TRY(asy_coro_take_thrown(&self->co));                                              \
    } while (0)

/* try: await; except BaseException as err. */
#define TRY_AWAIT(err, awaitable)                                                          \
    do {                                                                                   \
        AWAIT_SUSPEND_(awaitable);                                                         \
        (err) = asy_coro_take_thrown(&self->co);                                           \
    } while (0)

/* ---- await.c: what the macros call ------------------------------------------ */

#define AWAIT_SUSPEND_(awaitable)                                                          \
    self->co.resume_line = __LINE__;                                                       \
    if (_Generic((awaitable), asy_coro *: asy_await_coro, asy_future *: asy_await_future,  \
                 asy_task *: asy_await_task)(&self->co, (awaitable)))                      \
        return ASY_SUSPENDED;                                                              \
    /* fall through */                                                                     \
    case __LINE__:                                                                         \
    if (asy_await_again(&self->co))                                                        \
        return ASY_SUSPENDED

/* Make a coroutine with a copy of the frame.
 *
 * Hosts call this with a type of their own, whose body drives a coroutine of the host. Such a
 * body, instead of awaiting, takes self->thrown, if there is one, and self->future, both of which
 * it then owns, and resumes its coroutine with them; and it stores in self->future a new
 * reference to what that waits for, or in self->bad_yield the error that is to be thrown into it
 * next, or neither, for a bare yield, and returns ASY_SUSPENDED. It sets resume_line to anything
 * but 0 before it suspends: while that is 0, an error that is thrown does not reach the body. A
 * host that sets it at once gets that error, too, and warns by itself of what was never awaited;
 * but such a coroutine cannot be awaited by another.
 */
ASY_API asy_coro *asy_coro_new(const asy_coro_type *type, const void *frame);

/* Whether the body has to return ASY_SUSPENDED now. A future that is done does not suspend; nor
 * one that is `blocking`, which cannot be awaited by two that no task runs. Again: the body was
 * sent on, but what it waits for is not done.
 */
ASY_API bool asy_await_coro(asy_coro *self, asy_coro *coro);
ASY_API bool asy_await_future(asy_coro *self, asy_future *future);
ASY_API bool asy_await_task(asy_coro *self, asy_task *task);
ASY_API bool asy_await_again(asy_coro *self);

/* What the await raises: the error that was thrown into it, or that of the awaited thing. */
ASY_API asy_error *asy_coro_take_thrown(asy_coro *self) ASY_MUST_CHECK;

/* The body was called with a line that no AWAIT has. */
ASY_API asy_error *asy_coro_lost(asy_coro *self) ASY_MUST_CHECK;

ASY_END_DECLARATIONS

#endif
