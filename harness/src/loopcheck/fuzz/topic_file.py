# SPDX-License-Identifier: MIT
"""The file that exported programs stand in: its head, the helpers that they use, and how its lines are laid out.

The helpers are in ``prelude.py.in``, of which a file gets the parts that it needs.
"""

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

INDENT = "    "
FIRST = ("def ", "async def ")
HEAD = """# SPDX-License-Identifier: MIT
\"""What random programs showed: to be reviewed, renamed and sorted in.\"""
""".rstrip()
MODULES = ("asyncio", "contextvars", "socket", "threading", "time")


def render_module(functions: Sequence[str]) -> str:
    """Return a topic file with functions that render_function made, and what they need."""
    body = "\n\n\n".join(functions)
    prelude = _prelude(body)
    text = "\n\n\n".join(filter(None, [prelude, body]))
    imports = "\n".join(f"import {module}" for module in MODULES if f"{module}." in text)
    parts = filter(None, [HEAD, imports, "from loopcheck_target import scenario"])
    return "\n\n".join(parts) + f"\n\n\n{text}\n"


def _prelude(body: str) -> str:
    """Return the definitions of the prelude that a text uses, directly or through others."""
    needed: set[str] = set()
    waiting = [body]
    while waiting:
        text = waiting.pop()
        for name, part in _prelude_parts().items():
            if name not in needed and re.search(rf"(?<![\w.\"]){name}\b", text):
                needed.add(name)
                waiting.append(part)
    return "\n\n\n".join(part for name, part in _prelude_parts().items() if name in needed)


@functools.cache
def _prelude_parts() -> dict[str, str]:
    """Return the source of each definition in the prelude."""
    source = (Path(__file__).parent / "prelude.py.in").read_text()
    parts = {}
    for node in ast.parse(source).body:
        name = node.targets[0] if isinstance(node, ast.Assign) else node
        key = name.id if isinstance(name, ast.Name) else getattr(name, "name", "")
        parts[key] = ast.get_source_segment(source, node) or ""
    return parts


def quoted(text: str) -> str:
    """Return a text as a literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def spaced(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines with an empty one before and after each function inside a function."""
    inside: list[int] = []  # how far the functions are indented that have begun
    previous = ""
    for line in lines:
        depth = len(line) - len(line.lstrip())
        ended = False
        while inside and depth <= inside[-1]:
            inside.pop()
            ended = True
        begins = line.lstrip().startswith(FIRST)
        if ended or (begins and not previous.lstrip().startswith(FIRST)):
            yield ""
        if begins:
            inside.append(depth)
        yield line
        previous = line


def indented(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines further to the right."""
    for line in lines:
        yield INDENT + line
