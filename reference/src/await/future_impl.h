/* SPDX-License-Identifier: MIT */
/*
 * What a task calls of the future that it is: super().set_result(), where asy_future_set_result()
 * would refuse, and super().cancel(), where asy_future_cancel() would ask the task.
 */
#ifndef AWAIT_FUTURE_IMPL_H
#define AWAIT_FUTURE_IMPL_H

#include <asy/error.h>
#include <asy/future.h>

/* ---- future.c: the methods of the class itself ---------------------------------- */

/* Future.set_result(): steals the result. */
asy_error *future_set_result(asy_future *future, void *result,
                             void (*drop)(void *result)) ASY_MUST_CHECK;

/* Future.set_exception(): steals the exception. */
asy_error *future_set_exception(asy_future *future, asy_error *exception) ASY_MUST_CHECK;

/* Future.cancel(): ret_cancelled may be NULL. */
asy_error *future_cancel(asy_future *future, const void *message,
                         bool *ret_cancelled) ASY_MUST_CHECK;

/* future._cancel_message = message, which is copied. */
void future_set_cancel_message(asy_future *future, const void *message);

/* ---- future_callbacks.c --------------------------------------------------------- */

/* Queue every callback of a future that is done now. The future has none afterwards. */
asy_error *future_schedule_callbacks(asy_future *future) ASY_MUST_CHECK;

/* Forget every callback. */
void future_release_callbacks(asy_future *future);

#endif
