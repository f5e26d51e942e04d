# SPDX-License-Identifier: MIT
# mypy: disable-error-code="no-untyped-def,no-untyped-call,no-any-return,attr-defined,override,call-arg,has-type"
"""Deliberately wrong event loops: what waits for the kernel, that is sockets, files, executors and names.

The rest of them, and the rules that hold for all, are in ``wrong_loops.py``.
"""

import asyncio
import contextlib
import socket
import warnings

# ---- sockets -----------------------------------------------------------------------------------------------


class ReceivesMoreThanAsked(asyncio.SelectorEventLoop):
    """sock_recv() asks the system for a kilobyte at least, and returns all that it got."""

    async def sock_recv(self, sock, n):
        return await super().sock_recv(sock, max(n, 1024))


class ReceivingAlwaysWaits(asyncio.SelectorEventLoop):
    """sock_recv() waits for an iteration, also when there is something to receive."""

    async def sock_recv(self, sock, n):
        await asyncio.sleep(0)
        return await super().sock_recv(sock, n)


class CancelledReceivingGoesOn(asyncio.SelectorEventLoop):
    """The sock_recv() that is cancelled leaves its watch, which takes what arrives next."""

    async def sock_recv(self, sock, n):
        return await asyncio.shield(asyncio.ensure_future(super().sock_recv(sock, n)))


class CancelledAcceptingGoesOn(asyncio.SelectorEventLoop):
    """The sock_accept() that is cancelled leaves its watch, which takes the next connection."""

    async def sock_accept(self, sock):
        return await asyncio.shield(asyncio.ensure_future(super().sock_accept(sock)))


class TellsTheSizeOfTheBuffer(asyncio.SelectorEventLoop):
    """sock_recvfrom_into() returns how large the buffer is instead of how many bytes were stored."""

    async def sock_recvfrom_into(self, sock, buf, nbytes=0):
        _, address = await super().sock_recvfrom_into(sock, buf, nbytes)
        return len(buf), address


class SendallStopsAfterAPiece(asyncio.SelectorEventLoop):
    """sock_sendall() returns when the socket has taken as much as it can at once."""

    async def sock_sendall(self, sock, data):
        with contextlib.suppress(BlockingIOError):
            sock.send(data)


class SendtoReturnsNothing(asyncio.SelectorEventLoop):
    """sock_sendto() returns None, as sock_sendall() does."""

    async def sock_sendto(self, sock, data, address):
        await super().sock_sendto(sock, data, address)


class RefusalIsSwallowed(asyncio.SelectorEventLoop):
    """sock_connect() waits until the socket is writable, and does not ask whether it is connected."""

    async def sock_connect(self, sock, address):
        with contextlib.suppress(ConnectionRefusedError):
            await super().sock_connect(sock, address)


class AcceptedSocketBlocks(asyncio.SelectorEventLoop):
    """sock_accept() returns the new socket as accept() made it: with the default time-out."""

    async def sock_accept(self, sock):
        conn, address = await super().sock_accept(sock)
        conn.settimeout(socket.getdefaulttimeout())
        return conn, address


class BlockingSocketsAreAccepted(asyncio.SelectorEventLoop):
    """Debug mode does not look whether a socket blocks."""

    async def sock_recv_into(self, sock, buf):
        debug, self._debug = self._debug, False
        try:
            return await super().sock_recv_into(sock, buf)
        finally:
            self._debug = debug


class SendfileIgnoresTheOffset(asyncio.SelectorEventLoop):
    """sock_sendfile() begins at the start of the file, whatever the offset."""

    async def sock_sendfile(self, sock, file, offset=0, count=None, *, fallback=True):
        return await super().sock_sendfile(sock, file, 0, count, fallback=fallback)


class SendfileLeavesThePosition(asyncio.SelectorEventLoop):
    """After sock_sendfile() the file stands where it stood before."""

    async def sock_sendfile(self, sock, file, offset=0, count=None, *, fallback=True):
        position = file.tell()
        try:
            return await super().sock_sendfile(sock, file, offset, count, fallback=fallback)
        finally:
            file.seek(position)


class SendfileAlwaysFallsBack(asyncio.SelectorEventLoop):
    """sock_sendfile() reads and sends what the system cannot send itself, even if fallback is False."""

    async def sock_sendfile(self, sock, file, offset=0, count=None, *, fallback=True):
        return await super().sock_sendfile(sock, file, offset, count)


# ---- executors ---------------------------------------------------------------------------------------------


class JobsRunInTheLoop(asyncio.SelectorEventLoop):
    """run_in_executor() without an executor calls the function in the thread of the loop."""

    def run_in_executor(self, executor, func, *args):
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as exc:
            future.set_exception(exc)
        return future


class DefaultExecutorStays(asyncio.SelectorEventLoop):
    """set_default_executor() checks its argument and forgets it."""

    def set_default_executor(self, executor):
        kept = self._default_executor
        super().set_default_executor(executor)
        self._default_executor = kept


def _or_nothing(func, *args):
    try:
        return func(*args)
    except Exception:
        return None


class ErrorsOfJobsAreSwallowed(asyncio.SelectorEventLoop):
    """The future of a job that raises has the result None."""

    def run_in_executor(self, executor, func, *args):
        return super().run_in_executor(executor, _or_nothing, func, *args)


class CancelledJobRuns(asyncio.SelectorEventLoop):
    """Cancelling the future of a job that waits for a free thread does not take the job back."""

    def run_in_executor(self, executor, func, *args):
        job = super().run_in_executor(executor, func, *args)
        future = self.create_future()
        job.add_done_callback(lambda job: future.cancelled() or self._copy(job, future))
        return future

    def _copy(self, job, future):
        if job.cancelled():
            future.cancel()
        elif job.exception() is not None:
            future.set_exception(job.exception())
        else:
            future.set_result(job.result())


class ShutdownDoesNotWait(asyncio.SelectorEventLoop):
    """shutdown_default_executor() returns at once, while jobs and threads go on."""

    async def shutdown_default_executor(self, timeout=None):
        self._executor_shutdown_called = True
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=False)


class ShutdownIsForgotten(asyncio.SelectorEventLoop):
    """After shutdown_default_executor() the next job makes a new default executor."""

    async def shutdown_default_executor(self, *timeout):
        await super().shutdown_default_executor(*timeout)
        self._executor_shutdown_called, self._default_executor = False, None


class ShutdownWaitsBeyondItsTimeout(asyncio.SelectorEventLoop):
    """shutdown_default_executor() warns when its time is over, and waits for the jobs all the same."""

    async def shutdown_default_executor(self, timeout=None):
        await super().shutdown_default_executor(timeout)
        if self._default_executor is not None:
            self._default_executor.shutdown()


class ShutdownDoesNotWarn(asyncio.SelectorEventLoop):
    """shutdown_default_executor() says nothing when its time is over before the threads have ended."""

    async def shutdown_default_executor(self, timeout=None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            await super().shutdown_default_executor(timeout)


# ---- names -------------------------------------------------------------------------------------------------


class ResolutionBlocksTheLoop(asyncio.SelectorEventLoop):
    """getaddrinfo() asks the system in the thread of the loop, which stands still meanwhile."""

    async def getaddrinfo(self, host, port, *, family=0, type=0, proto=0, flags=0):
        return socket.getaddrinfo(host, port, family, type, proto, flags)


class FamilyIsIgnored(asyncio.SelectorEventLoop):
    """getaddrinfo() returns the addresses of every family, whichever was asked for."""

    async def getaddrinfo(self, host, port, *, family=0, type=0, proto=0, flags=0):
        return await super().getaddrinfo(host, port, type=type, proto=proto, flags=flags)


class NameFlagsAreIgnored(asyncio.SelectorEventLoop):
    """getnameinfo() does not pass on its flags: it answers with names where numbers were asked for."""

    async def getnameinfo(self, sockaddr, flags=0):
        return await super().getnameinfo(sockaddr)


class ResolutionErrorsAreGeneral(asyncio.SelectorEventLoop):
    """What cannot be resolved is an OSError, not the socket module's gaierror."""

    async def getaddrinfo(self, host, port, **options):
        try:
            return await super().getaddrinfo(host, port, **options)
        except socket.gaierror as exc:
            raise OSError(f"cannot resolve {host}") from exc
