# SPDX-License-Identifier: MIT
"""run_in_executor: jobs in threads and processes, and the futures of their results."""

import asyncio
import concurrent.futures
import functools
import multiprocessing
import os
import threading

from loopcheck_target import scenario

NEEDS = ["executors/job_runs_in_another_thread"]  # each scenario of this file


class RecordingPool(concurrent.futures.ThreadPoolExecutor):
    """A pool that notes what it is asked to do."""

    def __init__(self, trace):
        super().__init__(1)
        self.trace = trace

    def submit(self, fn, *args, **kwargs):
        self.trace("submit", args, kwargs)
        return super().submit(fn, *args, **kwargs)


def is_main_thread(*values):
    """Return whether the main thread runs this, and the arguments."""
    return threading.current_thread() is threading.main_thread(), values


@scenario(statements=["run_in_executor.runs", "run_in_executor.none-default"])
async def job_runs_in_another_thread(loop, trace):
    """run_in_executor(None, func, *args) calls func(*args) in another thread; awaiting it gives the result."""
    main_thread, values = await loop.run_in_executor(None, is_main_thread, 1, "two")
    trace("ran in the main thread", main_thread)
    trace("arguments", values)
    trace("awaited in the main thread", is_main_thread()[0])


@scenario(statements=["run_in_executor.returns-future"])
def job_starts_without_being_awaited(loop, trace):
    """It returns a Future, not a coroutine: the job starts although nobody awaits it and no loop runs."""
    started = threading.Event()
    future = loop.run_in_executor(None, started.set)
    trace("is a future", asyncio.isfuture(future), "a coroutine", asyncio.iscoroutine(future))
    trace("started", started.wait(10))
    trace("done before the loop has run", future.done())
    trace("result", loop.run_until_complete(future))


@scenario(statements=["run_in_executor.not-blocking"])
async def loop_goes_on_while_the_job_runs(loop, trace):
    """The loop runs callbacks while a job takes its time: here the job waits for one of them."""
    release = threading.Event()

    def callback():
        trace("callback")
        release.set()

    future = loop.run_in_executor(None, release.wait, 10)
    loop.call_soon(callback)
    trace("waiting")
    trace("released", await future)


@scenario(statements=["run_in_executor.exception"])
async def exception_of_the_job_is_raised_by_await(loop, trace):
    """An exception that func raises becomes the exception of the future."""

    def job():
        raise LookupError("on purpose")

    future = loop.run_in_executor(None, job)
    try:
        await future
    except LookupError as exc:
        trace("raised", exc, exc is future.exception())
    trace("next job", await loop.run_in_executor(None, str, 1))


@scenario(statements=["run_in_executor.partial"])
async def keyword_arguments_need_partial(loop, trace):
    """run_in_executor() takes no keyword arguments for func; functools.partial does."""
    try:
        loop.run_in_executor(None, int, "11", base=2)
        trace("accepted")
    except TypeError as exc:
        trace("refused", type(exc))
    trace("result", await loop.run_in_executor(None, functools.partial(int, "11", base=2)))


@scenario(statements=["run_in_executor.executor-arg"])
async def given_executor_runs_the_job(loop, trace):
    """The executor that is given runs the job, and nothing is made besides."""
    with RecordingPool(trace) as pool:
        trace("result", await loop.run_in_executor(pool, max, 1, 2))
        with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="given") as other:
            thread = await loop.run_in_executor(other, threading.current_thread)
        trace("thread of the given pool", thread.name.startswith("given"))


@scenario(statements=["run_in_executor.process-pool"])
async def process_pool_runs_the_job_in_a_child(loop, trace):
    """A ProcessPoolExecutor runs the job in another process."""
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        process = await loop.run_in_executor(pool, os.getpid)
        trace("in this process", process == os.getpid())
        trace("result", await loop.run_in_executor(pool, pow, 2, 100))


@scenario(statements=["run_in_executor.interpreter-pool"])
async def interpreter_pool_runs_the_job(loop, trace):
    """An InterpreterPoolExecutor runs the job in another interpreter of this process."""
    with concurrent.futures.InterpreterPoolExecutor(1) as pool:
        trace("in this process", await loop.run_in_executor(pool, os.getpid) == os.getpid())
        trace("result", await loop.run_in_executor(pool, pow, 2, 100))


@scenario(statements=["example.executors"])
async def example_runs_blocking_code_in_pools(loop, trace, tmp):
    """The documentation's example: reading a file, and heavy work, in the default, a thread and a process pool."""
    path = os.path.join(str(tmp), "file")
    with open(path, "wb") as file:
        file.write(b"blocking")

    def blocking_io():
        with open(path, "rb") as file:
            return file.read(100)

    context = multiprocessing.get_context("fork")  # a fork should come before the threads
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as processes:
        trace("custom process pool", await loop.run_in_executor(processes, sum, range(10**5)))
    trace("default thread pool", await loop.run_in_executor(None, blocking_io))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        trace("custom thread pool", await loop.run_in_executor(pool, blocking_io))


@scenario(statements=["run_in_executor.closed"])
def closed_loop_takes_no_jobs(loop, trace):
    """On a closed loop it raises RuntimeError, whichever executor is given, and the job does not run."""
    with RecordingPool(trace) as pool:
        loop.close()
        for name, executor in (("default", None), ("given", pool)):
            try:
                loop.run_in_executor(executor, trace, "ran")
                trace(name, "accepted")
            except RuntimeError as exc:
                trace(name, exc)


@scenario(basis="observed: who stops waiting for a job that has not begun expects that it never does")
async def cancelled_job_that_has_not_begun_never_runs(loop, trace):
    """Cancelling the future of a job that waits for a free thread takes the job back; one that runs goes on."""
    release, started = threading.Event(), threading.Event()

    def job():
        started.set()
        release.wait(10)
        trace("first job ends")

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = loop.run_in_executor(pool, job)
        waiting = loop.run_in_executor(pool, trace, "second job")
        started.wait(10)
        trace("cancelled", running.cancel(), waiting.cancel())
        await asyncio.sleep(0)
        release.set()
        last = loop.run_in_executor(pool, trace, "third job")
        await last
    trace("are cancelled", running.cancelled(), waiting.cancelled())


@scenario(basis="observed: an executor that drops its jobs must not leave those waiting who await them")
async def job_that_the_executor_cancels_cancels_the_future(loop, trace):
    """When the executor itself cancels a job, the future that the loop gave out is cancelled."""

    class Unwilling(concurrent.futures.Executor):
        def submit(self, fn, *args, **kwargs):
            future = concurrent.futures.Future()
            loop.call_soon(future.cancel)
            return future

    future = loop.run_in_executor(Unwilling(), trace, "ran")
    try:
        await future
    except asyncio.CancelledError as exc:
        trace("await raised", type(exc))
    trace("cancelled", future.cancelled())


@scenario(
    basis="observed: debug mode finds the coroutine function that would never be awaited",
    debug=True,
)
async def debug_mode_refuses_coroutine_functions(loop, trace):
    """In debug mode, a coroutine function or what cannot be called is refused with TypeError."""

    async def coroutine_function():
        trace("ran")

    with RecordingPool(trace) as pool:
        for func in (coroutine_function, 1, None):
            try:
                loop.run_in_executor(pool, func)
                trace("accepted")
            except TypeError as exc:
                trace("refused", type(exc))
