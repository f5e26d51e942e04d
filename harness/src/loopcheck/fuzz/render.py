# SPDX-License-Identifier: MIT
"""A random program as Python that a person can read, and a conformance scenario can be made from.

The idea: the script leaves the same trace as the interpreter of programs does, event by event, so that what is
exported shows what was found.  Functions stand where they are scheduled.
"""

from collections.abc import Iterable, Iterator

from .operations import Node, Program, features, walk
from .topic_file import INDENT, indented, quoted, spaced

KINDS = {
    "call_soon": "callback",
    "threadsafe": "threadsafe callback",
    "call_later": "timer",
    "call_at": "timer",
    "zero": "zero timer",
    "past": "past timer",
    "add_reader": "reader",
    "add_writer": "writer",
    "on_done": "done callback",
    "task": "task",
}
RAISING = ("raise", "exit")
CAUGHT = "(Exception, asyncio.CancelledError, SystemExit)"
RETURN_WHEN = {"first": "FIRST_COMPLETED", "exception": "FIRST_EXCEPTION", "all": "ALL_COMPLETED"}
Lines = Iterator[str]


def render_function(program: Program, name: str, sentence: str) -> str:
    """Return a program as a scenario function of a name; sentence: what it shows."""
    return "\n".join(_Renderer(program).function(name, sentence))


class _Renderer:
    """Writes one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._nodes = list(walk(program))
        self._kept = {node["handle"] for node in self._nodes if "handle" in node}
        self._repeated = {node["handle"] for node in self._nodes if node["op"] == "again"}
        self._removed = {node["callback"] for node in self._nodes if "callback" in node}
        self._present = set(features(program))
        asked_for = any("task" in node for node in self._nodes)
        self._keeps_tasks = asked_for or bool(self._present & {"rest", "outcomes"})
        self._labels = {
            node["id"]: f"{KINDS[node['op']]} {node['id']}" for node in self._nodes if node["op"] in KINDS
        }

    def function(self, name: str, sentence: str) -> Lines:
        """Yield the lines of the whole function."""
        yield f"@scenario(basis={quoted('observed: ' + sentence)})"
        yield f"def {name}(loop, trace, T):"
        yield f'{INDENT}"""{sentence[0].upper()}{sentence[1:]}"""'.replace("\\", "\\\\")
        yield from spaced(indented(self._body()))

    def _body(self) -> Lines:
        yield from self._tables()
        for number, run in enumerate(self._program["runs"], 1):
            yield from self._statements(run.get("body", ()))
            yield from self._run(number, run)
        yield from self._end()

    def _tables(self) -> Lines:
        if self._present & {"raise", "report", "exit"}:
            yield "loop.set_exception_handler(reporter(trace))"
        if self._present & {"time", "when"}:
            yield "began = loop.time()"
        numbers = {node["future"] for node in self._nodes if "future" in node}
        numbers |= {run["until"] for run in self._program["runs"] if "until" in run}
        for number in sorted(numbers):
            yield f"future_{number} = loop.create_future()"
        if "wait" in self._present:
            yield "names = {" + ", ".join(f'future_{n}: "future {n}"' for n in sorted(numbers)) + "}"
        for number in sorted({node["pair"] for node in self._nodes if "pair" in node}):
            yield f"watched_{number}, peer_{number} = socket.socketpair()"
            yield f"watched_{number}.setblocking(False)"
        for table, needed in (
            ("handles", self._kept),
            ("callbacks", self._repeated),
            ("tasks", self._keeps_tasks),
            ("done_callbacks", self._removed),
        ):
            if needed:
                yield f"{table} = {{}}  # by number"
        readers = [node for node in self._nodes if node["op"] == "add_reader"]
        if self._repeated or any(node["body"] for node in readers):
            yield "once = first_time()"

    def _run(self, number: int, run: Node) -> Lines:
        horizon = _ticks(self._program["horizon"])
        if "main" in run:
            yield from self._define_task(run["main"])
            yield f'run(loop, trace, "run {number}", {horizon}, {self._start(run["main"])})'
        elif "until" in run:
            yield f'run(loop, trace, "run {number}", {horizon}, future_{run["until"]})'
        else:
            yield f'run(loop, trace, "run {number}", {horizon})'

    def _end(self) -> Lines:
        count = len(self._program["runs"])
        has_tasks = "task" in self._present
        if self._program.get("rest") and has_tasks:
            yield f"cancel_the_rest(loop, trace, tasks, {count}, {_ticks(self._program['horizon'])})"
        if self._program.get("outcomes") and has_tasks:
            yield "for number, task in sorted(tasks.items()):"
            yield f'{INDENT}trace(f"task {{number}} is", *outcome(task))'
        if self._program.get("close"):
            yield "close(loop, trace)"

    # ---- statements ----------------------------------------------------------------------------------------

    def _statements(self, nodes: Iterable[Node]) -> Lines:
        for node in nodes:
            yield from getattr(self, f"_{node['op']}")(node)
            if node["op"] in RAISING:
                return

    def _callback(self, node: Node, *first: str) -> Lines:
        """Yield the function that an operation schedules; first: its lines before the trace."""
        id = node["id"]
        arguments = "*args" if node.get("args") else ""
        values = ", *args" if node.get("args") else ""
        if self._program.get("punctual") and "ticks" in node:
            values += f", *punctuality(due_{id})"
        yield f"def {self._name(id)}({arguments}):"
        yield from indented(first)
        yield f'{INDENT}trace("{self._labels[id]}"{values})'
        yield from indented(self._once(node))

    def _once(self, node: Node) -> Lines:
        if node["id"] in self._repeated and node["body"]:
            yield f"if once({node['id']}):"
            yield from indented(self._statements(node["body"]))
        else:
            yield from self._statements(node["body"])

    def _name(self, id: int) -> str:
        return self._labels[id].replace(" ", "_")

    def _options(self, node: Node) -> str:
        arguments = "".join(f', "{value}"' for value in node.get("args", ()))
        arguments += f", context=with_variable({node['context']})" if "context" in node else ""
        return arguments + (", eager_start=True" if "eager" in node else "")

    def _schedule(self, node: Node, call: str) -> Lines:
        id = node["id"]
        if self._program.get("punctual") and "ticks" in node:
            yield f"due_{id} = time.monotonic() + {_ticks(node['ticks'])}"
        yield from self._callback(node)
        if id in self._repeated:
            yield f"callbacks[{id}] = {self._name(id)}"
        keep = f"handles[{id}] = " if id in self._kept else ""
        yield f"{keep}loop.{call}{self._name(id)}{self._options(node)})"

    def _call_soon(self, node: Node) -> Lines:
        yield from self._schedule(node, "call_soon(")

    def _threadsafe(self, node: Node) -> Lines:
        yield from self._schedule(node, "call_soon_threadsafe(")

    def _call_later(self, node: Node) -> Lines:
        yield from self._schedule(node, f"call_later({_ticks(node['ticks'])}, ")

    _zero = _call_later

    def _call_at(self, node: Node) -> Lines:
        sign, ticks = ("+", node["ticks"]) if node["ticks"] > 0 else ("-", -node["ticks"])
        yield from self._schedule(node, f"call_at(loop.time() {sign} {_ticks(ticks)}, ")

    _past = _call_at

    def _again(self, node: Node) -> Lines:
        yield f"if {node['handle']} in callbacks:"
        yield f"{INDENT}loop.call_soon(callbacks[{node['handle']}])"

    def _cancel(self, node: Node) -> Lines:
        id = node["handle"]
        yield f"if {id} in handles:"
        yield f"{INDENT}handles[{id}].cancel()"
        yield f'{INDENT}trace("cancel {self._labels[id]}", handles[{id}].cancelled())'

    def _when(self, node: Node) -> Lines:
        id = node["handle"]
        yield f'if hasattr(handles.get({id}), "when"):'
        yield f'{INDENT}trace("when() of {self._labels[id]}", round((handles[{id}].when() - began) / T))'

    def _thread(self, node: Node) -> Lines:
        yield f"def thread_{node['id']}():"
        yield from indented(self._statements(node["body"]))
        yield f"thread = threading.Thread(target=thread_{node['id']})"
        yield "thread.start()"
        yield "thread.join()"

    def _block(self, node: Node) -> Lines:
        yield f"time.sleep({_ticks(node['ticks'])})"

    def _stop(self, node: Node) -> Lines:
        yield "loop.stop()"

    def _raise(self, node: Node) -> Lines:
        yield f"raise LookupError({node['id']})"

    def _exit(self, node: Node) -> Lines:
        yield f"raise SystemExit({node['id']})"

    def _report(self, node: Node) -> Lines:
        context = f'{{"message": "report", "exception": LookupError({node["id"]})}}'
        yield f"loop.call_exception_handler({context})"

    def _time(self, node: Node) -> Lines:
        yield 'trace("time", round((loop.time() - began) / T))'

    def _state(self, node: Node) -> Lines:
        yield 'trace("state", loop.is_running(), loop.is_closed(), is_the_running_loop(loop))'

    def _nested(self, node: Node) -> Lines:
        yield 'refused(trace, "nested run", loop.run_forever)'

    def _close_running(self, node: Node) -> Lines:
        yield 'refused(trace, "close() in a run", loop.close)'

    def _set_variable(self, node: Node) -> Lines:
        yield f"variable.set({node['id']})"

    def _variable(self, node: Node) -> Lines:
        yield 'trace("variable", variable.get())'

    # ---- futures and tasks ---------------------------------------------------------------------------------

    def _set_result(self, node: Node) -> Lines:
        yield f"if not future_{node['future']}.done():"
        yield f"{INDENT}future_{node['future']}.set_result({node['id']})"

    def _set_exception(self, node: Node) -> Lines:
        yield f"if not future_{node['future']}.done():"
        yield f"{INDENT}future_{node['future']}.set_exception(LookupError({node['id']}))"

    def _cancel_future(self, node: Node) -> Lines:
        number = node["future"]
        yield f'trace("cancel future {number}", future_{number}.cancel({_message(node)}))'

    def _on_done(self, node: Node) -> Lines:
        name = f"done_callback_{node['id']}"
        yield f"def {name}(done):"
        yield f'{INDENT}trace("done callback {node["id"]}", *outcome(done))'
        yield from indented(self._statements(node["body"]))
        future = f"tasks[{node['task']}]" if "task" in node else f"future_{node['future']}"
        lines = [f"{future}.add_done_callback({name}{self._options(node)})"]
        if node["id"] in self._removed:
            lines.insert(0, f"done_callbacks[{node['id']}] = ({future}, {name})")
        if "task" in node:
            yield f"if {node['task']} in tasks:"
            yield from indented(lines)
        else:
            yield from lines

    def _off_done(self, node: Node) -> Lines:
        id = node["callback"]
        yield f"if {id} in done_callbacks:"
        yield f"{INDENT}future, callback = done_callbacks[{id}]"
        yield f'{INDENT}trace("remove done callback {id}", future.remove_done_callback(callback))'

    def _define_task(self, node: Node) -> Lines:
        name = f"task {node['id']}"
        yield f"async def task_{node['id']}():"
        yield f'{INDENT}trace("{name}", asyncio.current_task().get_name())'
        yield from indented(self._statements(node["body"]))
        if not any(inner["op"] in RAISING for inner in node["body"]):
            yield f'{INDENT}trace("{name} ends")'
            yield f"{INDENT}return {node['id']}"

    def _start(self, node: Node, where: str = "loop") -> str:
        id = node["id"]
        if self._keeps_tasks:
            return f"start({where}, tasks, {id}, task_{id}(){self._options(node)})"
        return f'{where}.create_task(task_{id}(), name="task {id}"{self._options(node)})'

    def _task(self, node: Node) -> Lines:
        yield from self._define_task(node)
        yield self._start(node)

    def _cancel_task(self, node: Node) -> Lines:
        id = node["task"]
        yield f"if {id} in tasks:"
        yield f'{INDENT}trace("cancel task {id}", tasks[{id}].cancel({_message(node)}))'

    # ---- waiting -------------------------------------------------------------------------------------------

    def _step(self, node: Node, awaitable: str) -> str:
        return f'await step(trace, "{node["op"]} {node["id"]}", {awaitable})'

    def _sleep0(self, node: Node) -> Lines:
        yield self._step(node, "asyncio.sleep(0)")

    def _sleep(self, node: Node) -> Lines:
        yield self._step(node, f"asyncio.sleep({_ticks(node['ticks'])})")

    def _things(self, node: Node) -> tuple[list[str], list[str]]:
        """Return the lines that define the tasks that an operation waits for, and what it waits for."""
        lines: list[str] = []
        things: list[str] = []
        for item in node["of"]:
            if item["op"] == "task":
                lines += self._define_task(item)
                things.append(self._start(item))
            elif item["op"] == "join":
                things.append(f"tasks[{item['task']}]")
            else:
                things.append(f"future_{item['future']}")
        return lines, things

    def _one(self, node: Node, template: str) -> Lines:
        """Yield an operation that waits for one thing."""
        lines, things = self._things(node)
        yield from lines
        for item, thing in zip(node["of"][:1], things[:1], strict=True):
            line = self._step(node, template.format(thing))
            if item["op"] == "join":
                yield f"if {item['task']} in tasks:"
                yield INDENT + line
            else:
                yield line

    def _await(self, node: Node) -> Lines:
        yield from self._one(node, "{}")

    def _shield(self, node: Node) -> Lines:
        yield from self._one(node, "asyncio.shield({})")

    def _wait_for(self, node: Node) -> Lines:
        yield from self._one(node, f"asyncio.wait_for({{}}, {_ticks(node['ticks'])})")

    def _many(self, node: Node, awaitable: str) -> Lines:
        """Yield an operation that waits for several things, of which some may not exist."""
        lines, things = self._things(node)
        yield from lines
        listed = [
            f"*existing(tasks, {item['task']})" if item["op"] == "join" else thing
            for item, thing in zip(node["of"], things, strict=True)
        ]
        yield f"things = [{', '.join(listed)}]"
        certain = any(item["op"] != "join" for item in node["of"])
        if not certain:
            yield "if things:"
        yield (INDENT if not certain else "") + self._step(node, awaitable)

    def _gather(self, node: Node) -> Lines:
        option = ", return_exceptions=True" if node["exceptions"] else ""
        yield from self._many(node, f"asyncio.gather(*things{option})")

    def _wait(self, node: Node) -> Lines:
        timeout = f", timeout={_ticks(node['ticks'])}" if "ticks" in node else ""
        when = f"return_when=asyncio.{RETURN_WHEN[node['when']]}"
        yield from self._many(node, f"named(names, asyncio.wait(set(things){timeout}, {when}))")

    def _timeout(self, node: Node) -> Lines:
        name = f"timeout_{node['id']}"
        yield "try:"
        delay = _ticks(node["ticks"])
        limit = f"timeout_at(loop.time() + {delay})" if "at" in node else f"timeout({delay})"
        yield f"{INDENT}async with asyncio.{limit} as {name}:"
        inside = list(self._statements(node["body"]))
        if "moved" in node:
            inside.insert(0, f"{name}.reschedule(loop.time() + {_ticks(node['moved'])})")
        yield from indented(indented(inside or ["pass"]))
        yield from _raise_again(f"timeout {node['id']}")
        yield f'trace("timeout {node["id"]}", {name}.expired())'

    def _group(self, node: Node) -> Lines:
        name = f"group_{node['id']}"
        yield "try:"
        yield f"{INDENT}async with asyncio.TaskGroup() as {name}:"
        inside: list[str] = []
        for item in node["of"]:
            inside += [*self._define_task(item), self._start(item, name)]
        inside += self._statements(node["body"])
        yield from indented(indented(inside or ["pass"]))
        yield from _raise_again(f"group {node['id']}")
        yield f'trace("group {node["id"]}")'

    def _call(self, node: Node) -> Lines:
        yield f"async def call_{node['id']}():"
        yield from indented([*self._statements(node["body"])] or ["pass"])
        yield self._step(node, f"call_{node['id']}()")

    def _catch(self, node: Node) -> Lines:
        label = f"catch {node['id']}"
        yield "try:"
        yield from indented([*self._statements(node["body"])] or ["pass"])
        yield "except asyncio.CancelledError as exc:"
        yield f'{INDENT}trace("{label}", *ending(exc))'
        if node["then"] == "raise":
            yield f"{INDENT}raise"
        elif node["then"] == "uncancel":
            yield f"{INDENT}this = asyncio.current_task()"
            yield f'{INDENT}trace("{label} uncancel", this.cancelling(), this.uncancel())'
        yield "except Exception as exc:"
        yield f'{INDENT}trace("{label}", *ending(exc))'

    # ---- descriptors ---------------------------------------------------------------------------------------

    def _add_reader(self, node: Node) -> Lines:
        id, watched = node["id"], f"watched_{node['pair']}"
        arguments, values = ("*args", ", *args") if node.get("args") else ("", "")
        yield f"def reader_{id}({arguments}):"
        yield f"{INDENT}data = {watched}.recv(1)"
        yield f'{INDENT}trace("reader {id}"{values}, len(data))'
        if "shut" in self._present:
            yield f"{INDENT}if not data:"
            yield f"{INDENT}{INDENT}loop.remove_reader({watched})"
        if node["body"]:
            yield f"{INDENT}if once({id}):"
            yield from indented(indented(self._statements(node["body"])))
        yield f"loop.add_reader({watched}, reader_{id}{self._options(node)})"

    def _add_writer(self, node: Node) -> Lines:
        id, watched = node["id"], f"watched_{node['pair']}"
        yield f"def writer_{id}():"
        yield f'{INDENT}trace("writer {id}")'
        yield f"{INDENT}loop.remove_writer({watched})"
        yield from indented(self._statements(node["body"]))
        yield f"loop.add_writer({watched}, writer_{id})"

    def _remove_reader(self, node: Node) -> Lines:
        number = node["pair"]
        yield f'trace("remove_reader {number}", loop.remove_reader(watched_{number}))'

    def _remove_writer(self, node: Node) -> Lines:
        number = node["pair"]
        yield f'trace("remove_writer {number}", loop.remove_writer(watched_{number}))'

    def _send(self, node: Node) -> Lines:
        yield f"send(peer_{node['pair']}, b{'x' * node['size']!r})".replace("'", '"')

    def _shut(self, node: Node) -> Lines:
        yield f"peer_{node['pair']}.shutdown(socket.SHUT_WR)"


def _raise_again(label: str) -> Lines:
    yield f"except {CAUGHT} as exc:"
    yield f'{INDENT}trace("{label}", *ending(exc))'
    yield f"{INDENT}raise"


def _ticks(ticks: int) -> str:
    return "T" if ticks == 1 else "0" if ticks == 0 else f"{ticks} * T"


def _message(node: Node) -> str:
    return f'"{node["message"]}"' if "message" in node else ""
