/* SPDX-License-Identifier: MIT */
/*
 * Sockets without a transport: what socket.recv() and its siblings do, as coroutines.
 *
 * Each tries at once. Where the system says "not now", it waits until the loop finds the
 * descriptor ready, and tries again. So a coroutine that need not wait does not suspend, and lets
 * nobody else run.
 *
 * Cancelling one removes its watch. It takes nothing away: bytes, datagrams and connections are
 * taken from the system by the coroutine itself when it goes on, never while it waits; whoever asks
 * next gets them. (asyncio takes them one iteration earlier, where a cancellation can still lose
 * them.) Only what sock_sendall() and sock_sendfile() have sent is sent.
 *
 * One coroutine waits for one purpose of a descriptor, as with add_reader() and add_writer(): the
 * next one that does takes the watch over, and the first waits until it is cancelled.
 *
 * Descriptors stay the caller's, as buffers and addresses do, which must live until the coroutine
 * has ended. A descriptor has to be non-blocking, or the whole loop waits with it; debug mode
 * raises ValueError("the socket must be non-blocking") instead.
 */
#ifndef ASY_SOCKET_H
#define ASY_SOCKET_H

#include <asy/coro.h>
#include <asy/future.h>
#include <asy/handle.h>
#include <asy/types.h>
#include <sys/socket.h>

ASY_BEGIN_DECLARATIONS

/* An address of any family, as bind() and connect() take it. */
struct asy_address {
    socklen_t               length;                 /* of what is used; 0: there is none */
    struct sockaddr_storage storage;
};

/* ---- sock_receive.c --------------------------------------------------------- */

/* loop.sock_recv_into(sock, buf) -> int: receive what there is, at most size bytes.
 *
 * Returns  in *ret_count how many bytes; 0: the peer has ended the stream; or the datagram was
 *          empty; or size is 0, for which it neither asks the system nor waits.
 * Raises   OSError; ValueError: see above; RuntimeError: the loop is closed, and it has to wait.
 * Spec     sock_recv.eof, sock_recv.nonblocking, sock_recv.waits, sock_recv.cancel,
 *          sock_recv_into.count, sock_recv_into.nonblocking
 */
ASY_API asy_coro *asy_sock_recv(asy_loop *loop, int sock, void *buffer, size_t size,
                                size_t *ret_count);

/* loop.sock_recvfrom_into(sock, buf, nbytes) -> (int, address): receive a datagram, of which what
 * is longer than size is lost, even all of it; or, from a stream, what asy_sock_recv() would.
 *
 * Returns  in *ret_count how many bytes, and in *ret_from, which may be NULL, who sent it: of
 *          length 0 if that has no address. It waits for a datagram whatever size is.
 * Raises   as asy_sock_recv().
 * Spec     sock_recvfrom.tuple, sock_recvfrom_into.tuple, sock_recvfrom.nonblocking,
 *          sock_recvfrom_into.nonblocking
 */
ASY_API asy_coro *asy_sock_recvfrom(asy_loop *loop, int sock, void *buffer, size_t size,
                                    size_t *ret_count, asy_address *ret_from);

/* ---- sock_send.c ------------------------------------------------------------ */

/* loop.sock_sendall(sock, data): send all, in as many pieces as it takes.
 *
 * Raises   as asy_sock_recv(). Nobody knows then how much has been sent; nor after cancelling.
 * Spec     sock_sendall.all, sock_sendall.none, sock_sendall.error, sock_sendall.nonblocking
 */
ASY_API asy_coro *asy_sock_sendall(asy_loop *loop, int sock, const void *data, size_t size);

/* loop.sock_sendto(sock, data, address) -> int: send one datagram.
 *
 * address  NULL: to whom the socket is connected.
 * Returns  in *ret_count how many bytes.
 * Raises   as asy_sock_recv().
 * Spec     sock_sendto.count, sock_sendto.nonblocking
 */
ASY_API asy_coro *asy_sock_sendto(asy_loop *loop, int sock, const void *data, size_t size,
                                  const asy_address *address, size_t *ret_count);

/* ---- sock_sendfile.c -------------------------------------------------------- */

/* loop.sock_sendfile(sock, file, offset, count, fallback=...) -> int: send a file, from the offset
 * on, by the system's sendfile().
 *
 * count    how many bytes; 0: to the end of the file, which is where its size says (Python's None):
 *          of a file without one, such as those of the system, nothing.
 * fallback what the system does not send is read, in the loop's default executor, and sent; for
 *          that the file has to have a position. (Python's default.)
 * Returns  in *ret_sent how many bytes. The file's position is behind the last of them; so it is
 *          after an error, and after cancelling. What was read to be sent counts by whole blocks.
 * Raises   SendfileNotAvailableError: without the fallback, not this file, not this socket, or not
 *          on this system; then nothing has been sent. ValueError: no stream socket; offset. As
 *          asy_sock_recv().
 * Spec     sock_sendfile.total, sock_sendfile.os-sendfile, sock_sendfile.stream-nonblocking,
 *          sock_sendfile.offset-count, sock_sendfile.position, sock_sendfile.fallback-true,
 *          sock_sendfile.fallback-false
 */
ASY_API asy_coro *asy_sock_sendfile(asy_loop *loop, int sock, int file, int64_t offset,
                                    size_t count, bool fallback, size_t *ret_sent);

/* ---- sock_connect.c --------------------------------------------------------- */

/* loop.sock_connect(sock, address), for an address that needs no resolving. It is copied.
 *
 * Cancelling it leaves the system connecting: close the socket.
 *
 * Raises   OSError: Connect call failed (address), and others; as asy_sock_recv(). BlockingIOError
 *          (EAGAIN): a Unix socket whose queue of connections is full; nothing tells when to try
 *          again.
 * Spec     sock_connect.connects, sock_connect.nonblocking, sock_connect.refused
 */
ASY_API asy_coro *asy_sock_connect(asy_loop *loop, int sock, const asy_address *address);

/* ---- sock_accept.c ---------------------------------------------------------- */

/* loop.sock_accept(sock) -> (conn, address): take the next connection of a listening socket.
 *
 * Returns  in *ret_sock its descriptor, which is the caller's: non-blocking, closed on exec. In
 *          *ret_from, which may be NULL, the address of the peer.
 * Raises   as asy_sock_recv().
 * Spec     sock_accept.pair, sock_accept.listening, sock_accept.nonblocking,
 *          sock_accept.conn-nonblocking
 */
ASY_API asy_coro *asy_sock_accept(asy_loop *loop, int sock, int *ret_sock,
                                  asy_address *ret_from);

/* ---- ready.c: for who writes such coroutines -------------------------------- */

/* Waiting until a descriptor is ready, as a field of a frame that is zeroed:
 *
 *     TRY(asy_ready_begin(&self->ready, self->loop, self->sock, ASY_READABLE));
 *     AWAIT(self->ready.future);
 *     asy_ready_end(&self->ready);
 *
 * FINALLY calls asy_ready_end(), too. The system may find that the descriptor is not ready after
 * all: try, and wait again.
 */
typedef enum asy_ready_for {
    ASY_READABLE,
    ASY_WRITABLE
} asy_ready_for;

typedef struct asy_ready {
    asy_loop     *loop;                             /* borrowed */
    int           fd;
    asy_ready_for what;
    asy_future   *future;                           /* done when the descriptor is ready; owned */
    asy_handle   *handle;                           /* the watch; owned. NULL: it does not wait */
} asy_ready;

/* Begin to watch.
 *
 * Raises   RuntimeError: the loop is closed. As asy_loop_add_reader().
 */
ASY_API asy_error *asy_ready_begin(asy_ready *self, asy_loop *loop, int fd,
                                   asy_ready_for what) ASY_MUST_CHECK;

/* The same with another callback, which is called in each iteration in which the descriptor is
 * ready. It fulfils self->future when the wait is over, and does nothing when that is done. A
 * callback of the frame's own borrows the frame: asy_borrow(callback, self).
 *
 * Steals   callback.
 */
ASY_API asy_error *asy_ready_begin_with(asy_ready *self, asy_loop *loop, int fd,
                                        asy_ready_for what,
                                        asy_callback callback) ASY_MUST_CHECK;

/* Stop watching, unless somebody has taken the watch over, and give back what it holds. Of one
 * that does not wait, nothing.
 */
ASY_API void asy_ready_end(asy_ready *self);

ASY_END_DECLARATIONS

#endif
