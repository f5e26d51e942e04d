/* SPDX-License-Identifier: MIT */
/*
 * The real functions behind the interposed ones, looked up once.
 *
 * They are looked up when the library is loaded. Other libraries' constructors may run before
 * that: for their waits real() looks the functions up on first use. The three that tell the
 * time may even be called by the lookup itself, so they have functions of their own, which
 * never look anything up.
 *
 * A function that this C library lacks is NULL here; so says the list.
 */
#ifndef LOOPCHECK_REAL_FUNCTIONS_H
#define LOOPCHECK_REAL_FUNCTIONS_H

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* The definition of an interposed function starts with it; everything else in the library is
 * hidden. */
#define EXPORT __attribute__((visibility("default")))

/* Declared here because an older C library's headers, or any program's, do not have them. */
int epoll_pwait2(int epfd, struct epoll_event *events, int maxevents,
                 const struct timespec *timeout, const sigset_t *sigmask);
int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *deadline);
int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *deadline);
int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock,
                            const struct timespec *deadline);
int __poll_chk(struct pollfd *fds, nfds_t nfds, int timeout, size_t fds_size);
int __ppoll_chk(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout,
                const sigset_t *sigmask, size_t fds_size);

#define REAL_FUNCTIONS(X) \
    X(clock_gettime) X(gettimeofday) X(time) \
    X(epoll_wait) X(epoll_pwait) X(epoll_pwait2 /* may be NULL */) \
    X(poll) X(ppoll) X(__poll_chk) X(__ppoll_chk) X(select) X(pselect) \
    X(nanosleep) X(clock_nanosleep) X(usleep) X(sleep) \
    X(sem_timedwait) X(sem_clockwait /* may be NULL */) \
    X(pthread_cond_timedwait) X(pthread_cond_clockwait /* may be NULL */) \
    X(pthread_mutex_timedlock) X(pthread_mutex_clocklock /* may be NULL */)

struct real_functions {
#define DECLARE(name) __typeof__(&name) name;
    REAL_FUNCTIONS(DECLARE)
#undef DECLARE
};

const struct real_functions *real(void);

/* As the functions of these names, at any moment of the process's life. */
int real_clock_gettime(clockid_t clock, struct timespec *ret_time);
int real_gettimeofday(struct timeval *ret_time, void *ret_zone);
time_t real_time(time_t *ret_time);

#endif
