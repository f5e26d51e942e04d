/* SPDX-License-Identifier: MIT */
/*
 * contextvars for C: a context maps variables to values, and every thread has a current one.
 *
 * A callback runs in the context that was current when it was scheduled, or rather in a copy
 * taken then: what it sets is seen by what it schedules, and by nobody else. Copying costs
 * nothing, because contexts share their bindings.
 *
 * A loop that belongs to a host uses the host's contexts instead (host.h).
 */
#ifndef ASY_CONTEXT_H
#define ASY_CONTEXT_H

#include <asy/types.h>

ASY_BEGIN_DECLARATIONS

/* ---- context.c ------------------------------------------------------------- */

/* ContextVar(name). The name is copied. */
ASY_API asy_context_var *asy_context_var_new(const char *name);

/* One reference less; bindings keep their variable alive. Accepts and returns NULL.
 *
 * Thread   any
 */
ASY_API asy_context_var *asy_context_var_unref(asy_context_var *var);

/* var.get(default): the value in the current context, borrowed, or fallback. */
ASY_API void *asy_context_var_get(const asy_context_var *var, void *fallback);

/* var.set(value) -> Token: bind the variable in the current context.
 *
 * Returns  in *ret_token, unless that is NULL, what asy_context_var_reset() takes.
 * Steals   value, which drop gives back when no context has it any more; drop may be NULL.
 */
ASY_API void asy_context_var_set(asy_context_var *var, void *value, void (*drop)(void *value),
                                 asy_context_token **ret_token);

/* var.reset(token): bind the variable to what it was before the set() that gave the token.
 *
 * Raises   ValueError: another context is current than at the time of the set().
 * Steals   token.
 */
ASY_API asy_error *asy_context_var_reset(asy_context_token *token) ASY_MUST_CHECK;

/* Give a token up without a reset. Accepts NULL. */
ASY_API void asy_context_token_free(asy_context_token *token);

/* contextvars.copy_context() */
ASY_API asy_context *asy_context_copy_current(void);

/* One more reference, one reference less. The latter accepts and returns NULL.
 *
 * Thread   any
 */
ASY_API asy_context *asy_context_ref(asy_context *context);
ASY_API asy_context *asy_context_unref(asy_context *context);

/* context.run(function, argument): call it with the context current.
 *
 * Raises   RuntimeError: the context is current already, here or in another thread.
 *          And what the function raises.
 */
ASY_API asy_error *asy_context_run(asy_context *context, asy_error *(*function)(void *argument),
                                   void *argument) ASY_MUST_CHECK;

ASY_END_DECLARATIONS

#endif
