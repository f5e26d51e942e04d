# SPDX-License-Identifier: MIT
# mypy: disable-error-code="no-untyped-def"
"""Loops with one fault in their timers, of a size that is known: what timing.py measures the detection of.

The file runs inside a target's interpreter: standard library only.  A timer of a minute or more is right in each
of them, because one of an hour is what shows whether the virtual clock works.
"""

import asyncio


class Right(asyncio.SelectorEventLoop):
    """A loop without a fault."""

    factor = 1.0
    more = 0.0  # seconds

    def call_at(self, when, callback, *args, context=None):
        """Schedule a callback for another moment than was asked for."""
        now = self.time()
        if 0 < when - now < 60:
            when += (when - now) * (self.factor - 1) + self.more
        return super().call_at(when, callback, *args, context=context)


class Early5(Right):
    """Five milliseconds early."""

    more = -0.005


class Late10(Right):
    """Ten milliseconds late."""

    more = 0.010


class Late30(Right):
    """Thirty milliseconds late."""

    more = 0.030


class Double(Right):
    """Twice the delay."""

    factor = 2.0


class Slow25(Right):
    """A quarter more than the delay."""

    factor = 1.25
