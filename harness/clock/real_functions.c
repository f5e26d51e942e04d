/* SPDX-License-Identifier: MIT */
/* See real_functions.h. */
#include "real_functions.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>

static struct real_functions functions;
static bool looked_up;

static void
look_up(const char *name, void *ret_function)
{
    void *found = NULL;
#ifdef __GLIBC__
    /* On x86 there are two, and the older one has another pthread_cond_t. */
    if (strcmp(name, "pthread_cond_timedwait") == 0)
        found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
#endif
    if (found == NULL)
        found = dlsym(RTLD_NEXT, name);
    /* C has no cast from a pointer to an object to a pointer to a function. */
    memcpy(ret_function, &found, sizeof found);
}

__attribute__((constructor)) static void
look_up_all(void)
{
#define LOOK_UP(name) look_up(#name, &functions.name);
    REAL_FUNCTIONS(LOOK_UP)
#undef LOOK_UP
    looked_up = true;
}

const struct real_functions *
real(void)
{
    if (!looked_up)
        look_up_all();
    return &functions;
}

int
real_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    if (functions.clock_gettime == NULL)
        return (int)syscall(SYS_clock_gettime, clock, ret_time);
    return functions.clock_gettime(clock, ret_time);
}

int
real_gettimeofday(struct timeval *ret_time, void *ret_zone)
{
    if (functions.gettimeofday == NULL)
        return (int)syscall(SYS_gettimeofday, ret_time, ret_zone);
    return functions.gettimeofday(ret_time, ret_zone);
}

/* Some machines have no system call time; the clock that it would read does the same. */
time_t
real_time(time_t *ret_time)
{
    struct timespec now;

    if (functions.time != NULL)
        return functions.time(ret_time);
    if (real_clock_gettime(CLOCK_REALTIME_COARSE, &now) != 0)
        return -1;
    if (ret_time != NULL)
        *ret_time = now.tv_sec;
    return now.tv_sec;
}
