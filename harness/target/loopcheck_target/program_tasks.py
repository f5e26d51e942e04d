# SPDX-License-Identifier: MIT
"""What the tasks of a random program do: operations that wait, and those that make and cancel tasks.

``_do_NAME`` is an operation that anybody can do, ``_wait_NAME`` one that only a coroutine can.  The trace says how
every wait ended: with its result, or with an exception, which goes on its way.
"""

import asyncio
from typing import Any, Awaitable, Callable, Dict, List, Optional, Set

from . import goals

NEW: Any = asyncio  # what asyncio has since Python 3.11; programs for older ones have no such operation

Node = Dict[str, Any]
RETURN_WHEN = {
    "first": asyncio.FIRST_COMPLETED,
    "exception": asyncio.FIRST_EXCEPTION,
    "all": asyncio.ALL_COMPLETED,
}


class TaskOperations:
    """The part of a program that concerns tasks."""

    loop: Any
    tick: float
    tasks: Dict[int, Any]
    names: Dict[Any, str]
    waiting: Dict[int, str]
    cancelled: Set[int]
    reached: Set[str]
    event: Callable[..., None]
    execute: Callable[[Any], None]
    future: Callable[[int], Any]
    _options: Callable[[Node], Dict[str, Any]]

    # ---- making and cancelling -----------------------------------------------------------------------------

    def new_task(self, node: Node, where: Any = None) -> Any:
        """Start a task, on the loop or in a group."""
        id = node["id"]
        name = "task %d" % id
        options = self._options(node)
        if "eager" in node:
            self.reached.add(goals.EAGER)
            options["eager_start"] = True
        task = (where or self.loop).create_task(self._body(node, name), name=name, **options)
        self.tasks[id] = task
        self.names[task] = name
        return task

    async def _body(self, node: Node, name: str) -> int:
        id: int = node["id"]
        self.waiting[id] = "nothing"
        self.cancelled.discard(id)
        task: Any = asyncio.current_task()
        self.event(name, task.get_name())
        await self._steps(node["body"], id)
        self.event(name + " ends")
        self.waiting[id] = "nothing"
        return id

    async def _steps(self, nodes: List[Node], owner: int) -> None:
        for node in nodes:
            wait = WAITS.get(node["op"])
            if wait is not None:
                await wait(self, node, owner)
            else:
                if node["op"] == "task":
                    self.reached.add(goals.TASK_FROM_TASK)
                self.owner = owner
                self.execute((node,))
                self.owner = 0

    owner = 0

    def _do_task(self, node: Node) -> None:
        """Start a task."""
        self.new_task(node)

    def _do_cancel_task(self, node: Node) -> None:
        """Cancel a task, which may be the one that does it."""
        id = node["task"]
        task = self.tasks.get(id)
        if task is not None:
            if not task.done():
                self._note_cancel_task(id)
            message = [node["message"]] if "message" in node else []
            self.event("cancel task %d" % id, task.cancel(*message))

    def _note_cancel_task(self, id: int) -> None:
        if id in self.cancelled:
            self.reached.add(goals.CANCELLED_TWICE)
        elif id == self.owner:
            self.reached.add(goals.CANCELLED_SELF)
        elif id not in self.waiting:
            self.reached.add(goals.CANCELLED_BEFORE_START)
        elif self.waiting[id] in goals.CANCELLED_IN:
            self.reached.add(goals.CANCELLED_IN[self.waiting[id]])
        self.cancelled.add(id)

    # ---- waiting -------------------------------------------------------------------------------------------

    def _things(self, node: Node) -> List[Any]:
        """Return what an operation waits for; what does not exist is left out."""
        found: List[Any] = []
        for item in node["of"]:
            if item["op"] == "future":
                found.append(self.future(item["future"]))
            elif item["op"] == "join":
                found.append(self.tasks.get(item["task"]))
            else:
                found.append(self.new_task(item))
        return [thing for thing in found if thing is not None]

    async def _wait(self, node: Node, owner: int, awaitable: Awaitable[Any]) -> None:
        """Await something; trace how it ended."""
        name = "%s %d" % (node["op"], node["id"])
        before, self.waiting[owner] = self.waiting[owner], node["op"]
        try:
            value = await awaitable
        except BaseException as exc:
            self.cancelled.discard(owner)
            self._note_exception(node["op"], exc)
            self.event(name, *self.exception(exc))
            raise
        finally:
            self.waiting[owner] = before
        self.event(name, self.plain(value))

    def _note_exception(self, op: str, exc: BaseException) -> None:
        if op == "wait_for" and isinstance(exc, asyncio.TimeoutError):
            self.reached.add(goals.WAIT_FOR_EXPIRED)
        elif op == "gather" and isinstance(exc, LookupError):
            self.reached.add(goals.GATHERED_EXCEPTION)

    def exception(self, exc: BaseException) -> List[Any]:
        """Return an exception as plain data."""
        from .program import ending

        return ending(exc)

    def plain(self, value: Any) -> Any:
        """Return a result as plain data."""
        if isinstance(value, BaseException):
            return self.exception(value)
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        if isinstance(value, tuple):
            return [sorted(self.names[future] for future in futures) for futures in value]
        return value

    async def _wait_sleep0(self, node: Node, owner: int) -> None:
        """Sleep for one iteration."""
        await self._wait(node, owner, asyncio.sleep(0))

    async def _wait_sleep(self, node: Node, owner: int) -> None:
        """Sleep for a while."""
        await self._wait(node, owner, asyncio.sleep(node["ticks"] * self.tick))

    async def _wait_await(self, node: Node, owner: int) -> None:
        """Wait for a future or a task."""
        for thing in self._things(node)[:1]:
            await self._wait(node, owner, thing)

    async def _wait_shield(self, node: Node, owner: int) -> None:
        """Wait for a future or a task that is not cancelled with this one."""
        for thing in self._things(node)[:1]:
            try:
                await self._wait(node, owner, asyncio.shield(thing))
            finally:
                if not thing.done():
                    self.reached.add(goals.SHIELD_HELD)

    async def _wait_wait_for(self, node: Node, owner: int) -> None:
        """Wait for a future or a task for some time."""
        for thing in self._things(node)[:1]:
            await self._wait(node, owner, asyncio.wait_for(thing, node["ticks"] * self.tick))

    async def _wait_wait(self, node: Node, owner: int) -> None:
        """Wait for some of several futures and tasks."""
        things = set(self._things(node))
        if things:
            ticks = node.get("ticks")
            timeout = None if ticks is None else ticks * self.tick
            await self._wait(
                node,
                owner,
                asyncio.wait(things, timeout=timeout, return_when=RETURN_WHEN[node["when"]]),
            )
            if not all(thing.done() for thing in things):
                self.reached.add(goals.WAIT_LEFT_SOME)

    async def _wait_gather(self, node: Node, owner: int) -> None:
        """Wait for several futures and tasks, and collect what they have."""
        things = self._things(node)
        if things:
            gathered = asyncio.gather(*things, return_exceptions=node["exceptions"])
            await self._wait(node, owner, gathered)

    def _new_timeout(self, node: Node) -> Any:
        delay = node["ticks"] * self.tick
        return NEW.timeout_at(self.loop.time() + delay) if "at" in node else NEW.timeout(delay)

    async def _wait_timeout(self, node: Node, owner: int) -> None:
        """Do operations in limited time; the limit may be moved at the beginning."""
        name = "timeout %d" % node["id"]
        before, self.waiting[owner] = self.waiting[owner], "timeout"
        try:
            async with self._new_timeout(node) as timeout:
                if "moved" in node:
                    self.reached.add(goals.TIMEOUT_MOVED)
                    timeout.reschedule(self.loop.time() + node["moved"] * self.tick)
                await self._steps(node["body"], owner)
        except BaseException as exc:
            if isinstance(exc, asyncio.TimeoutError):
                self.reached.add(goals.TIMEOUT_EXPIRED)
            self.event(name, *self.exception(exc))
            raise
        finally:
            self.waiting[owner] = before
        self.event(name, timeout.expired())

    async def _wait_group(self, node: Node, owner: int) -> None:
        """Do operations beside a task of a group, and wait for it."""
        name = "group %d" % node["id"]
        before, self.waiting[owner] = self.waiting[owner], "group"
        try:
            async with NEW.TaskGroup() as group:
                for item in node["of"]:
                    self.new_task(item, group)
                await self._steps(node["body"], owner)
        except BaseException as exc:
            self.cancelled.discard(owner)
            if hasattr(exc, "exceptions"):
                self.reached.add(goals.GROUP_FAILED)
            self.event(name, *self.exception(exc))
            raise
        finally:
            self.waiting[owner] = before
        self.event(name)

    async def _wait_call(self, node: Node, owner: int) -> None:
        """Do operations in a coroutine of their own, without a task."""
        await self._wait(node, owner, self._steps(node["body"], owner))

    async def _wait_catch(self, node: Node, owner: int) -> None:
        """Do operations, and survive the exceptions that they raise; perhaps a cancellation, too."""
        name = "catch %d" % node["id"]
        try:
            await self._steps(node["body"], owner)
        except asyncio.CancelledError as exc:
            self.event(name, *self.exception(exc))
            if node["then"] == "raise":
                raise
            self.reached.add(goals.SWALLOWED)
            if node["then"] == "uncancel":
                task: Any = asyncio.current_task()
                self.event(name + " uncancel", task.cancelling(), task.uncancel())
        except Exception as exc:
            self.event(name, *self.exception(exc))


Wait = Callable[[Any, Node, int], Awaitable[None]]
WAITS: Dict[str, Optional[Wait]] = {
    name[6:]: function for name, function in vars(TaskOperations).items() if name.startswith("_wait_")
}
