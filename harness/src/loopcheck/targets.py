# SPDX-License-Identifier: MIT
"""What the user names on the command line: a loop on an interpreter, and the oracle it is compared with.

    TARGET = (NAME | MODULE:CALLABLE)[@INTERPRETER]

NAMEs are built in or defined in ``loopcheck.toml`` in the current folder:

    [targets]
    mine = "mypackage.loops:new_event_loop"
"""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from .interpreters import Interpreter, find_interpreter, this_interpreter
from .resources import reference_folder

CONFIGURATION = "loopcheck.toml"

ORACLE_FACTORIES = {
    "asyncio": "loopcheck_target.factories:asyncio_default",
    "asyncio-poll": "loopcheck_target.factories:asyncio_poll",
    "asyncio-select": "loopcheck_target.factories:asyncio_select",
}
REFERENCE_FACTORIES = {
    "reference": "asy:new_event_loop",
    "reference-poll": "asy:new_poll_event_loop",
    "reference-select": "asy:new_select_event_loop",
    "reference-native": "asy:new_native_event_loop",
}


class TargetError(Exception):
    """A target that cannot be named so; the text is one sentence for the user."""


@dataclass(frozen=True)
class Target:
    """A loop on an interpreter.

    text: as the user wrote it.  name: what reports call it.  factory: ``MODULE:CALLABLE``.
    """

    text: str
    name: str
    factory: str
    interpreter: Interpreter

    @property
    def is_asyncio(self) -> bool:
        """Whether this is CPython's own loop under one of the names for it."""
        return self.factory in ORACLE_FACTORIES.values()

    @property
    def selector(self) -> str:
        """Which of the selectors the target's name asks for: "", "poll" or "select"."""
        name = self.text.partition("@")[0]
        return name.rpartition("-")[2] if name.endswith(("-poll", "-select")) else ""

    @property
    def own_futures(self) -> bool:
        """Whether the target shows futures and tasks of its own, as create_future.alternative allows."""
        return self.factory == REFERENCE_FACTORIES["reference-native"]

    @property
    def key(self) -> tuple[str, str]:
        """What makes two targets the same one."""
        return self.factory, self.interpreter.path

    @property
    def path(self) -> tuple[str, ...]:
        """Folders that the target needs on its sys.path: for the reference, where this tree has built it."""
        built = (
            reference_folder(self.interpreter.minor) if self.factory in REFERENCE_FACTORIES.values() else None
        )
        return (str(built),) if built else ()

    def is_same_loop_as(self, other: "Target") -> bool:
        """Return whether comparing the two would compare a loop with itself.

        Two interpreters of one version count as one for asyncio, which they both ship.
        """
        if self.factory != other.factory:
            return False
        ours, theirs = self.interpreter, other.interpreter
        same_python = (ours.implementation, ours.version) == (theirs.implementation, theirs.version)
        return ours.path == theirs.path or (self.is_asyncio and same_python)


def parse_target(text: str, configured: dict[str, str] | None = None) -> Target:
    """Return the target that text names.  Raises TargetError, or InterpreterError."""
    name, factory, python = split_target(text, configured)
    interpreter = find_interpreter(python) if python else this_interpreter()
    return Target(text, name, factory, interpreter)


def split_target(text: str, configured: dict[str, str] | None = None) -> tuple[str, str, str]:
    """Return a target's name in reports, its factory and its interpreter's name, "" for the driver's own.

    Starts no interpreter, so it cannot say whether that one is there.  Raises TargetError.
    """
    loop, at, python = text.partition("@")
    factory = {**ORACLE_FACTORIES, **REFERENCE_FACTORIES, **(configured or {})}.get(loop)
    if factory is None:
        if ":" not in loop:
            raise TargetError(
                f"{loop!r} is no target: write MODULE:CALLABLE, or one of {', '.join(known_names(configured))}"
            )
        if not _is_factory(loop):
            raise TargetError(f"{loop!r} is no target: MODULE:CALLABLE takes dotted Python names")
        factory = loop
    if at and not python:
        raise TargetError(f"{text!r} names no interpreter after the @")
    return _name(loop, python), factory, python


def _is_factory(text: str) -> bool:
    """Return whether a text has the form ``MODULE:CALLABLE``, both dotted Python names."""
    module, colon, callable_name = text.partition(":")
    return bool(colon) and all(part.isidentifier() for part in f"{module}.{callable_name}".split("."))


def _name(loop: str, python: str) -> str:
    short = loop.partition(":")[0].partition(".")[0]
    return f"{short}@{Path(python).name if '/' in python else python}" if python else short


def known_names(configured: dict[str, str] | None = None) -> list[str]:
    """Return the names that need no MODULE:CALLABLE."""
    return [*ORACLE_FACTORIES, *REFERENCE_FACTORIES, *(configured or {})]


def with_distinct_names(targets: list[Target]) -> list[Target]:
    """Return the targets; those whose short names coincide get the text that the user wrote as their name."""
    names = distinct_names([target.name for target in targets], [target.text for target in targets])
    return [replace(target, name=name) for target, name in zip(targets, names, strict=True)]


def distinct_names(names: list[str], texts: list[str]) -> list[str]:
    """Return the names; for those that coincide, the text that the user wrote."""
    return [text if names.count(name) > 1 else name for name, text in zip(names, texts, strict=True)]


def oracle_for(target: Target) -> Target:
    """Return the oracle of a target: asyncio with the same selector, on the target's own interpreter.

    For a target that is asyncio itself, on another interpreter: asyncio on the driver's.
    """
    name = f"asyncio-{target.selector}" if target.selector else "asyncio"
    interpreter = this_interpreter() if target.is_asyncio else target.interpreter
    return Target(name, name, ORACLE_FACTORIES[name], interpreter)


def read_configuration(folder: Path) -> dict[str, str]:
    """Return the targets that ``loopcheck.toml`` in folder defines.  Raises TargetError."""
    file = folder / CONFIGURATION
    if not file.exists():
        return {}
    try:
        targets = tomllib.loads(file.read_text()).get("targets", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise TargetError(f"{file} cannot be read: {exc}") from exc
    if not isinstance(targets, dict):
        raise TargetError(f'{file}: targets must be a table: [targets], then NAME = "MODULE:CALLABLE"')
    for name, factory in targets.items():
        if not isinstance(factory, str) or not _is_factory(factory):
            raise TargetError(f'{file}: {name} must be a text of the form "MODULE:CALLABLE"')
        if name in (*ORACLE_FACTORIES, *REFERENCE_FACTORIES):
            raise TargetError(f"{file}: {name} is built in; give your target another name")
    return dict(targets)
