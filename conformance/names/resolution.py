# SPDX-License-Identifier: MIT
"""getaddrinfo and getnameinfo: the answers of the socket module, without blocking the loop."""

import asyncio
import concurrent.futures
import logging
import socket
import threading

from loopcheck_target import scenario

NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
MOST_THREADS = 32  # that a default executor has, however many processors there are


class Pool(concurrent.futures.ThreadPoolExecutor):
    """A pool of one thread that notes that it was asked, and starts nothing before it is released."""

    def __init__(self, trace, release):
        super().__init__(1)
        self.trace = trace
        super().submit(release.wait, 10)

    def submit(self, fn, *args, **kwargs):
        self.trace("submit")
        return super().submit(fn, *args, **kwargs)


def released():
    """Return an event that has happened."""
    event = threading.Event()
    event.set()
    return event


@scenario(statements=["getaddrinfo.async"])
async def addresses_are_those_of_the_socket_module(loop, trace):
    """getaddrinfo() takes what socket.getaddrinfo() takes and returns what it returns."""
    for host in ("127.0.0.1", "::1", "localhost", None):
        expected = socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
        answer = await loop.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
        trace("answer", host, answer == expected)
    answer = await loop.getaddrinfo(
        "127.0.0.1",
        "80",
        family=socket.AF_INET,
        type=socket.SOCK_DGRAM,
        proto=17,
        flags=socket.AI_NUMERICHOST,
    )
    trace("addresses", [entry[4] for entry in answer])


@scenario(statements=["getaddrinfo.defaults"])
async def options_are_keywords_and_zero_by_default(loop, trace):
    """family, type, proto and flags are given by keyword, and each is 0 if it is not."""
    answer = await loop.getaddrinfo("127.0.0.1", 80)
    trace("all kinds", answer == socket.getaddrinfo("127.0.0.1", 80, 0, 0, 0, 0))
    trace("zeros", answer == await loop.getaddrinfo("127.0.0.1", 80, family=0, type=0, proto=0, flags=0))
    try:
        coro = loop.getaddrinfo("127.0.0.1", 80, socket.AF_INET)
        trace("accepted")
        coro.close()
    except TypeError as exc:
        trace("refused", type(exc))


@scenario(statements=["getaddrinfo.async"])
async def flags_have_to_be_a_number(loop, trace):
    """flags are those of socket.getaddrinfo(), which takes no None, nor a text: TypeError."""
    for flags in (None, ""):
        try:
            await loop.getaddrinfo("127.0.0.1", 80, flags=flags)
            trace("accepted")
        except TypeError as error:
            trace("refused", type(error))


@scenario(statements=["getaddrinfo.async", "getaddrinfo.defaults"])
async def options_choose_among_the_addresses(loop, trace):
    """family, type, proto and flags are those of the socket module: without a host it has addresses for each."""
    for name, options in (
        ("family", {"family": socket.AF_INET}),
        ("type", {"family": socket.AF_INET, "type": socket.SOCK_DGRAM}),
        ("proto", {"family": socket.AF_INET, "proto": socket.IPPROTO_TCP}),
        ("flags", {"family": socket.AF_INET, "type": socket.SOCK_STREAM, "flags": socket.AI_PASSIVE}),
    ):
        answer = await loop.getaddrinfo(None, 80, **options)
        trace(name, {(int(entry[0]), int(entry[1]), entry[2], entry[4]) for entry in answer})


@scenario(statements=["getnameinfo.async"])
async def names_are_those_of_the_socket_module(loop, trace):
    """getnameinfo() is socket.getnameinfo(); flags are 0 if they are not given."""
    trace("numeric", await loop.getnameinfo(("127.0.0.1", 80), NUMERIC))
    trace("by keyword", await loop.getnameinfo(sockaddr=("127.0.0.1", 80), flags=NUMERIC))
    address = ("127.0.0.1", 80)
    trace("default", await loop.getnameinfo(address) == socket.getnameinfo(address, 0))


@scenario(statements=["dns.coroutines-3.7"])
async def nothing_is_asked_before_the_await(loop, trace):
    """getaddrinfo() and getnameinfo() are coroutines: nothing happens until they are awaited."""
    with Pool(trace, released()) as pool:
        loop.set_default_executor(pool)
        questions = [loop.getaddrinfo("127.0.0.1", 80), loop.getnameinfo(("127.0.0.1", 80), NUMERIC)]
        for question in questions:
            trace("is a coroutine", asyncio.iscoroutine(question))
            question.close()
        trace("closed")


@scenario(statements=["getaddrinfo.nonblocking"])
async def resolution_does_not_block_the_loop(loop, trace):
    """While a name is resolved, the loop runs what else there is: here the resolution waits for it."""
    release = threading.Event()

    def callback():
        trace("callback")
        release.set()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(release.wait, 10)
        loop.set_default_executor(pool)
        loop.call_soon(callback)
        answer = await loop.getaddrinfo("localhost", 80)
        trace("resolved", len(answer) > 0)
        await asyncio.sleep(0)
        release.set()


@scenario(statements=["dns.default-executor", "dns.saturation-delays"])
async def busy_default_executor_delays_resolution(loop, trace, T):
    """Both run in the default executor, and wait until it has a free thread."""
    release = threading.Event()
    with Pool(trace, release) as pool:
        loop.set_default_executor(pool)
        addresses = asyncio.ensure_future(loop.getaddrinfo("127.0.0.1", 80))
        name = asyncio.ensure_future(loop.getnameinfo(("127.0.0.1", 80), NUMERIC))
        await asyncio.sleep(T)
        trace("done while the pool is busy", addresses.done(), name.done())
        release.set()
        trace("addresses", len(await addresses) > 0)
        trace("name", await name)


@scenario(statements=["dns.default-executor", "dns.saturation-delays"])
async def busy_threads_of_the_loops_own_executor_delay_resolution(loop, trace, T):
    """The executor that the loop has made itself may be busy, too: even an address in digits waits for it."""
    release = threading.Event()
    jobs = [loop.run_in_executor(None, release.wait, 10) for _ in range(MOST_THREADS)]
    addresses = asyncio.ensure_future(loop.getaddrinfo("127.0.0.1", 80))
    await asyncio.sleep(T)
    trace("done while its threads are busy", addresses.done())
    release.set()
    trace("addresses", len(await addresses) > 0)
    trace("jobs", await asyncio.gather(*jobs) == [True] * MOST_THREADS)


@scenario(statements=["dns.error"])
async def failed_resolution_raises_gaierror(loop, trace):
    """What cannot be resolved raises socket.gaierror."""
    try:
        await loop.getaddrinfo("no address", 80, flags=socket.AI_NUMERICHOST)
    except socket.gaierror as exc:
        trace("getaddrinfo", exc, exc.errno == socket.EAI_NONAME)
    try:
        await loop.getnameinfo(("no address", 80), NUMERIC)
    except socket.gaierror as exc:
        trace("getnameinfo", exc, exc.errno == socket.EAI_NONAME)


@scenario(basis="observed: a name server that is slow shows in the log of debug mode", debug=True)
async def debug_mode_logs_resolutions(loop, trace):
    """Debug mode logs each getaddrinfo(), at level INFO if it takes as long as a slow callback."""

    def trace_and_drop(record):
        """Keep durations, and slow callbacks, out of what is compared."""
        text = record.getMessage()
        if "address info" in text:
            trace(record.levelname, text.partition(" took ")[0])
        return False

    logger = logging.getLogger("asyncio")
    level = logger.level
    logger.addFilter(trace_and_drop)
    logger.setLevel(logging.DEBUG)
    try:
        for seconds in (3600, 0):
            loop.slow_callback_duration = seconds
            await loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
        loop.slow_callback_duration = 3600
        await asyncio.sleep(0)
    finally:
        logger.removeFilter(trace_and_drop)
        logger.setLevel(level)
