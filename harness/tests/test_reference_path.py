# SPDX-License-Identifier: MIT
"""The reference loop that this tree has built is found without --path, and only by the reference's own names."""

from pathlib import Path

import pytest

from loopcheck import resources
from loopcheck.targets import parse_target


@pytest.mark.parametrize(("minor", "build"), [((3, 11), "3.11"), ((3, 12), "abi3"), ((3, 15), "abi3")])
def test_each_version_has_its_build(
    minor: tuple[int, int], build: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_TREE", tmp_path)
    assert resources.reference_folder(minor) is None
    folder = tmp_path / "build/reference/python" / build
    (folder / "asy").mkdir(parents=True)
    assert resources.reference_folder(minor) == folder


def test_only_the_reference_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_TREE", tmp_path)
    reference = parse_target("reference-poll")
    build = "3.11" if reference.interpreter.minor == (3, 11) else "abi3"
    folder = tmp_path / "build/reference/python" / build
    (folder / "asy").mkdir(parents=True)
    assert reference.path == (str(folder),)
    assert parse_target("asyncio").path == ()
    assert parse_target("uvloop:new_event_loop").path == ()
