# SPDX-License-Identifier: MIT
# mypy: disable-error-code="no-untyped-def,no-untyped-call,no-any-return,attr-defined,misc,name-defined,has-type"
"""Deliberately wrong event loops: the transports of pipes, and how they call their protocols.

The rest of them, and the rules that hold for all, are in ``wrong_loops.py``.  Each bug is in a transport, and its
loop makes transports of that class.
"""

import asyncio
from asyncio import unix_events


class _KeepsSilent(unix_events._UnixWritePipeTransport):
    def _maybe_pause_protocol(self):
        pass


class WritingIsNeverPaused(asyncio.SelectorEventLoop):
    """pause_writing() is never called, however much waits in the write buffer."""

    def _make_write_pipe_transport(self, pipe, protocol, waiter=None, extra=None):
        return _KeepsSilent(self, pipe, protocol, waiter, extra)


class _ClosesAtOnce(unix_events._UnixWritePipeTransport):
    def close(self):
        if not self._closing:
            self.abort()


class ClosingDropsWhatWaits(asyncio.SelectorEventLoop):
    """close() of a transport that writes does what abort() does: it drops what is still in the buffer."""

    def _make_write_pipe_transport(self, pipe, protocol, waiter=None, extra=None):
        return _ClosesAtOnce(self, pipe, protocol, waiter, extra)


class _ReadsOn(unix_events._UnixReadPipeTransport):
    def pause_reading(self):
        self._paused = True

    def resume_reading(self):
        self._paused = False


class PausedReadingGoesOn(asyncio.SelectorEventLoop):
    """pause_reading() changes what is_reading() says, and nothing else."""

    def _make_read_pipe_transport(self, pipe, protocol, waiter=None, extra=None):
        return _ReadsOn(self, pipe, protocol, waiter, extra)


class _EndsInSilence(unix_events._UnixReadPipeTransport):
    def _read_ready(self):
        super()._read_ready()
        for handle in self._loop._ready:
            if handle._callback == self._protocol.eof_received:
                handle.cancel()


class EndIsNotTold(asyncio.SelectorEventLoop):
    """At the end of a pipe comes connection_lost() without an eof_received() before it."""

    def _make_read_pipe_transport(self, pipe, protocol, waiter=None, extra=None):
        return _EndsInSilence(self, pipe, protocol, waiter, extra)


class _LeavesItOpen(unix_events._UnixReadPipeTransport):
    def _call_connection_lost(self, exc):
        self._protocol.connection_lost(exc)
        self._pipe = self._protocol = self._loop = None


class PipeIsLeftOpen(asyncio.SelectorEventLoop):
    """A transport that reads does not close its pipe: that is left to who opened it."""

    def _make_read_pipe_transport(self, pipe, protocol, waiter=None, extra=None):
        return _LeavesItOpen(self, pipe, protocol, waiter, extra)


class ConnectionIsMadeAtOnce(asyncio.SelectorEventLoop):
    """connect_read_pipe() calls connection_made() itself, in the iteration in which it is awaited."""

    def _make_read_pipe_transport(self, pipe, protocol, waiter=None, extra=None):
        before = len(self._ready)
        transport = super()._make_read_pipe_transport(pipe, protocol, waiter, extra)
        made = self._ready[before]
        del self._ready[before]
        made._run()
        return transport
