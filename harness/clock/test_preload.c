/* SPDX-License-Identifier: MIT */
/*
 * A program that does not know the library, started with LD_PRELOAD, as a target's interpreter
 * is. It switches the clock on by name and sleeps for an hour. Exit status 0: that was at once,
 * and it was off before.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t
real_seconds(void)
{
    struct timespec now;
    return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) == 0 ? now.tv_sec : -1;
}

static int
fail(const char *reason)
{
    fprintf(stderr, "test_preload: %s\n", reason);
    return 1;
}

int
main(void)
{
    void (*switch_on)(void);
    int (*is_active)(void);
    void *found_on = dlsym(RTLD_DEFAULT, "loopcheck_clock_on");
    void *found_active = dlsym(RTLD_DEFAULT, "loopcheck_clock_active");
    if (found_on == NULL || found_active == NULL)
        return fail("the library is not loaded: start this program with LD_PRELOAD");
    memcpy(&switch_on, &found_on, sizeof switch_on);
    memcpy(&is_active, &found_active, sizeof is_active);
    if (is_active())
        return fail("the clock is on before anybody switched it on");

    switch_on();
    time_t before = time(NULL);
    int64_t really_before = real_seconds();
    if (sleep(3600) != 0 || time(NULL) - before < 3600)
        return fail("an hour's sleep did not move the clock by an hour");
    if (real_seconds() - really_before > 36)
        return fail("an hour's sleep took real time");
    return 0;
}
