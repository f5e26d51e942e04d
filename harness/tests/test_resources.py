# SPDX-License-Identifier: MIT
"""What a run leaves in its process: settings that are not put back, and what only a destructor tells of."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from loopcheck_target import resources
from loopcheck_target.resources import Settings, Snapshot, how_many, kind_of_handler

from .conftest import Finished, Loopcheck

MADE = "trouble/future_is_made"
INNOCENT = "innocent/callbacks_run_in_order"

LEFT = {
    "LeavesSignalHandler": (
        "resource:leak:SIGUSR1 (function)",
        "left another handler of SIGUSR1 (function);",
    ),
    "IgnoresSignal": ("resource:leak:SIGTERM (ignored)", "left another handler of SIGTERM (ignored);"),
    "LeavesWakeUpDescriptor": (
        "resource:leak:wake-up descriptor",
        "left the wake-up descriptor of signals set;",
    ),
    "LeavesGeneratorHooks": (
        "resource:leak:finalizer",
        "left the finalizer hook of asynchronous generators set;",
    ),
    "LeavesItsMark": ("resource:leak:running loop", "left a loop marked as the running one;"),
    "KeepsALoop": ("resource:leak:eventpoll", "left 1 descriptor (eventpoll) open;"),
    "ForgetsALoop": ("error:log:ResourceWarning", "ResourceWarning 'unclosed event loop"),
    "ForgetsATransport": ("error:log:ResourceWarning", "ResourceWarning 'unclosed transport"),
    "RaisesInDestructor": ("error:log:unraisable", "has the unraisable exception unraisable BufferError"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """One run of all these loops."""
    runner = Loopcheck(tmp_path_factory.mktemp("resources"))
    targets = [f"failing_loops:{loop}" for loop in LEFT]
    yield runner.run(*targets, "-k", MADE, "-k", INNOCENT, "--level", "observed")
    for running in runner.started:
        running.clean_up()


@pytest.mark.parametrize("loop", LEFT)
def test_what_a_loop_leaves_in_its_process_is_told(finished: Finished, loop: str) -> None:
    signature, words = LEFT[loop]
    result = finished.result(MADE, f"failing_loops:{loop}")
    assert (result.verdict, result.record["signature"]) == ("differ", signature)
    assert words in result.record["sentence"]
    assert finished.result(INNOCENT, f"failing_loops:{loop}").verdict == "agree"


# ---- the look at a process's settings ------------------------------------------------------------------------


@contextmanager
def restored() -> Iterator[None]:
    """Put back what these tests change in their own process."""
    handler, hooks = signal.getsignal(signal.SIGUSR2), sys.get_asyncgen_hooks()
    fd = signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR2, handler)
        signal.set_wakeup_fd(fd)
        sys.set_asyncgen_hooks(*hooks)
        asyncio._set_running_loop(None)


def test_untouched_process_has_changed_nothing() -> None:
    with restored():
        assert Settings().changed() == {}


def test_each_setting_is_seen_and_seen_again_and_not_when_put_back() -> None:
    ends = os.pipe()
    with restored():
        os.set_blocking(ends[1], False)
        settings = Settings()
        signal.signal(signal.SIGUSR2, lambda number, frame: None)
        signal.set_wakeup_fd(ends[1])
        sys.set_asyncgen_hooks(firstiter=print)
        asyncio._set_running_loop(asyncio.AbstractEventLoop())
        changed = {
            "signals": ["SIGUSR2 (function)"],
            "wakeup": ["wake-up descriptor"],
            "hooks": ["firstiter"],
            "running": ["running loop"],
        }
        assert [settings.changed(), settings.changed()] == [changed, changed]
    with restored():
        assert settings.changed() == {}
    os.close(ends[0])
    os.close(ends[1])


def test_wake_up_descriptor_that_is_closed_by_now_is_seen() -> None:
    reader, writer = os.pipe()
    with restored():
        settings = Settings()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        os.close(writer)
        assert settings.changed() == {"wakeup": ["wake-up descriptor"]}
    os.close(reader)


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (signal.SIG_DFL, "default"),
        (signal.SIG_IGN, "ignored"),
        (print, "function"),
        (None, "not Python's"),
        ([].append, "function"),
    ],
)
def test_handler_is_told_by_its_kind(handler: Any, kind: str) -> None:
    assert kind_of_handler(handler) == kind


def test_there_is_no_waiting_for_settings_to_go() -> None:
    assert (
        how_many({"fds": ["socket"], "signals": ["SIGINT (function)"], "wakeup": ["x"], "hooks": ["y"]}) == 1
    )


def test_what_goes_by_itself_is_not_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = Snapshot()
    looks: list[str] = []

    def threads() -> int:
        looks.append("look")
        return snapshot._threads + (len(looks) < 3)

    monkeypatch.setattr(resources, "threads", threads)
    monkeypatch.setattr(resources, "has_children", lambda: False)
    monkeypatch.setattr(resources, "descriptors", lambda: snapshot._descriptors)
    assert snapshot.left_behind(patience=60) == {}
    assert len(looks) == 3
