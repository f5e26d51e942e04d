# SPDX-License-Identifier: MIT
"""shutdown_default_executor: how long it waits for the threads, and what is refused afterwards."""

import asyncio
import concurrent.futures
import sys
import threading
import warnings

from loopcheck_target import scenario

NEEDS = ["executors/job_runs_in_another_thread"]  # each scenario of this file


def asyncio_run(main, new_event_loop):
    """Call asyncio.run() with loops of new_event_loop: before Python 3.12 it takes a policy to do so."""
    if sys.version_info >= (3, 12):
        return asyncio.run(main, loop_factory=new_event_loop)

    class Policy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self):
            return new_event_loop()

    asyncio.set_event_loop_policy(Policy())
    try:
        return asyncio.run(main)
    finally:
        asyncio.set_event_loop_policy(None)


def try_default_executor(loop, trace):
    """Trace whether the default executor takes a job."""
    try:
        loop.run_in_executor(None, trace, "ran")
        trace("accepted")
    except RuntimeError as exc:
        trace("refused", exc)


@scenario(statements=["shutdown_default_executor.coroutine", "shutdown_default_executor.joins"])
async def shutdown_waits_for_the_jobs(loop, trace, T):
    """shutdown_default_executor() is a coroutine that waits until the jobs and their threads have ended."""
    release = threading.Event()
    job = loop.run_in_executor(None, lambda: (release.wait(10), threading.current_thread()))
    shutdown = loop.shutdown_default_executor()
    trace("is a coroutine", asyncio.iscoroutine(shutdown))
    loop.call_later(T, release.set)
    trace("returned", await shutdown)
    trace("job was released", release.is_set())
    released, thread = await job
    trace("released", released, "thread alive", thread.is_alive())


@scenario(statements=["shutdown_default_executor.then-raises"])
async def default_executor_takes_no_jobs_after_its_shutdown(loop, trace):
    """After its shutdown the default executor takes no job: RuntimeError."""
    trace("before", await loop.run_in_executor(None, max, 1, 2))
    await loop.shutdown_default_executor()
    try_default_executor(loop, trace)
    trace("again", await loop.shutdown_default_executor())
    try_default_executor(loop, trace)


@scenario(statements=["shutdown_default_executor.then-raises"])
async def default_executor_that_never_was_is_shut_down_too(loop, trace):
    """The shutdown also forbids a default executor that had not been made."""
    trace("returned", await loop.shutdown_default_executor())
    try_default_executor(loop, trace)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        loop.set_default_executor(pool)
        try_default_executor(loop, trace)


@scenario(statements=["shutdown_default_executor.custom-ok"])
async def given_executor_outlives_the_shutdown(loop, trace):
    """Only the default executor is shut down: one that is given to run_in_executor() works on."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        trace("before", await loop.run_in_executor(pool, max, 1, 2))
        await loop.shutdown_default_executor()
        trace("after", await loop.run_in_executor(pool, max, 3, 4))


@scenario(statements=["shutdown_default_executor.timeout-none"])
async def shutdown_without_a_timeout_waits_for_ever(loop, trace, T):
    """timeout=None, the default, waits for a job however long it takes."""
    release = threading.Event()
    job = loop.run_in_executor(None, release.wait, 10)
    loop.call_later(2 * T, release.set)
    await loop.shutdown_default_executor(timeout=None)
    trace("released", await job)


@scenario(statements=["shutdown_default_executor.timeout-seconds"])
async def shutdown_in_time_does_not_warn(loop, trace, T):
    """A shutdown that ends within its timeout is one without: jobs have ended, and nothing warns."""
    release = threading.Event()
    job = loop.run_in_executor(None, release.wait, 10)
    loop.call_later(T, release.set)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trace("returned", await loop.shutdown_default_executor(timeout=10.5))
    trace("warnings", [warning.category for warning in caught])
    trace("released", await job)


@scenario(
    statements=[
        "shutdown_default_executor.timeout-seconds",
        "shutdown_default_executor.timeout-warns",
        "shutdown_default_executor.timeout-terminates",
    ]
)
async def shutdown_whose_time_is_over_warns_and_goes_on(loop, trace, T):
    """When the timeout is over, a RuntimeWarning says so, and nobody waits for the job any more; it runs on."""
    release = threading.Event()
    job = loop.run_in_executor(None, release.wait, 50 * T)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trace("returned", await loop.shutdown_default_executor(timeout=T))
    trace("warnings", [(warning.category, str(warning.message)) for warning in caught])
    trace("job done", job.done())
    release.set()
    trace("released", await job)


@scenario(statements=["shutdown_default_executor.not-with-run"])
def asyncio_run_waits_for_the_default_executor(new_event_loop, trace, T):
    """asyncio.run() shuts the default executor down itself: a job that was begun has ended when it returns."""
    release, finished = threading.Event(), threading.Event()
    threads = []

    def job():
        threads.append(threading.current_thread())
        release.wait(50 * T)
        finished.set()

    async def main():
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, job)
        loop.call_later(T, release.set)
        trace("main ends, job finished", finished.is_set())

    asyncio_run(main(), new_event_loop)
    trace("job finished", finished.is_set())
    release.set()
    threads[0].join()
