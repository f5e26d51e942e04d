# SPDX-License-Identifier: MIT
"""asy.EventLoopPolicy: the loops that asyncio makes by itself are asy's while it is in force."""

import asyncio
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import asy
import pytest


@pytest.fixture
def policy() -> Iterator[Any]:
    """The policy, in force until the test ends; without the warnings that 3.14 has for every use of policies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        policy = asy.EventLoopPolicy()
        asyncio.set_event_loop_policy(policy)
        yield policy
        asyncio.set_event_loop_policy(None)


async def running_loop() -> asyncio.AbstractEventLoop:
    """Return the loop that runs this."""
    return asyncio.get_running_loop()


def test_asyncio_run_runs_on_an_asy_loop(policy: Any) -> None:
    assert type(asyncio.run(running_loop())) is asy.EventLoop


def test_new_event_loop_makes_an_asy_loop_and_does_not_make_it_current(policy: Any) -> None:
    loop = asyncio.new_event_loop()
    assert type(loop) is asy.EventLoop
    asyncio.set_event_loop(loop)
    assert asyncio.get_event_loop() is loop
    asyncio.set_event_loop(None)
    loop.close()


def test_policy_is_an_asyncio_policy_that_can_be_derived_from(policy: Any) -> None:
    class Counting(asy.EventLoopPolicy):  # type: ignore[misc]
        made = 0

        def new_event_loop(self) -> asyncio.AbstractEventLoop:
            Counting.made += 1
            return super().new_event_loop()  # type: ignore[no-any-return]

    asyncio.set_event_loop_policy(Counting())
    asyncio.new_event_loop().close()
    assert Counting.made == 1
    assert isinstance(policy, asyncio.DefaultEventLoopPolicy)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="deprecated since 3.14")
def test_policies_warn_since_3_14_and_importing_asy_does_not() -> None:
    with pytest.warns(DeprecationWarning):
        asyncio.set_event_loop_policy(None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        import importlib

        importlib.import_module("asy")
