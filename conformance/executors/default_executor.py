# SPDX-License-Identifier: MIT
"""The default executor: when it is made, what it is, and how a program sets its own."""

import asyncio
import concurrent.futures
import contextvars
import os
import sys
import threading
import warnings

from loopcheck_target import scenario

NEEDS = ["executors/job_runs_in_another_thread"]  # each scenario of this file


class RecordingPool(concurrent.futures.ThreadPoolExecutor):
    """A pool that notes what it is asked to do."""

    def __init__(self, trace, name):
        super().__init__(1)
        self.trace = trace
        self.label = name

    def submit(self, fn, *args, **kwargs):
        self.trace("submit", self.label, args, kwargs)
        return super().submit(fn, *args, **kwargs)


class InPlace(concurrent.futures.Executor):
    """An executor that has no threads."""

    def submit(self, fn, *args, **kwargs):
        future = concurrent.futures.Future()
        future.set_result(fn(*args, **kwargs))
        return future


def threads_that_run_at_once(submit):
    """Return how many threads take the jobs of submit(function), none of which ends before all are submitted."""
    release = threading.Event()
    before = threading.active_count()
    futures = [submit(release.wait) for _ in range(40)]
    threads = threading.active_count() - before
    release.set()
    return threads, futures


@scenario(statements=["run_in_executor.default-lazy", "run_in_executor.default-threadpool"])
def default_executor_is_made_when_it_is_needed(loop, trace):
    """The default executor is a pool of threads of this process, and has none before the first job."""
    before = threading.active_count()
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("more threads without a job", threading.active_count() - before)
    job = loop.run_in_executor(None, lambda: (os.getpid(), threading.current_thread()))
    process, thread = loop.run_until_complete(job)
    trace("more threads after a job", threading.active_count() - before)
    trace("in this process", process == os.getpid())
    trace("a thread that Python knows", thread in threading.enumerate())


@scenario(statements=["run_in_executor.max_workers"])
def default_executor_has_the_size_of_a_plain_pool(loop, trace):
    """How many threads the default executor has at most is left to ThreadPoolExecutor."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        plain, _ = threads_that_run_at_once(pool.submit)
    threads, futures = threads_that_run_at_once(lambda job: loop.run_in_executor(None, job))
    for future in futures:
        loop.run_until_complete(future)
    trace("as many threads as a plain pool", threads == plain)


@scenario(statements=["run_in_executor.set-default-used"])
async def set_default_executor_decides_what_none_means(loop, trace):
    """set_default_executor() makes an executor the one that None stands for, and the next call another."""
    with RecordingPool(trace, "first") as first, RecordingPool(trace, "second") as second:
        trace("set", loop.set_default_executor(first))
        trace("result", await loop.run_in_executor(None, max, 1, 2))
        loop.set_default_executor(second)
        trace("result", await loop.run_in_executor(None, min, 1, 2))
        trace("the first one still works", first.submit(max, 3, 4).result(10))


@scenario(basis="observed: asyncio.to_thread() is how most programs reach the default executor", since="3.9")
async def to_thread_uses_the_default_executor(loop, trace):
    """asyncio.to_thread() calls a function in the default executor, in the context of the caller."""
    variable = contextvars.ContextVar("variable")
    variable.set("value")

    def job(first, *, second):
        return first, second, variable.get(), threading.current_thread().name.startswith("mine")

    with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="mine") as pool:
        loop.set_default_executor(pool)
        trace("result", await asyncio.to_thread(job, 1, second=2))


@scenario(statements=["set_default_executor.must-be-threadpool"])
async def default_executor_must_be_a_thread_pool(loop, trace):
    """An executor that is no ThreadPoolExecutor is refused with TypeError, and so is None; the old one stays."""
    with RecordingPool(trace, "pool") as pool:
        loop.set_default_executor(pool)
        for executor in (None, InPlace()):
            try:
                loop.set_default_executor(executor)
                trace("accepted")
            except TypeError as exc:
                trace("refused", exc)
        trace("result", await loop.run_in_executor(None, max, 1, 2))


@scenario(statements=["set_default_executor.interpreterpool"])
async def default_executor_may_be_an_interpreter_pool(loop, trace):
    """An InterpreterPoolExecutor is a ThreadPoolExecutor, and so can be the default executor."""
    with concurrent.futures.InterpreterPoolExecutor(1) as pool:
        loop.set_default_executor(pool)
        trace("result", await loop.run_in_executor(None, pow, 2, 100))


@scenario(statements=["set_default_executor.any-before-3.11"])
async def default_executor_may_be_of_any_kind(loop, trace):
    """Before Python 3.11 any executor can be the default one; since 3.8 that is deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        loop.set_default_executor(InPlace())
    job = loop.run_in_executor(None, threading.current_thread)
    trace("ran in the loop's thread", await job is threading.current_thread())
    trace("Python", sys.version_info[0])
