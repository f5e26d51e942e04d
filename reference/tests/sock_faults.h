/* SPDX-License-Identifier: MIT */
/*
 * A system that is as unhelpful as it may be, for the socket coroutines.
 *
 * While faults are on, the first try of each coroutine is told "not now", each call after that is
 * interrupted once, and what is received or sent is one byte at a time.
 */
#ifndef TESTS_SOCK_FAULTS_H
#define TESTS_SOCK_FAULTS_H

#include "testing.h"

/* Switch the faults on, and off. Or let accept() find no descriptor left. */
void sock_faults_begin(void);
void sock_faults_no_descriptors(void);
void sock_faults_end(void);

/* How many calls have been interrupted or told "not now" since they are on. */
int sock_faults_count(void);

/* The address that a socket is bound to. */
asy_address socket_address(int sock);

/* A non-blocking socket for datagrams, bound to the loopback address; and one that listens. */
int new_datagram_socket(void);
int new_listening_socket(void);

/* Receive or send with blocking semantics: the other end of what is tested. */
void peer_send(int sock, const char *text);
void require_received(int sock, const char *text);

#endif
