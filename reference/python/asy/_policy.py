# SPDX-License-Identifier: MIT
"""asy.EventLoopPolicy: for programs that choose their loop by a policy, which asyncio deprecates since 3.14.

    asyncio.set_event_loop_policy(asy.EventLoopPolicy())      # and then asyncio.run(main())

Prefer ``asyncio.run(main(), loop_factory=asy.new_event_loop)`` (3.12 and later).  The module is imported when the
class is asked for, because even naming asyncio's base class warns from 3.14 on.
"""

import asyncio

import asy


class EventLoopPolicy(asyncio.DefaultEventLoopPolicy):
    """asyncio's default policy, but that its loops are asy's.  Python 3.16 has no policies any more."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """Return a new asy loop, which is not the current one yet."""
        return asy.new_event_loop()
