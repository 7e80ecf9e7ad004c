"""``python -m tests.harness.nursery FD MODULE...``: begins processes that have the product's modules loaded already.

A worker's imports take three seconds of processor time, and a stage has a worker or two for each test. A child that is
forked from a process without threads differs from a started one in nothing but that: it has a session, an environment,
output and signals of its own, and runs ``python -m module`` from its first line. Tests of how a process starts, the
benchmark and the chaos run start theirs by exec.
"""

import functools
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
LOADED = ("workers.process.app", "bot.wiring", "playground.server", "tests.support.model")
READY_S = 60.0
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
    """The test's side; the process behind it ends with the block or with this process, and all its children with it."""

    def __init__(self, loaded: Sequence[str] = LOADED) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._news = threading.Condition()
        self._children: dict[int, Child] = {}
        self._begun: list[Child] = []
        self._ordering = threading.Lock()
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-u", "-m", __name__, str(theirs.fileno()), *loaded],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        threading.Thread(target=self._listen, name="nursery", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.shutdown(socket.SHUT_RDWR)
        self._server.wait(READY_S)
        self._control.close()

    def begin(self, argv: Sequence[str], environ: Mapping[str, str], output: int) -> Child:
        """Begin ``python`` with these arguments (``-m module ...``); ``output`` is its stdout and stderr.

        Raises:
            TimeoutError: the nursery does not answer.
        """
        order = json.dumps({"argv": list(argv), "environ": dict(environ)}).encode()
        with self._ordering:
            socket.send_fds(self._control, [order], [output])
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


@functools.cache
def nursery() -> Nursery:
    """The one of this process."""
    return Nursery()


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
                order, outputs, _, _ = socket.recv_fds(control, MESSAGE, 1)
                if not order:
                    for handle in children:
                        signal.pidfd_send_signal(handle, signal.SIGKILL)
                    return None
                pid = os.fork()
                if pid == 0:
                    for handle in children:
                        os.close(handle)
                    return json.loads(order) | {"output": outputs[0]}
                os.close(outputs[0])
                handle = os.pidfd_open(pid)
                children[handle] = pid
                selector.register(handle, selectors.EVENT_READ)
                control.send(json.dumps({"begun": pid}).encode())


def become(order: dict[str, Any]) -> None:
    """Be the process that was ordered."""
    os.setsid()
    for standard in (1, 2):
        os.dup2(order["output"], standard)
    os.close(order["output"])
    os.environ.clear()
    os.environ.update(order["environ"])
    flag, module, *arguments = order["argv"]
    assert flag == "-m"
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as control:
        for name in sys.argv[2:]:
            importlib.import_module(name)
        assert len([*Path("/proc/self/task").iterdir()]) == 1, "a forked process would lack the threads of this one"
        gc.collect()
        gc.freeze()
        order = serve(control)
    if order is not None:
        become(order)


if __name__ == "__main__":
    main()
