/* SPDX-License-Identifier: MIT */
/*
 * A system that does only what it has promised, below the library: the linker sends the library's
 * system calls here (ld -r --wrap, see CMakeLists.txt), and not those of the tests.
 *
 * In the fault build (ASY_FAULTS) these faults are on in every test:
 *   - What waits or may be interrupted is interrupted first and works the second time: EINTR.
 *     Waiting for a condition variable ends once for no reason. What connects goes on alone after
 *     EINTR, and what closes has closed.
 *   - What is received is one byte. A datagram is whole: the rest of it would be lost.
 *   - What is sent on a non-blocking descriptor is refused first: EAGAIN. That is not so for
 *     send(), nor for one byte that is written to a pipe: so the loop is woken, and its self-pipe
 *     is never full.
 *
 * In every build a test can have one allocation of a descriptor fail, whichever it wants.
 *
 * What libc calls by itself, as in getaddrinfo(), does not come here.
 */
#ifndef TESTS_SYSTEM_FAULTS_H
#define TESTS_SYSTEM_FAULTS_H

#include <stdbool.h>

#ifdef ASY_FAULTS
#define UNDER_FAULTS 1
#else
#define UNDER_FAULTS 0
#endif

/* How much of what is there the library receives at once from a stream. It is all that the fault
 * build changes in what the tests have to see. */
#define RECEIVED_AT_ONCE(size) (UNDER_FAULTS ? 1 : (size))

/* From now on count the library's allocations of descriptors (socket, accept4, epoll_create1, ...)
 * from 1, and have number n fail with EMFILE; 0: none. */
void system_faults_fail_allocation(int n);

/* How many there have been since then. */
int system_faults_allocations(void);

/* Have the next send() or write() fail, whatever it sends. */
void system_faults_fail_send(int errnum);

/* How often a call has failed with this errno, in the whole process; 0: was shortened. */
long system_faults_count(int errnum);

#endif
