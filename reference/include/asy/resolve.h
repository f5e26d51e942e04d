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

/* await loop.getnameinfo(sockaddr, flags): the names of a host and a service.
 *
 * address  of so many bytes, which are copied.
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
