/* SPDX-License-Identifier: MIT */
/*
 * asy: an event loop that behaves as CPython's asyncio does, for C programs.
 *
 *   types.h      the names of all types, and the three macros every other header uses
 *   error.h      exceptions as values: kinds, asy_error, RAISE, TRY
 *   context.h    contextvars: asy_context, asy_context_var
 *   handle.h     asy_callback, Handle, TimerHandle, and how to embed them
 *   loop.h       the loop: its methods in the order of CPython's documentation
 *   future.h     futures: a result that is not there yet
 *   coro.h       coroutines: functions that can wait
 *   task.h       tasks; sleep, wait, gather, timeout, shield
 *   executor.h   work in threads
 *   resolve.h    getaddrinfo, getnameinfo
 *   socket.h     sockets without a transport: receive, send, connect, accept
 *   protocol.h   protocols: what a transport calls
 *   transport.h  transports: reading and writing with buffers and flow control
 *   pipe.h       connect_read_pipe, connect_write_pipe
 *   host.h       what a language binding supplies and may call; C programs do not need it
 *
 * These headers are the manual. Each public function is described here and only here, and its
 * first line is the Python it stands for.
 *
 * Names. A method is asy_<type>_<method>, with Python's names and Python's order of arguments;
 * outputs come last, are called ret_..., and are written on success only. Times are seconds, as
 * double; a unit stands in the name where it is another.
 *
 * Errors. A function that can raise returns asy_error *, and NULL (ASY_OK) means that it has
 * not. The caller owns what it gets: hand it on, or asy_error_unref() it. A function of another
 * type cannot raise. Memory that runs out ends the process.
 *
 * Ownership, in CPython's words. A pointer that a function returns or stores in ret_... is a
 * new reference unless it says borrowed; a pointer argument is borrowed; what a function
 * "Steals" is the callee's from the moment of the call, also when the call raises.
 *
 * Threads. A loop belongs to the thread that runs it. What may be called from others says
 * "Thread any".
 *
 * A first program is examples/timers.c.
 */
#ifndef ASY_ASY_H
#define ASY_ASY_H

#include <asy/context.h>
#include <asy/coro.h>
#include <asy/error.h>
#include <asy/executor.h>
#include <asy/future.h>
#include <asy/handle.h>
#include <asy/host.h>
#include <asy/loop.h>
#include <asy/pipe.h>
#include <asy/protocol.h>
#include <asy/resolve.h>
#include <asy/socket.h>
#include <asy/task.h>
#include <asy/transport.h>
#include <asy/types.h>

#endif
