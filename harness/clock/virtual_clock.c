/* SPDX-License-Identifier: MIT */
/*
 * The state of the virtual clock, and the three functions that tell the time. virtual_clock.h
 * has the ideas.
 *
 * Three numbers are the whole state: virtual_ns, the last value of the virtual monotonic clock;
 * skew_ns, its distance to the real one; and the offset of each other clock, fixed at the
 * start.
 *
 *   alone       virtual_ns moves by steps and jumps, and skew_ns is set anew after each:
 *               real time does not count.
 *   not alone   skew_ns stays, and virtual_ns is the real clock plus skew_ns:
 *               real time counts, from the last look.
 *
 * There is no lock that a signal handler, a fork or a preempted thread could leave taken. While
 * not alone, virtual_ns is only ever raised by compare-and-exchange. While alone there is one
 * thread, and what may come between its instructions is a signal handler: virtual_ns is added
 * to atomically, and follow_real_clock() repeats when it moved.
 */
#include "virtual_clock.h"

#include "clock_state.h"
#include "real_functions.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

_Static_assert(sizeof(time_t) == 8 && sizeof(long) == 8, "the virtual clock needs a 64-bit system");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "the virtual clock needs lock-free 64-bit atomics");

#define LOOK_NS NS_PER_US           /* what one look adds while alone */
#define LINKS_OF_ONE_THREAD 3       /* of /proc/self/task: one a thread, and two as any directory */

/* The clocks that follow virtual time. */
static const clockid_t virtual_clocks[] = {
    CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_TAI,
    CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_COARSE,
};
#define CLOCK_COUNT (sizeof virtual_clocks / sizeof virtual_clocks[0])
#define CLOCK_ID_LIMIT (CLOCK_TAI + 1)

/* Written by loopcheck_clock_on() before is_on, read-only afterwards. */
static pid_t owner_process;
static pid_t owner_thread;
static bool has_offset[CLOCK_ID_LIMIT];
static int64_t offsets[CLOCK_ID_LIMIT];     /* clock minus the monotonic clock */

static atomic_bool is_on;
static _Atomic int64_t virtual_ns;
static _Atomic int64_t skew_ns;
static _Atomic int64_t jumped_ns;
static _Atomic int64_t passed_ns;

/* ---- conversions ----------------------------------------------------------- */

bool
timespec_is_valid(const struct timespec *time)
{
    return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < NS_PER_SECOND;
}

int64_t
timespec_to_ns(const struct timespec *time)
{
    if (time->tv_sec < 0)
        return 0;
    if (time->tv_sec >= END_OF_TIME_NS / NS_PER_SECOND)
        return END_OF_TIME_NS;
    return time->tv_sec * NS_PER_SECOND + time->tv_nsec;
}

struct timespec
timespec_from_ns(int64_t ns)
{
    if (ns < 0)
        ns = 0;
    return (struct timespec){ .tv_sec = ns / NS_PER_SECOND, .tv_nsec = ns % NS_PER_SECOND };
}

/* ---- alone or not ---------------------------------------------------------- */

static pid_t
current_thread(void)
{
    return (pid_t)syscall(SYS_gettid);      /* not gettid(): the C library has it since 2.30 only */
}

bool
clock_is_on(void)
{
    return atomic_load_explicit(&is_on, memory_order_acquire);
}

/* One thread id answers for threads, forked and vforked children at once: none of them has the
 * owner's. */
bool
clock_is_owner(void)
{
    return current_thread() == owner_thread;
}

/* A bare system call, because waitid() is a cancellation point and clock_gettime() must not
 * become one. */
static bool
has_child(void)
{
    int options = WEXITED | WNOHANG | WNOWAIT;
    siginfo_t unused; /* the kernel takes NULL, valgrind does not */
    return syscall(SYS_waitid, P_ALL, 0, &unused, options, NULL) == 0 || errno != ECHILD;
}

/* Where /proc is missing, nobody is ever found alone, and time passes for real. */
static bool
has_other_thread(void)
{
    struct stat tasks;
    return stat("/proc/self/task", &tasks) != 0 || tasks.st_nlink != LINKS_OF_ONE_THREAD;
}

bool
clock_is_alone(void)
{
    int saved_errno = errno;
    bool alone = !has_child() && !has_other_thread();
    errno = saved_errno;
    return alone;
}

/* ---- moving time ----------------------------------------------------------- */

static int64_t
real_ns(clockid_t clock)
{
    struct timespec now;
    return real_clock_gettime(clock, &now) == 0 ? timespec_to_ns(&now) : 0;
}

/* Real time up to now does not count. Repeated when a signal handler moved the clock in
 * between. */
static void
follow_real_clock(void)
{
    int64_t seen;
    do {
        seen = atomic_load(&virtual_ns);
        atomic_store(&skew_ns, seen - real_ns(CLOCK_MONOTONIC));
    } while (seen != atomic_load(&virtual_ns));
}

/* A look of the alone owner. */
static int64_t
step(void)
{
    int64_t now = atomic_fetch_add(&virtual_ns, LOOK_NS) + LOOK_NS;
    follow_real_clock();
    return now;
}

int64_t
clock_pass(void)
{
    int64_t before = atomic_load(&virtual_ns);
    int64_t target = real_ns(CLOCK_MONOTONIC) + atomic_load(&skew_ns);
    int64_t now;
    do {
        now = target > before + LOOK_NS ? target : before + LOOK_NS;
    } while (!atomic_compare_exchange_weak(&virtual_ns, &before, now));
    atomic_fetch_add(&passed_ns, now - before);
    return now;
}

bool
clock_can_jump(int64_t duration)
{
    int64_t most = END_OF_TIME_NS - atomic_load(&virtual_ns);
    return clock_is_owner() && duration <= most && clock_is_alone();
}

void
clock_jump(int64_t duration)
{
    atomic_fetch_add(&virtual_ns, duration);
    atomic_fetch_add(&jumped_ns, duration);
    follow_real_clock();
}

/* ---- the clocks ------------------------------------------------------------ */

bool
clock_is_virtual(clockid_t clock)
{
    return clock >= 0 && clock < CLOCK_ID_LIMIT && has_offset[clock];
}

int64_t
clock_look(clockid_t clock)
{
    int64_t monotonic = clock_is_owner() && clock_is_alone() ? step() : clock_pass();
    return monotonic + offsets[clock];
}

static struct timespec
look_at(clockid_t clock)
{
    return timespec_from_ns(clock_look(clock));
}

EXPORT int
clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    if (!clock_is_on() || !clock_is_virtual(clock))
        return real_clock_gettime(clock, ret_time);
    *ret_time = look_at(clock);
    return 0;
}

EXPORT int
gettimeofday(struct timeval *restrict ret_time, void *restrict ret_zone)
{
    int status = real_gettimeofday(ret_time, ret_zone);     /* it fills in *ret_zone, too */
    if (!clock_is_on() || status != 0)
        return status;
    struct timespec now = look_at(CLOCK_REALTIME);
    *ret_time = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / NS_PER_US };
    return 0;
}

EXPORT time_t
time(time_t *ret_time)
{
    if (!clock_is_on())
        return real_time(ret_time);
    struct timespec now = look_at(CLOCK_REALTIME);
    if (ret_time != NULL)
        *ret_time = now.tv_sec;
    return now.tv_sec;
}

/* ---- the exported interface ------------------------------------------------ */

static void
note_offsets(int64_t start)
{
    for (size_t i = 0; i < CLOCK_COUNT; i++) {
        struct timespec now;
        clockid_t clock = virtual_clocks[i];
        has_offset[clock] = real_clock_gettime(clock, &now) == 0;
        offsets[clock] = has_offset[clock] ? timespec_to_ns(&now) - start : 0;
    }
    offsets[CLOCK_MONOTONIC] = 0;
}

EXPORT void
loopcheck_clock_on(void)
{
    if (loopcheck_clock_active())
        return;
    int64_t start = real_ns(CLOCK_MONOTONIC);
    atomic_store(&is_on, false);
    note_offsets(start);
    owner_process = getpid();
    owner_thread = current_thread();
    atomic_store(&virtual_ns, start);
    atomic_store(&skew_ns, 0);
    atomic_store(&jumped_ns, 0);
    atomic_store(&passed_ns, 0);
    atomic_store_explicit(&is_on, true, memory_order_release);
}

EXPORT int64_t
loopcheck_clock_jumped_ns(void)
{
    return atomic_load(&jumped_ns);
}

EXPORT int64_t
loopcheck_clock_passed_ns(void)
{
    return atomic_load(&passed_ns);
}

EXPORT int
loopcheck_clock_active(void)
{
    return clock_is_on() && getpid() == owner_process;
}
