# SPDX-License-Identifier: MIT
"""The fork server of one target: imports once, forks a child for each scenario, supervises the children.

Run as ``INTERPRETER server.py FD``, where FD is one end of a socket pair that carries JSON lines.  The driver
sends requests; answers come as things happen, several children at a time:

    {"op": "setup", "factory", "path", "modules", "clock"}  ->  {"op": "ready", ...} or {"op": "failed", "why"}
    {"op": "run", "run", "id", "module", "function", "folder", "timeout", ...}
                    ->  {"op": "done", "run", "signal", "code", "hung", "wall"}
    {"op": "programs", "run", "programs", "folder", "timeout", ...}: a batch of random programs, likewise

Invariants.  The server makes no loop and no thread: only forked children do.  A child is the leader of its own
process group, and whatever is left of the group is killed when the child has ended.  The time a child spends
waiting for a CPU does not count against its time-out, so a busy machine makes no hangs.  When the driver's end
closes, the children are killed and the server ends.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from typing import Any, Callable, Dict, List, Optional

DUMP_AT = 0.8  # of the time-out: when a child is asked for its stacks
PROBE_TIMEOUT_S = 10.0
CLOCK_PROBE_TIMEOUT_S = 3.0
PR_SET_PDEATHSIG = 1


class Child:
    """A forked child under supervision."""

    def __init__(self, pid: int, run: str, timeout: float) -> None:
        self.pid = pid
        self.run = run
        self.timeout = timeout
        self.start = time.monotonic()
        self.asked_for_stacks = False
        self.hung = False

    def age(self) -> float:
        """Return the seconds since the start that the child did not spend waiting for a CPU."""
        return time.monotonic() - self.start - waited_for_cpu(self.pid)

    def supervise(self) -> None:
        """Ask a child that is near its time-out for its stacks; kill one that is past it."""
        age = self.age()
        if age >= self.timeout and not self.hung:
            self.hung = True
            kill_group(self.pid)
        elif age >= self.timeout * DUMP_AT and not self.asked_for_stacks:
            self.asked_for_stacks = True
            self.ask_for_stacks()

    def ask_for_stacks(self) -> None:
        """Have the child write the stacks of its threads and of its tasks."""
        from loopcheck_target import stacks

        for number in (stacks.THREADS_SIGNAL, stacks.TASKS_SIGNAL):
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass


def waited_for_cpu(pid: int) -> float:
    """Return the seconds that a process's main thread has waited for a CPU; 0 where the kernel does not say."""
    try:
        with open("/proc/%d/schedstat" % pid) as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def die_with_parent(number: int) -> None:
    """Have the kernel send this process a signal when its parent dies; 0: none.

    A server that imports, or a child of a server that was killed, could hang, and nobody would know of it.
    """
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def kill_group(pid: int) -> None:
    """Kill a child and everything in its process group."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


class Server:
    """The server: one control socket, one factory, the children that run."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._unread = b""
        self._children: Dict[int, Child] = {}
        self._modules: Dict[str, Any] = {}
        self._factory: Any = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)

    def serve(self) -> None:
        """Serve until the driver's end of the control socket closes."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the driver decides
        try:
            while self._one_round():
                pass
        finally:
            for child in self._children.values():
                kill_group(child.pid)

    def _one_round(self) -> bool:
        timeout = 0.05 if self._children else None
        control, wake = self._control.fileno(), self._wake_read
        readable, _, _ = select.select([control, wake], [], [], timeout)
        if wake in readable:
            os.read(self._wake_read, 4096)
        for child in list(self._children.values()):
            child.supervise()
        self._reap()
        return control not in readable or self._read_requests()

    def _read_requests(self) -> bool:
        data = self._control.recv(65536)
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._handle(json.loads(line.decode()))
        return bool(data)

    def _handle(self, request: Dict[str, Any]) -> None:
        if request["op"] == "setup":
            die_with_parent(signal.SIGKILL)
            if self._driver_is_there():  # asked after that, lest it die in between
                answer = self._setup(request)
                die_with_parent(0)  # from now on it listens, and tidies up when the driver's end closes
                self._answer(answer)
        elif request["op"] in ("run", "programs"):
            self._start(request)

    def _driver_is_there(self) -> bool:
        try:
            return bool(self._control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True

    def _answer(self, message: Dict[str, Any]) -> None:
        self._control.sendall((json.dumps(message) + "\n").encode())

    # ---- set-up: import everything, ask the target what it is ---------------------------------------------

    def _setup(self, request: Dict[str, Any]) -> Dict[str, Any]:
        from loopcheck_target import clock, factories, probe

        sys.path[0:0] = request["path"]
        sys.path.append(os.getcwd())
        try:
            self._factory = factories.load_factory(request["factory"])
            description = self._probe(lambda: probe.probe_loop(self._factory), PROBE_TIMEOUT_S)
        except factories.TargetError as exc:
            return {
                "op": "failed",
                "why": str(exc),
                "during": "import" if self._factory is None else "factory",
            }
        broken = self._import_scenarios(request["modules"])
        clock.load()
        chosen = self._choose_clock(request["clock"], probe.probe_clock)
        if request["clock"] == "virtual" and not chosen["virtual"]:
            why = "it cannot be run on the virtual clock: %s" % chosen["why"]
            return {"op": "failed", "why": why, "during": "factory"}
        return {
            "op": "ready",
            "python": sys.version.split()[0],
            "implementation": sys.implementation.name,
            "version": probe.loop_version(request["factory"].partition(":")[0]),
            "loop": description,
            "capabilities": probe.capabilities(),
            "clock": chosen,
            "broken": broken,
        }

    def _choose_clock(self, wanted: str, probe_clock: Callable[[Any], Dict[str, Any]]) -> Dict[str, Any]:
        from loopcheck_target.factories import TargetError

        if wanted == "real":
            return {"virtual": False, "why": "the real clock was asked for"}
        try:
            return self._probe(lambda: probe_clock(self._factory), CLOCK_PROBE_TIMEOUT_S)
        except TargetError as exc:
            return {"virtual": False, "why": "the trial with an hour's timer failed: %s" % exc}

    def _import_scenarios(self, modules: List[Dict[str, str]]) -> Dict[str, str]:
        """Import scenario files; return the error of each that does not import, by its name."""
        import importlib.util

        broken = {}
        for module in modules:
            spec = importlib.util.spec_from_file_location("scenarios." + module["name"], module["file"])
            assert spec is not None and spec.loader is not None
            imported = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = imported  # where dataclasses look up annotations
            try:
                spec.loader.exec_module(imported)
            except BaseException as exc:
                broken[module["name"]] = "%s: %s" % (type(exc).__name__, exc)
            else:
                self._modules[module["name"]] = imported
        if hasattr(gc, "freeze"):
            gc.freeze()
        return broken

    def _probe(self, function: Callable[[], Dict[str, Any]], timeout: float) -> Dict[str, Any]:
        """Return function's result, from a forked child.  Raises TargetError, also for a crash or a hang."""
        from loopcheck_target.factories import TargetError

        read_end, write_end = os.pipe()
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            in_child(lambda: send_result(function, write_end), server)
        os.close(write_end)
        child = Child(pid, "probe", timeout)
        child.asked_for_stacks = True  # a probe has nowhere to write them
        data = read_all(read_end, child)
        os.close(read_end)
        kill_group(pid)
        _, status = os.waitpid(pid, 0)
        if child.hung:
            raise TargetError("making a loop and running a callback on it did not end within %g s" % timeout)
        if not data:
            raise TargetError("making a loop and running a callback on it %s" % ending(status))
        result: Dict[str, Any] = json.loads(data.decode())
        if "error" in result:
            raise TargetError(result["error"])
        return result

    # ---- runs ---------------------------------------------------------------------------------------------

    def _start(self, request: Dict[str, Any]) -> None:
        from loopcheck_target import child  # noqa: F401  here, lest every child compile it again

        if request["op"] == "programs":
            from loopcheck_target import batch  # noqa: F401
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            in_child(lambda: self._run_in_child(request), server)
        try:
            os.setpgid(pid, pid)  # the child does it too: whoever comes first
        except OSError:
            pass
        self._children[pid] = Child(pid, request["run"], request["timeout"])

    def _run_in_child(self, request: Dict[str, Any]) -> None:
        from loopcheck_target import child

        self._control.close()
        signal.set_wakeup_fd(-1)
        os.close(self._wake_read)
        os.close(self._wake_write)
        base = os.path.join(request["folder"], request["run"])
        trace_fd = os.open(base + ".trace", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            child.prepare_process(base + ".output")
            if request["op"] == "programs":
                from loopcheck_target import batch

                batch.run_batch(request, self._factory, trace_fd)
            else:
                function = getattr(self._modules[request["module"]], request["function"])
                child.run(request, function, self._factory, trace_fd)
        except BaseException:  # a scenario's own exceptions do not get here: this is ours
            record = {"k": "harness", "text": traceback.format_exc()}
            os.write(trace_fd, (json.dumps(record) + "\n").encode())
            raise

    def _reap(self) -> None:
        for pid, child in list(self._children.items()):
            if has_ended(pid):
                del self._children[pid]
                kill_group(pid)  # before it is reaped: afterwards its number may be somebody else's
                _, status = os.waitpid(pid, 0)
                self._answer(done_message(child, status))


def has_ended(pid: int) -> bool:
    """Return whether a child has ended; it is not reaped."""
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rpartition(")")[2].split()[0] == "Z"


def done_message(child: Child, status: int) -> Dict[str, Any]:
    """Return the supervisor's record of a child that ended."""
    return {
        "op": "done",
        "run": child.run,
        "hung": child.hung,
        "signal": signal_name(os.WTERMSIG(status)) if os.WIFSIGNALED(status) else "",
        "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "wall": round(time.monotonic() - child.start, 4),
    }


def signal_name(number: int) -> str:
    """Return a signal's name, or its number as text."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number


def ending(status: int) -> str:
    """Return how a process ended, as a predicate for a sentence."""
    if os.WIFSIGNALED(status):
        return "ended with %s" % signal_name(os.WTERMSIG(status))
    return "called _exit(%d)" % os.WEXITSTATUS(status)


def in_child(function: Callable[[], None], server: int) -> None:
    """Call function in a child forked by server, and leave, never returning into the server's code."""
    code = 70
    try:
        die_with_parent(signal.SIGKILL)
        if os.getppid() == server:  # asked after that, lest it die in between
            function()
            code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def send_result(function: Callable[[], Dict[str, Any]], write_end: int) -> None:
    """Write function's result, or the TargetError it raised, to a pipe as JSON."""
    from loopcheck_target.factories import TargetError

    os.setpgid(0, 0)
    silence()
    try:
        result = function()
    except TargetError as exc:
        result = {"error": str(exc)}
    except BaseException as exc:
        result = {"error": "running a callback on a new loop raised %s: %s" % (type(exc).__name__, exc)}
    os.write(write_end, json.dumps(result).encode())


def silence() -> None:
    """Send standard output and error to nowhere."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)


def read_all(fd: int, child: Optional[Child]) -> bytes:
    """Read fd until its end while supervising child."""
    data = b""
    while True:
        readable, _, _ = select.select([fd], [], [], 0.05)
        if readable:
            chunk = os.read(fd, 65536)
            if not chunk:
                return data
            data += chunk
        elif child is not None:
            child.supervise()
            if child.hung:
                return b""


def main() -> None:
    """Serve on the descriptor named by the only argument."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [os.path.dirname(here)] + [path for path in sys.path if path != here]  # the package, as one
    os.environ.pop("LD_PRELOAD", None)  # loaded by now; what a scenario starts runs without it
    Server(socket.socket(fileno=int(sys.argv[1]))).serve()


if __name__ == "__main__":
    main()
