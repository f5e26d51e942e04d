# SPDX-License-Identifier: MIT
"""The decorator that marks a scenario.

A scenario is a plain function whose docstring is one sentence: what a statement looks like when it runs.
The driver never imports scenario files: it reads the decorator's arguments from the source, which is why they
must be literals.  At run time the decorator only leaves its arguments on the function, for ``child.py``.
"""

from typing import Any, Callable, Sequence, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def scenario(
    *,
    statements: Sequence[str] = (),
    basis: str = "",
    requires: Sequence[str] = (),
    needs: Sequence[str] = (),
    tags: Sequence[str] = (),
    debug: bool = False,
    since: str = "",
    until: str = "",
) -> Callable[[Function], Function]:
    """Mark a function as a scenario.

    statements: ids from ``spec/statements`` that the scenario shows.
    basis: where no statement covers it, why it is worth comparing: ``"observed: ..."``.
    requires: what the machine or the run must have: ``real-clock``, ``ipv6``, ``root``, ``asyncio-futures``.
    needs: ids of scenarios without whose agreement this one says nothing: it is blocked when one of them fails.
    tags: words to select by.
    debug: run the loop in debug mode.
    since, until: Python versions that the script itself needs, inclusive and exclusive; the versions for
        which its statements hold are known from the statements.
    """

    def mark(function: Function) -> Function:
        function.__scenario__ = {"debug": debug}  # type: ignore[attr-defined]
        return function

    return mark
