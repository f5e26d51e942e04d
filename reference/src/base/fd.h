/* SPDX-License-Identifier: MIT */
/*
 * Descriptors as this library makes them: never blocking, closed on exec.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <asy/error.h>

/* socket.socketpair(), both ends non-blocking.
 *
 * Raises   OSError.
 */
asy_error *fd_socket_pair(int ret_fds[2]) ASY_MUST_CHECK;

/* os.pipe(), both ends non-blocking: the first is read from, the second written to.
 *
 * Raises   OSError.
 */
asy_error *fd_pipe(int ret_fds[2]) ASY_MUST_CHECK;

/* Close a descriptor and forget its number: *fd becomes -1. Nothing to do at -1. */
void fd_close(int *fd);

#endif
