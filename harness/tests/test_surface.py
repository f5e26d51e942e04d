# SPDX-License-Identifier: MIT
"""The surface: every mistake in it gives its sentence, and what ships agrees with the interpreters at hand.

Each planted mistake is one change to RECORD, which is right.  The comparison with an interpreter asks
``inspect`` of it, in a process of its own; what is known to differ stands in KNOWN, each with its reason.
"""

import json
import subprocess
from pathlib import Path

import pytest

from loopcheck.interpreters import Interpreter, InterpreterError, find_interpreter
from loopcheck.resources import statements_folder, surface_file
from loopcheck.spec import load_statements
from loopcheck.surface import Name, Surface, SurfaceError, lint_surface, load_surface

RECORD = """\
later = ["sockets"]

[parts]
timers = "Callbacks at a given time"
sockets = "Sockets"
exceptions = "Exceptions"

[[name]]
name = "loop.call_at"
part = "timers"
kind = "method"
signature = "loop.call_at(when, callback, *args, context=None)"
since = "3.4"
changed = [{ version = "3.7", what = "the parameter context" }]
removed = "3.14"
documents = ["000", "001"]
errors = ["RuntimeError"]
parameters = [
    { name = "when" },
    { name = "args", kind = "varargs" },
    { name = "context", kind = "keyword", default = "None", since = "3.7", documents = ["000"] },
]

[[name]]
name = "RuntimeError"
part = "exceptions"
kind = "exception"
since = "3.4"
documents = []

[[name]]
name = "loop.sock_recv"
part = "sockets"
kind = "coroutine"
since = "3.4"
documents = []
parameters = [{ name = "nbytes", cpython = "n" }]
"""


def write(folder: Path, text: str) -> Path:
    """Write a surface file and return its path."""
    file = folder / "surface.toml"
    file.write_text(text, encoding="utf-8")
    return file


# ---- mistakes ------------------------------------------------------------------------------------------------


def test_the_model_record_is_right(tmp_path: Path) -> None:
    assert lint_surface(write(tmp_path, RECORD)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("removed =", "remvoed =", 'loop.call_at: the key "remvoed" is unknown'),
        ('since = "3.4"\nchanged', "changed", "loop.call_at: since is missing; add it."),
        ('"timers"\nkind', '"timer"\nkind', 'loop.call_at: part "timer" is unknown; [parts] lists them.'),
        ('kind = "method"', 'kind = "verb"', 'loop.call_at: kind "verb" is unknown'),
        ('kind = "method"', "kind = 1", "loop.call_at: kind must be a string."),
        ('"loop.call_at(when, callback, *args, context=None)"', '""', "signature is empty; leave it out."),
        ('since = "3.4"', 'since = "3"', 'since "3" is not a version'),
        ('removed = "3.14"', 'removed = "3.4"', "removed 3.4 must be later than since 3.4."),
        ('version = "3.7"', 'version = "3.4"', "the change of 3.4 is out of order"),
        ('version = "3.7"', 'version = "3.14"', "the change of 3.14 is not before removed 3.14."),
        (
            'what = "the parameter context"',
            'why = "so"',
            "each change must be { version = ..., what = ... }.",
        ),
        ('["000", "001"]', '["000", "005"]', 'documents has no number "005"'),
        ('["000", "001"]', '["001", "000"]', "documents must be sorted, each number once."),
        ('errors = ["RuntimeError"]', 'errors = ["Oops"]', "errors has Oops, which is no exception"),
        (
            'errors = ["RuntimeError"]',
            'errors = ["loop.sock_recv"]',
            "errors has loop.sock_recv, which is no exception",
        ),
        ("errors = [", 'errors = ["RuntimeError", ', "errors repeats one."),
        ('{ name = "when" }', '{ nam = "when" }', 'parameter without a name: the key "nam" is unknown'),
        ('{ name = "when" }', '{ name = "args" }', "parameter args: it is already described above."),
        ('"varargs"', '"many"', 'parameter args: kind "many" is unknown'),
        ('since = "3.7"', 'since = "3.3"', "parameter context: since 3.3 is before that of its name, 3.4."),
        ('"loop.sock_recv"', '"loop.call_at"', "loop.call_at: the name is already described above"),
        ('later = ["sockets"]', 'later = ["tls"]', 'later has "tls", which is no part.'),
        ('later = ["sockets"]', "", "later is missing or has the wrong form."),
        ('exceptions = "Exceptions"', 'exceptions = "E"\ntls = "TLS"', 'the part "tls" has no name.'),
        ("[parts]", "[pieces]", 'the table or key "pieces" is unknown'),
        ("[parts]", "[parts", "this is not valid TOML"),
    ],
)
def test_a_mistake_gives_its_sentence(tmp_path: Path, right: str, wrong: str, sentence: str) -> None:
    assert right in RECORD
    file = write(tmp_path, RECORD.replace(right, wrong, 1))
    problems = lint_surface(file)
    assert any(sentence in problem for problem in problems), problems
    assert all(problem.startswith(f"{file}: ") for problem in problems)
    with pytest.raises(SurfaceError):
        load_surface(file)


def test_a_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    (problem,) = lint_surface(tmp_path / "surface.toml")
    assert "cannot be read" in problem


# ---- loading -------------------------------------------------------------------------------------------------


def test_a_parameter_has_what_it_does_not_say_from_its_name(tmp_path: Path) -> None:
    name = load_surface(write(tmp_path, RECORD)).names["loop.call_at"]
    when, args, context = name.parameters
    assert (when.since, when.removed, when.documents) == ("3.4", "3.14", ("000", "001"))
    assert (when.kind, args.kind, context.kind) == ("positional", "varargs", "keyword")
    assert (context.since, context.documents, context.default) == ("3.7", ("000",), "None")


def test_a_name_exists_from_since_up_to_but_not_at_removed(tmp_path: Path) -> None:
    name = load_surface(write(tmp_path, RECORD)).names["loop.call_at"]
    assert [name.exists_in(version) for version in ("3.4", "3.13", "3.14")] == [True, True, False]
    assert [name.parameters[2].exists_in(version) for version in ("3.6", "3.7")] == [False, True]


def test_a_name_is_found_with_and_without_its_module() -> None:
    surface = load_surface(surface_file())
    for name in ("asyncio.get_event_loop", "get_event_loop", "ThreadPoolExecutor", "asyncio.sleep", "sleep"):
        assert surface.find(name) is not None, name
    assert surface.find("call_soon") is None
    assert surface.find("loop.call_sooner") is None


# ---- what ships ----------------------------------------------------------------------------------------------

SHIPPED: Surface = load_surface(surface_file())

# Asked of an interpreter: does it have a name, and what does the signature look like.
ASKED = """
import asyncio, inspect, json, sys, warnings
warnings.simplefilter("ignore")
KINDS = ["positional", "positional", "varargs", "keyword", "varkw"]
found = {}
for name in json.load(sys.stdin):
    value = asyncio
    path = name.split(".")
    if path[0] == "loop":
        value, path = asyncio.SelectorEventLoop, path[1:]
    try:
        for part in path[1:] if path[0] == "asyncio" else path:
            value = getattr(value, part)
    except AttributeError:
        continue
    try:
        parameters = inspect.signature(value).parameters.values()
        found[name] = [[p.name, KINDS[p.kind]] for p in parameters if p.name != "self" and p.name[0] != "_"]
    except (ValueError, TypeError):
        found[name] = None
print(json.dumps(found))
"""

# What differs between the text and the interpreters, and why.
KNOWN = {
    "loop.create_task": "since 3.14 the signature is (coro, **kwargs)",
    "create_task": "since 3.14 the signature is (coro, **kwargs)",
    "eager_task_factory": "since 3.14 the signature has **kwargs",
    "TaskGroup.create_task": "since 3.14 the signature is (coro, **kwargs)",
    "loop.subprocess_exec": "the text leaves out the parameter program, the signature has what is forbidden",
    "loop.subprocess_shell": "the signature has what must not be given",
    "create_subprocess_exec": "its page is another one",
    "create_subprocess_shell": "its page is another one",
    "BaseEventLoop.connect_accepted_socket": "one old document only",
    "asyncio.trsock.TransportSocket": "its constructor is not documented",
    "Handle": "its constructor is not documented",
    "TimerHandle": "its constructor is not documented",
    "Server": "its constructor is not documented; public since 3.9.11, 3.10.3 and 3.11",
    "WriteTransport.get_write_buffer_limits": "a class below it had the method before it did",
}


def compared(name: Name) -> bool:
    """Return whether a name is something that the interpreter itself can be asked about."""
    return (
        name.kind in ("function", "coroutine", "method", "class")
        and name.part not in ("exceptions", "other_modules", "transports_and_protocols", "streams")
        and name.availability != "Windows"
        and not name.name.startswith("policy.")
        and name.name not in KNOWN
        and not name.name.startswith("Server.")
    )


@pytest.mark.parametrize("version", ["3.8", "3.11", "3.12", "3.14", "3.15"])
def test_the_surface_is_what_the_interpreter_has(version: str) -> None:
    try:
        interpreter = find_interpreter(version)
    except InterpreterError as exc:
        pytest.skip(f"not run: {exc}")
    names = [name for name in SHIPPED.names.values() if compared(name)]
    assert len(names) > 130
    real = ask(interpreter, names)
    there = {name.name for name in names if name.exists_in(interpreter.version)}
    assert there == {*real}
    ours = {name.name: shape(name, interpreter.version) for name in names}
    theirs = {
        name: [tuple(p) for p in parameters] for name, parameters in real.items() if parameters is not None
    }
    assert {name: ours[name] for name in theirs} == {
        name: by_position(shape) for name, shape in theirs.items()
    }


def ask(interpreter: Interpreter, names: list[Name]) -> dict[str, list[list[str]] | None]:
    """Return the parameters, name and kind, of those of the names that an interpreter has."""
    done = subprocess.run(
        [interpreter.path, "-I", "-c", ASKED],
        input=json.dumps([name.name for name in names]),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, list[list[str]] | None] = json.loads(done.stdout)
    return answer


def shape(name: Name, version: str) -> list[tuple[str, str]]:
    """Return the parameters that a version has of a name, as CPython calls them."""
    given = [p for p in name.parameters if p.exists_in(version) and p.kind != "forbidden"]
    return by_position([(p.given_as, p.kind) for p in given])


def by_position(parameters: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return parameters with the keywords, whose order says nothing, sorted at the end."""
    keywords = sorted(p for p in parameters if p[1] == "keyword")
    return [p for p in parameters if p[1] != "keyword"] + keywords


def test_what_is_known_to_differ_is_in_the_surface() -> None:
    assert [name for name in KNOWN if name not in SHIPPED.names] == []


def test_signatures_name_the_parameters_of_the_newest_version() -> None:
    wrong = []
    for name in SHIPPED.names.values():
        for parameter in name.parameters:
            new = parameter.removed is None and parameter.documents == name.documents
            if (
                new
                and parameter.kind != "forbidden"
                and name.signature
                and parameter.name not in name.signature
            ):
                wrong.append(f"{name.name}: {parameter.name}")
    assert wrong == []


def test_every_statement_file_of_a_later_part_is_one_of_the_parts() -> None:
    parts = {statement.part for statement in load_statements(statements_folder()).values()}
    assert SHIPPED.later <= parts | {"streams", "task_groups"}
