/* SPDX-License-Identifier: MIT */
/*
 * Contexts: see asy/context.h.
 *
 * The bindings of a context are a list that never changes once it is made, so a copy of a
 * context is a pointer to the same list. set() puts a new binding in front, and copies the ones
 * that stood before the variable's old binding, so that a variable is bound once at most.
 *
 * Lists are shared by contexts of different threads: their counts are atomic. A context itself
 * is entered by one thread at a time, and only that one changes it.
 */
#include <asy/context.h>

#include "base/alloc.h"
#include "core/thread.h"

#include <asy/error.h>
#include <stdatomic.h>

struct asy_context_var {
    atomic_int refs;
    char      *name;
};

struct value {
    atomic_int refs;
    void      *value;
    void     (*drop)(void *value);
};

struct binding {
    atomic_int       refs;
    asy_context_var *var;               /* owned */
    struct value    *value;             /* owned */
    struct binding  *next;              /* owned; no binding of var among the following */
};

struct asy_context {
    atomic_int      refs;
    atomic_bool     entered;
    struct binding *bindings;           /* owned */
};

struct asy_context_token {
    asy_context     *context;           /* where the set() was; owned */
    asy_context_var *var;               /* owned */
    struct value    *old;               /* owned; NULL: it was not bound */
};

/* ---- reference counts --------------------------------------------------------- */

static void
ref(atomic_int *refs)
{
    atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
}

/* Whether that was the last one. */
static bool
unref(atomic_int *refs)
{
    return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

static asy_context_var *
var_ref(asy_context_var *var)
{
    ref(&var->refs);
    return var;
}

static struct value *
value_ref(struct value *value)
{
    if (value)
        ref(&value->refs);
    return value;
}

static void
value_unref(struct value *value)
{
    if (!value || !unref(&value->refs))
        return;
    if (value->drop)
        value->drop(value->value);
    asy_free(value);
}

static struct binding *
binding_ref(struct binding *binding)
{
    if (binding)
        ref(&binding->refs);
    return binding;
}

/* Not recursive: a list may be long. */
static void
binding_unref(struct binding *binding)
{
    while (binding && unref(&binding->refs)) {
        struct binding *next = binding->next;
        value_unref(binding->value);
        asy_context_var_unref(binding->var);
        asy_free(binding);
        binding = next;
    }
}

/* ---- lists of bindings -------------------------------------------------------- */

/* A list with one more binding in front. Steals value and next. */
static struct binding *
binding_new(asy_context_var *var, struct value *value, struct binding *next)
{
    struct binding *binding = asy_alloc(sizeof *binding);
    atomic_init(&binding->refs, 1);
    binding->var = var_ref(var);
    binding->value = value;
    binding->next = next;
    return binding;
}

static struct binding *
binding_find(struct binding *list, const asy_context_var *var)
{
    while (list && list->var != var)
        list = list->next;
    return list;
}

/* The list without the binding of a variable, in another order: a new reference. */
static struct binding *
binding_list_without(struct binding *list, const asy_context_var *var)
{
    struct binding *found = binding_find(list, var);
    if (!found)
        return binding_ref(list);
    struct binding *rest = binding_ref(found->next);
    for (; list != found; list = list->next)
        rest = binding_new(list->var, value_ref(list->value), rest);
    return rest;
}

/* ---- contexts ----------------------------------------------------------------- */

static asy_context *
context_new(struct binding *bindings)
{
    asy_context *context = asy_alloc(sizeof *context);
    atomic_init(&context->refs, 1);
    atomic_init(&context->entered, false);
    context->bindings = binding_ref(bindings);
    return context;
}

/* The context in force, or NULL: a thread that has never set a variable has none of its own. */
static asy_context *
current_context(void)
{
    struct thread_state *thread = thread_state();
    return thread->context ? thread->context : thread->base_context;
}

static asy_context *
require_current_context(void)
{
    struct thread_state *thread = thread_state();
    if (!thread->context && !thread->base_context) {
        thread_state_keep();
        thread->base_context = context_new(NULL);
    }
    return current_context();
}

/* see context.h */
asy_context *
asy_context_copy_current(void)
{
    asy_context *current = current_context();
    return context_new(current ? current->bindings : NULL);
}

/* see context.h */
asy_context *
asy_context_ref(asy_context *context)
{
    ref(&context->refs);
    return context;
}

/* see context.h */
asy_context *
asy_context_unref(asy_context *context)
{
    if (context && unref(&context->refs)) {
        binding_unref(context->bindings);
        asy_free(context);
    }
    return NULL;
}

/* see context.h */
asy_error *
asy_context_run(asy_context *context, asy_error *(*function)(void *argument), void *argument)
{
    struct thread_state *thread = thread_state();
    asy_context *outer = thread->context;

    if (context == current_context() || atomic_exchange(&context->entered, true))
        RAISE(RuntimeError, "cannot enter context: %p is already entered", (void *)context);
    thread->context = context;
    asy_error *err = function(argument);
    thread->context = outer;
    atomic_store(&context->entered, false);
    return err;
}

/* ---- variables ---------------------------------------------------------------- */

/* see context.h */
asy_context_var *
asy_context_var_new(const char *name)
{
    asy_context_var *var = asy_alloc(sizeof *var);
    atomic_init(&var->refs, 1);
    var->name = alloc_text(name);
    return var;
}

/* see context.h */
asy_context_var *
asy_context_var_unref(asy_context_var *var)
{
    if (var && unref(&var->refs)) {
        asy_free(var->name);
        asy_free(var);
    }
    return NULL;
}

/* see context.h */
void *
asy_context_var_get(const asy_context_var *var, void *fallback)
{
    asy_context *context = current_context();
    struct binding *found = context ? binding_find(context->bindings, var) : NULL;
    return found ? found->value->value : fallback;
}

/* Bind the variable, or leave it unbound for NULL. Steals value. The old list goes last, because
 * dropping a value may run anything. */
static void
rebind(asy_context *context, asy_context_var *var, struct value *value)
{
    struct binding *old = context->bindings;
    struct binding *rest = binding_list_without(old, var);

    context->bindings = value ? binding_new(var, value, rest) : rest;
    binding_unref(old);
}

/* see context.h */
void
asy_context_var_set(asy_context_var *var, void *value, void (*drop)(void *value),
                    asy_context_token **ret_token)
{
    asy_context *context = require_current_context();
    struct value *box = asy_alloc(sizeof *box);
    atomic_init(&box->refs, 1);
    box->value = value;
    box->drop = drop;

    if (ret_token) {
        struct binding *old = binding_find(context->bindings, var);
        asy_context_token *token = asy_alloc(sizeof *token);
        token->context = asy_context_ref(context);
        token->var = var_ref(var);
        token->old = old ? value_ref(old->value) : NULL;
        *ret_token = token;
    }
    rebind(context, var, box);
}

/* see context.h */
asy_error *
asy_context_var_reset(asy_context_token *token)
{
    asy_error *err = ASY_OK;

    if (token->context == current_context())
        rebind(token->context, token->var, value_ref(token->old));
    else
        err = asy_error_new(ASY_ValueError, "the token of %s was created in a different Context",
                            token->var->name);
    asy_context_token_free(token);
    return err;
}

/* see context.h */
void
asy_context_token_free(asy_context_token *token)
{
    if (!token)
        return;
    value_unref(token->old);
    asy_context_var_unref(token->var);
    asy_context_unref(token->context);
    asy_free(token);
}
