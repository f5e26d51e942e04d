# SPDX-License-Identifier: MIT
"""Loops that asyncio makes and finds by itself: policies and asyncio.run(). Here, all make the loop under test."""

import asyncio
import selectors
import sys
import threading
import warnings

from loopcheck_target import scenario


def policy_for(new_event_loop, trace):
    """Return a policy whose loops new_event_loop makes, and which traces what it is asked."""

    class Policy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self):
            trace("policy: new_event_loop")
            return new_event_loop()

        def get_event_loop(self):
            trace("policy: get_event_loop")
            return super().get_event_loop()

        def set_event_loop(self, loop):
            trace("policy: set_event_loop", loop is not None)
            super().set_event_loop(loop)

    return Policy()


def caught(function):
    """Call function; return the categories of the warnings that it issued."""
    with warnings.catch_warnings(record=True) as records:
        warnings.simplefilter("always")
        function()
    return [record.category for record in records]


def asyncio_run(main, new_event_loop):
    """Call asyncio.run() with loops of new_event_loop: before Python 3.12 it takes a policy to do so."""
    if sys.version_info >= (3, 12):
        return asyncio.run(main, loop_factory=new_event_loop)
    asyncio.set_event_loop_policy(policy_for(new_event_loop, lambda *_: None))
    return asyncio.run(main)


def attempt(trace, name, function):
    """Trace whether function() raised RuntimeError."""
    try:
        function()
        trace(name, "accepted")
    except RuntimeError as exc:
        trace(name, exc)


@scenario(statements=["policy.set", "policy.get", "new_event_loop.policy-alters"])
def policy_makes_the_loops(new_event_loop, trace):
    """asyncio.new_event_loop() returns what the policy in force makes; such a loop runs like any other."""
    made = []

    def make():
        made.append(new_event_loop())
        return made[-1]

    policy = policy_for(make, trace)
    asyncio.set_event_loop_policy(policy)
    trace("in force", asyncio.get_event_loop_policy() is policy)
    loop = asyncio.new_event_loop()
    trace("made by the policy", loop is made[0])
    loop.call_soon(trace, "callback")
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("stopped")
    asyncio.set_event_loop_policy(None)


@scenario(statements=["get_event_loop.no-running.policy", "set_event_loop.policy-alters"])
def policy_is_asked_when_no_loop_runs(loop, new_event_loop, trace):
    """With no loop running, get_event_loop() and set_event_loop() are the policy's; a running loop needs none."""
    asyncio.set_event_loop_policy(policy_for(new_event_loop, trace))
    asyncio.set_event_loop(loop)
    trace("outside", asyncio.get_event_loop() is loop)
    loop.call_soon(lambda: trace("inside", asyncio.get_event_loop() is loop))
    loop.call_soon(loop.stop)
    loop.run_forever()
    asyncio.set_event_loop(None)
    asyncio.set_event_loop_policy(None)


@scenario(statements=["policy.none-restores"])
def none_restores_the_default_policy(new_event_loop, trace):
    """set_event_loop_policy(None) puts the default policy back: it makes asyncio's own loops again."""
    policy = policy_for(new_event_loop, trace)
    asyncio.set_event_loop_policy(policy)
    asyncio.new_event_loop()
    asyncio.set_event_loop_policy(None)
    trace("in force", asyncio.get_event_loop_policy() is policy)
    trace("default", type(asyncio.get_event_loop_policy()) is asyncio.DefaultEventLoopPolicy)
    loop = asyncio.new_event_loop()
    trace("asyncio's own", isinstance(loop, asyncio.SelectorEventLoop))
    loop.close()
    another = asyncio.get_event_loop_policy().new_event_loop()
    trace("made by the policy", isinstance(another, asyncio.SelectorEventLoop), another is loop)
    another.close()


@scenario(
    statements=[
        "get_event_loop.main.autocreate",
        "get_event_loop.main.autocreate-becomes-current",
        "get_event_loop.set-disables-autocreate",
        "get_event_loop.worker.no-autocreate",
    ]
)
def missing_loop_is_made_in_the_main_thread(new_event_loop, trace):
    """Where no loop was ever set, get_event_loop() makes one and keeps it: in the main thread only."""
    asyncio.set_event_loop_policy(policy_for(new_event_loop, trace))
    thread = threading.Thread(target=attempt, args=(trace, "other thread", asyncio.get_event_loop))
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loop = asyncio.get_event_loop()
    trace("made", loop.run_until_complete(asyncio.sleep(0, "result")))
    trace("kept", asyncio.get_event_loop() is loop)
    asyncio.set_event_loop(None)
    attempt(trace, "none after set_event_loop", asyncio.get_event_loop)
    asyncio.set_event_loop_policy(None)


@scenario(statements=["get_event_loop.no-warning-3.10"])
def missing_loop_is_made_without_a_warning(new_event_loop, trace):
    """get_event_loop() issues no warning, neither with a current loop nor when it has to make one."""
    asyncio.set_event_loop_policy(policy_for(new_event_loop, trace))
    trace("no current loop", caught(asyncio.get_event_loop))
    trace("current loop", caught(asyncio.get_event_loop))
    asyncio.set_event_loop_policy(None)


@scenario(statements=["get_event_loop.warn-no-current-3.12"])
def making_the_missing_loop_is_warned_of(new_event_loop, trace):
    """get_event_loop() issues a DeprecationWarning if it has to make the loop, and only then."""
    asyncio.set_event_loop_policy(policy_for(new_event_loop, trace))
    trace("no current loop", caught(asyncio.get_event_loop))
    trace("current loop", caught(asyncio.get_event_loop))
    asyncio.set_event_loop_policy(None)


@scenario(statements=["get_event_loop.no-current.raises-3.14"])
def missing_loop_is_an_error(loop, trace):
    """Where no loop was set, get_event_loop() raises RuntimeError, in the main thread too."""
    attempt(trace, "nothing set", asyncio.get_event_loop)
    loop.call_soon(attempt, trace, "running", asyncio.get_event_loop)
    loop.call_soon(loop.stop)
    loop.run_forever()
    attempt(trace, "after a run", asyncio.get_event_loop)


@scenario(statements=["policy.deprecated-3.14"])
def policies_are_deprecated(new_event_loop, trace):
    """Each use of the policies' names issues a DeprecationWarning; making and setting loops does not."""
    policies = []
    trace("class", caught(lambda: policies.append(policy_for(new_event_loop, trace))))
    trace("set", caught(lambda: asyncio.set_event_loop_policy(policies[0])))
    trace("get", caught(asyncio.get_event_loop_policy))
    trace("new_event_loop", caught(lambda: asyncio.set_event_loop(asyncio.new_event_loop())))
    trace("reset", caught(lambda: asyncio.set_event_loop_policy(None)))


@scenario(statements=["run.result", "run.own-loop", "shutdown_asyncgens.run-does-it"])
def asyncio_run_makes_and_closes_its_loop(new_event_loop, trace, T):
    """asyncio.run() makes a loop, ends the tasks and generators that its coroutine left, and closes the loop."""
    left = []

    async def numbers():
        try:
            while True:
                yield 1
        finally:
            await asyncio.sleep(0)
            trace("generator closed")

    async def background():
        try:
            await asyncio.sleep(50 * T)
        finally:
            trace("task cancelled")

    async def main():
        left.extend([asyncio.get_running_loop(), numbers(), asyncio.ensure_future(background())])
        trace("value", await left[1].__anext__())
        await asyncio.sleep(T)
        return "result"

    trace("returned", asyncio_run(main(), new_event_loop))
    trace("closed", left[0].is_closed())
    attempt(trace, "running loop", asyncio.get_running_loop)


@scenario(statements=["example.policy-selector"])
def example_policy_chooses_a_selector(loop, trace):
    """The documentation's example: a policy whose new_event_loop() makes loops with a SelectSelector."""

    class MyPolicy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self):
            trace("selector loop asked for")
            return asyncio.SelectorEventLoop(selectors.SelectSelector())

    loop.call_soon(loop.stop)
    loop.run_forever()
    asyncio.set_event_loop_policy(MyPolicy())
    own = asyncio.new_event_loop()
    trace("class", type(own) is asyncio.SelectorEventLoop, own.run_until_complete(asyncio.sleep(0, "result")))
    own.close()
    asyncio.set_event_loop_policy(None)
