/* SPDX-License-Identifier: MIT */
/* What surrounds a run in the interpreter: running loop, async generators, coroutine origins. */
#ifndef PYTHON_RUNNING_H
#define PYTHON_RUNNING_H

#include "loop_type.h"

#include <asy/error.h>

/* _run_forever_setup, without its checks. */
asy_error *enter_run(LoopObject *self);

/* _run_forever_cleanup: every part of it, even if enter_run() or a part before has failed. The
 * first error. */
asy_error *leave_run(LoopObject *self);

/* _set_coroutine_origin_tracking(enabled): in debug mode every coroutine remembers where it was
 * made. */
asy_error *track_origins(LoopObject *self, bool enabled);

#endif
