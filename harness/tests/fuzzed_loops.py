# SPDX-License-Identifier: MIT
# mypy: disable-error-code="no-untyped-def,no-untyped-call,override"
"""Loops for the tests of random programs: right, but for one operation, which few programs have.

Invariants.  The file runs inside a target's interpreter: standard library only, Python 3.8 and later.
"""

import asyncio
import os
import signal


class RightLoop(asyncio.SelectorEventLoop):
    """A loop without a fault."""


class CrashesInCallAt(RightLoop):
    """Dies when a callback asks for a moment; call_later() is right."""

    def call_later(self, delay, callback, *args, context=None):
        return super().call_at(self.time() + delay, callback, *args, context=context)

    def call_at(self, when, callback, *args, context=None):
        os.kill(os.getpid(), signal.SIGSEGV)


class HangsInCallAt(CrashesInCallAt):
    """Never comes back when a callback asks for a moment; call_later() is right."""

    def call_at(self, when, callback, *args, context=None):
        while True:
            pass


class StopsTooLate(RightLoop):
    """stop() lets one more iteration happen."""

    def stop(self):
        self.call_soon(super().stop)
