/* SPDX-License-Identifier: MIT */
/*
 * Addresses that need no resolver: those that are written in digits.
 *
 * The answer is that of getaddrinfo(3) itself, which is told that host and service are numbers.
 * Then it asks nobody and does not wait, and what it answers is what it would have answered in a
 * thread: with the kinds of socket, the order and the errors of this system's library. Nothing of
 * that is known here, but which texts are numbers beyond doubt. "127.1" and "fe80::1%eth0" are not.
 */
#include <arpa/inet.h>
#include <asy/resolve.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

static bool
is_address(const char *host)
{
    struct in6_addr address;            /* has room for one of the other family */

    return host && (inet_pton(AF_INET, host, &address) == 1
                    || inet_pton(AF_INET6, host, &address) == 1);
}

/* A port is at most 65535, but that is for getaddrinfo(3) to say. */
static bool
is_number(const char *service)
{
    size_t digits = strspn(service, "0123456789");
    return digits > 0 && digits <= 5 && service[digits] == '\0';
}

/* see resolve.h */
bool
asy_getaddrinfo_literal(const char *host, const char *service, const struct addrinfo *hints,
                        struct addrinfo **ret_addresses)
{
    struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };

    if (!is_address(host) || (service && !is_number(service)) || (hints && hints->ai_flags != 0))
        return false;
    if (hints) {
        numeric.ai_family = hints->ai_family;
        numeric.ai_socktype = hints->ai_socktype;
        numeric.ai_protocol = hints->ai_protocol;
    }
    return getaddrinfo(host, service, &numeric, ret_addresses) == 0;
}
