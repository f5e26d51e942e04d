/* SPDX-License-Identifier: MIT */
/* The table through which the library asks Python: see asy/host.h. */
#ifndef PYTHON_HOST_H
#define PYTHON_HOST_H

#include <asy/host.h>

/* host_data is the LoopObject. */
extern const asy_host python_host;

/* The same for loops of a class that overrides time(). */
extern const asy_host python_host_with_time;

/* ---- host_tasks.c --------------------------------------------------------------- */

void *python_host_message_copy(void *host, const void *message);
void python_host_message_unref(void *host, void *message);
asy_error *python_host_cancelled_error(void *host, const void *message);
asy_future *python_host_future_new(void *host);
asy_error *python_host_register_task(void *host, asy_task *task);
asy_error *python_host_unregister_task(void *host, asy_task *task);
asy_error *python_host_enter_task(void *host, asy_task *task);
asy_error *python_host_leave_task(void *host, asy_task *task);
asy_error *python_host_swap_current_task(void *host, asy_task *task, void **ret_outer);
void python_host_restore_current_task(void *host, void *outer);

#endif
