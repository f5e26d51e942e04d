# SPDX-License-Identifier: MIT
"""create_task(): when the coroutine runs, what the task is called, and the task factory that makes it."""

import asyncio
import contextvars

from loopcheck_target import scenario


def attempt(trace, name, function, *args):
    """Trace what the call returns or raises."""
    try:
        trace(name, function(*args))
    except Exception as exc:
        trace(name, exc)


def run_for(loop, seconds):
    """Run the loop for a bounded time."""
    loop.call_later(seconds, loop.stop)
    loop.run_forever()


class OwnTask(asyncio.Task):
    """What a task factory may return."""


@scenario(
    statements=["create_task.returns-task", "create_task.subclass-allowed"], requires=["asyncio-futures"]
)
async def new_task_is_an_asyncio_task(loop, trace):
    """create_task() returns a Task, or an instance of a subclass."""
    task = loop.create_task(asyncio.sleep(0))
    trace("is a task", isinstance(task, asyncio.Task), asyncio.isfuture(task))
    await task


@scenario(statements=["create_task.schedules"])
def task_runs_without_being_awaited(loop, trace, T):
    """create_task() schedules the coroutine: it runs without being awaited."""

    async def work():
        trace("started")
        await asyncio.sleep(0)
        trace("resumed")
        return "result"

    coro = work()
    task = loop.create_task(coro)
    trace("is a task", asyncio.isfuture(task), task.get_coro() is coro)
    trace("attached", task.get_loop() is loop)
    run_for(loop, T)
    trace("done", task.done(), task.cancelled())
    trace("result", task.result())


@scenario(statements=["create_task.not-synchronous"])
async def task_waits_for_its_turn(loop, trace):
    """create_task() runs nothing of the coroutine: its first step takes its turn among the callbacks."""

    async def work():
        trace("first step")

    loop.call_soon(trace, "scheduled before")
    task = loop.create_task(work())
    trace("created", task.done())
    loop.call_soon(trace, "scheduled after")
    await task
    trace("done", task.done())


@scenario(
    statements=[
        "create_task.name",
        "create_task.name-none",
        "create_task.kwonly",
        "Task.get_name.default",
    ]
)
async def task_has_a_name(loop, trace):
    """The keyword name names the task; without it, or with None, the task gets an automatic name."""

    async def work():
        trace("working as", asyncio.current_task().get_name())

    await loop.create_task(work(), name="reader")
    automatic = [loop.create_task(asyncio.sleep(0)), loop.create_task(asyncio.sleep(0), name=None)]
    names = [task.get_name() for task in automatic]
    trace("automatic", [isinstance(name, str) and name not in ("", "None") for name in names])
    trace("all different", len(set(names)) == 2)
    await asyncio.wait(automatic)
    coro = work()
    try:
        loop.create_task(coro, "reader")
    except TypeError as exc:
        trace("positional", type(exc))
    coro.close()


@scenario(statements=["create_task.not-coroutine", "set_task_factory.bad"])
def wrong_arguments_are_refused(loop, trace):
    """create_task() refuses what is not a coroutine, set_task_factory() what cannot be called."""

    async def coroutine_function():
        trace("must not run")

    attempt(trace, "number", loop.create_task, 42)
    attempt(trace, "coroutine function", loop.create_task, coroutine_function)
    attempt(trace, "future", loop.create_task, loop.create_future())
    attempt(trace, "factory", loop.set_task_factory, 42)
    trace("factory in force", loop.get_task_factory())


@scenario(
    statements=[
        "current_task.running",
        "current_task.none",
        "current_task.loop",
        "all_tasks.unfinished",
        "all_tasks.loop",
    ]
)
def current_task_follows_the_switches(loop, new_event_loop, trace, T):
    """current_task() is the task that runs now, all_tasks() the tasks of one loop that are not done."""
    other = new_event_loop()

    async def work():
        for _ in range(2):
            trace("current", asyncio.current_task().get_name(), asyncio.current_task() is tasks[0])
            await asyncio.sleep(0)

    def names(loop):
        return sorted(task.get_name() for task in asyncio.all_tasks(loop))

    tasks = [loop.create_task(work(), name=name) for name in ("a", "b")]
    trace("all", names(loop), names(other))
    loop.call_soon(lambda: trace("in a callback", asyncio.current_task()))
    run_for(loop, T)
    trace("all after the run", names(loop))
    trace("current of an idle loop", asyncio.current_task(loop))
    attempt(trace, "current_task, no running loop", asyncio.current_task)
    attempt(trace, "all_tasks, no running loop", asyncio.all_tasks)


@scenario(
    statements=[
        "get_task_factory.default-none",
        "get_task_factory.value",
        "set_task_factory.used",
        "set_task_factory.loop-arg",
        "set_task_factory.coro-arg",
        "set_task_factory.future-compatible",
        "set_task_factory.none",
        "create_task.name",
    ]
)
def task_factory_makes_the_tasks(loop, trace):
    """create_task() returns what the factory makes of loop and coroutine; None restores the default."""

    async def work():
        return "result"

    def factory(active, coro, **options):
        trace("factory", active is loop, coro is first)
        return OwnTask(coro, loop=active, **options)

    first, second = work(), work()
    trace("at first", loop.get_task_factory())
    loop.set_task_factory(factory)
    trace("in force", loop.get_task_factory() is factory)
    task = loop.create_task(first, name="named")
    trace("made", isinstance(task, OwnTask), task.get_name())
    trace("result", loop.run_until_complete(task))
    loop.set_task_factory(None)
    trace("restored", loop.get_task_factory())
    task = loop.create_task(second)
    trace("made", isinstance(task, OwnTask), loop.run_until_complete(task))


@scenario(statements=["set_task_factory.signature-3.6"])
def factory_of_two_arguments_suffices(loop, trace):
    """A task factory is called as factory(loop, coro)."""

    async def work():
        trace("working")

    def factory(active, coro):
        trace("factory", active is loop)
        return asyncio.Task(coro, loop=active)

    loop.set_task_factory(factory)
    loop.run_until_complete(loop.create_task(work()))


@scenario(statements=["set_task_factory.signature"])
def factory_receives_the_context(loop, trace):
    """The context given to create_task() reaches the factory as the keyword context."""
    given = contextvars.copy_context()

    async def work():
        trace("working")

    def factory(active, coro, context=None, **options):
        trace("factory", context is given, context is None)
        return asyncio.Task(coro, loop=active, context=context, **options)

    loop.set_task_factory(factory)
    loop.run_until_complete(loop.create_task(work(), context=given))
    loop.run_until_complete(loop.create_task(work()))


@scenario(statements=["create_task.name-none.factory"])
def factory_made_task_keeps_its_automatic_name(loop, trace):
    """Without a name, or with None, a task that a factory made keeps the name that it gave itself."""

    async def work():
        return asyncio.current_task().get_name()

    loop.set_task_factory(lambda active, coro, **options: OwnTask(coro, loop=active, **options))
    for name, options in (("no name", {}), ("None", {"name": None}), ("a name", {"name": "reader"})):
        seen = loop.run_until_complete(loop.create_task(work(), **options))
        trace(name, seen == "reader", seen in ("", "None"))


@scenario(statements=["create_task.kwargs-3.14", "set_task_factory.signature-3.14"])
def factory_receives_every_keyword(loop, trace):
    """Every keyword of create_task() reaches the factory; one that does not take them fails."""
    given = contextvars.copy_context()

    async def work():
        trace("working")

    def factory(active, coro, **options):
        trace("factory", options.get("name"), options.get("context") is given, options.get("eager_start"))
        return asyncio.Task(coro, loop=active, **options)

    loop.set_task_factory(factory)
    loop.run_until_complete(loop.create_task(work()))
    loop.run_until_complete(loop.create_task(work(), name="reader", context=given, eager_start=False))
    loop.set_task_factory(lambda active, coro, context=None: asyncio.Task(coro, loop=active, context=context))
    coro = work()
    attempt(trace, "name", lambda: loop.create_task(coro, name="reader"))
    coro.close()


@scenario(statements=["Task.add_done_callback"])
def task_is_made_by_its_class(loop, trace):
    """asyncio.Task(coro, loop=..., name=...) is a task too; a done callback runs in the context given for it."""

    async def work():
        trace("runs", asyncio.current_task() is task)
        return "result"

    def done(finished):
        trace("done", finished is task, variable.get())

    variable = contextvars.ContextVar("variable", default="unset")
    context = contextvars.copy_context()
    context.run(variable.set, "of the context")
    task = asyncio.Task(work(), loop=loop, name="by hand")
    task.add_done_callback(done)
    task.add_done_callback(done, context=context)
    trace("name", task.get_name(), task.done())
    trace("result", loop.run_until_complete(task))


@scenario(basis="observed: a coroutine for a closed loop is refused, and stays the caller's")
def closed_loop_makes_no_tasks(loop, trace):
    """create_task() of a closed loop raises RuntimeError."""

    async def work():
        trace("must not run")

    coro = work()
    loop.close()
    try:
        loop.create_task(coro)
        trace("accepted")
    except RuntimeError as exc:
        trace("refused", exc)
    coro.close()
