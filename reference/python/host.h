/* SPDX-License-Identifier: MIT */
/* The table through which the library asks Python: see asy/host.h. */
#ifndef PYTHON_HOST_H
#define PYTHON_HOST_H

#include <asy/host.h>

/* host_data is the LoopObject. */
extern const asy_host python_host;

/* The same for loops of a class that overrides time(). */
extern const asy_host python_host_with_time;

#endif
