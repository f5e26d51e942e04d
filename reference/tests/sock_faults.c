/* SPDX-License-Identifier: MIT */
/* See sock_faults.h. */
#include "sock_faults.h"

#include "io/sock_calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/* ---- the unhelpful system ------------------------------------------------------------ */

static int calls;

/* -1 and an errno, in turn: EAGAIN, EINTR, and then the real call, EINTR, the real call, ... */
static bool
refuses(void)
{
    calls++;
    errno = calls == 1 ? EAGAIN : EINTR;
    return calls % 2 == 0 || calls == 1;
}

static ssize_t
receive(int sock, void *buffer, size_t size, asy_address *ret_from)
{
    if (refuses())
        return -1;
    return system_sock_calls.receive(sock, buffer, ret_from ? size : 1, ret_from);
}

static ssize_t
send_some(int sock, const void *data, size_t size, const asy_address *to)
{
    if (refuses())
        return -1;
    return system_sock_calls.send(sock, data, to ? size : 1, to);
}

static int
connect_in_background(int sock, const asy_address *address)
{
    calls++;
    if (system_sock_calls.connect(sock, address) == 0 || errno == EINPROGRESS) {
        errno = EINTR;
        return -1;
    }
    return -1;
}

static int
connect_result(int sock, int *ret_errnum)
{
    if (!refuses())
        return system_sock_calls.connect_result(sock, ret_errnum);
    *ret_errnum = EINPROGRESS;
    return 0;
}

static int
accept_one(int sock, asy_address *ret_from)
{
    return refuses() ? -1 : system_sock_calls.accept(sock, ret_from);
}

static ssize_t
send_file(int sock, int file, int64_t offset, size_t size)
{
    return refuses() ? -1 : system_sock_calls.send_file(sock, file, offset, size > 0);
}

static const struct sock_calls faulty_calls = {
    .receive = receive,
    .send = send_some,
    .connect = connect_in_background,
    .connect_result = connect_result,
    .accept = accept_one,
    .send_file = send_file,
};

/* As if the process had no descriptors left. */
static int
accept_nothing(int sock, asy_address *ret_from)
{
    (void)sock, (void)ret_from;
    errno = EMFILE;
    return -1;
}

static const struct sock_calls exhausted_calls = { .accept = accept_nothing };

void
sock_faults_begin(void)
{
    calls = 0;
    sock_calls = &faulty_calls;
}

void
sock_faults_no_descriptors(void)
{
    sock_calls = &exhausted_calls;
}

void
sock_faults_end(void)
{
    sock_calls = &system_sock_calls;
}

int
sock_faults_count(void)
{
    return calls;
}

/* ---- sockets ------------------------------------------------------------------------- */

asy_address
socket_address(int sock)
{
    asy_address address = { .length = sizeof address.storage };

    assert_int_equal(getsockname(sock, (struct sockaddr *)&address.storage, &address.length), 0);
    return address;
}

static int
new_bound_socket(int type)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    int sock = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(sock >= 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(sock, (const struct sockaddr *)&address, sizeof address), 0);
    return sock;
}

int
new_datagram_socket(void)
{
    return new_bound_socket(SOCK_DGRAM);
}

int
new_listening_socket(void)
{
    int sock = new_bound_socket(SOCK_STREAM);

    assert_int_equal(listen(sock, 8), 0);
    return sock;
}

void
peer_send(int sock, const char *text)
{
    assert_int_equal(write(sock, text, strlen(text)), (ssize_t)strlen(text));
}

void
require_received(int sock, const char *text)
{
    char buffer[64] = { 0 };
    ssize_t count = read(sock, buffer, sizeof buffer - 1);

    assert_int_equal(count, (ssize_t)strlen(text));
    assert_string_equal(buffer, text);
}
