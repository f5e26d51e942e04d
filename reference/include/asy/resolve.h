/* SPDX-License-Identifier: MIT */
/*
 * Name resolution: getaddrinfo(3) and getnameinfo(3), which may take long, in the default executor
 * of a loop. If that has no free thread, they wait for one.
 *
 * Errors of resolution are gaierror: an OSError whose errnum is one of the EAI_... numbers.
 */
#ifndef ASY_RESOLVE_H
#define ASY_RESOLVE_H

#include <asy/types.h>
#include <sys/socket.h>

ASY_BEGIN_DECLARATIONS

struct addrinfo;                    /* <netdb.h>, where POSIX is asked for */

/* await loop.getaddrinfo(host, port, family=, type=, proto=, flags=): the addresses of a host.
 *
 * An answer that asy_getaddrinfo_literal() has is given at once: without a thread, and without
 * suspending the coroutine. Not so in debug mode; nor if the program has set a default executor,
 * or shut it down, or has filled all of its threads: then it is the executor that is waited for.
 *
 * Debug mode logs the question and how long the answer took, at level INFO if that is as long as a
 * slow callback.
 *
 * host     a name or an address; NULL: this machine. As service, copied.
 * service  a port number or the name of a service; NULL: none, and every port of the answer is 0.
 * hints    family, type, protocol and flags, which are copied; NULL: zero everywhere.
 * Returns  in *ret_addresses, when the coroutine ends, a list for freeaddrinfo(3).
 * Raises   gaierror, OSError; as asy_run_in_executor().
 * Spec     getaddrinfo.async, getaddrinfo.defaults, getaddrinfo.nonblocking, dns.coroutines-3.7,
 *          dns.default-executor, dns.saturation-delays, dns.error
 */
ASY_API asy_coro *asy_getaddrinfo(asy_loop *loop, const char *host, const char *service,
                                  const struct addrinfo *hints, struct addrinfo **ret_addresses);

/* The answer to a question that needs no resolver, because host is an address in digits, service
 * is a number or NULL, and no flags are given. Does not wait.
 *
 * hints    as for asy_getaddrinfo().
 * Returns  whether there is such an answer, and in *ret_addresses a list for freeaddrinfo(3), the
 *          same that asy_getaddrinfo() returns. False says nothing about the host: ask that.
 * Thread   any
 */
ASY_API bool asy_getaddrinfo_literal(const char *host, const char *service,
                                     const struct addrinfo *hints,
                                     struct addrinfo **ret_addresses);

/* await loop.getnameinfo(sockaddr, flags): the names of a host and a service.
 *
 * address  of so many bytes, which are copied; NULL, if these are 0: of no family.
 * flags    of getnameinfo(3), such as NI_NUMERICHOST.
 * Returns  in *ret_host and *ret_service, when the coroutine ends, texts for asy_free().
 * Raises   gaierror, OSError; ValueError: the address is longer than any; as
 *          asy_run_in_executor().
 * Spec     getnameinfo.async
 */
ASY_API asy_coro *asy_getnameinfo(asy_loop *loop, const struct sockaddr *address, socklen_t size,
                                  int flags, char **ret_host, char **ret_service);

ASY_END_DECLARATIONS

#endif
