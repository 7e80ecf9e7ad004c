"""The supervisor's side of the template: has processes forked that have their modules loaded already."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

from ops.up.template import GO, HEADER

_PATIENCE = 60.0
"""Seconds that a fork may take. The first one waits until the modules are loaded."""


class ForkedProcess:
    """A process that was forked for us, with what ``ProcessRun`` needs of ``asyncio.subprocess.Process``."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def send_signal(self, number: int) -> None:
        """Send a signal.

        Raises:
            ProcessLookupError: it has ended.
        """
        if self._handle < 0:
            raise ProcessLookupError
        signal.pidfd_send_signal(self._handle, number)

    async def wait(self) -> int:
        """Its exit status (negative: a signal). Called once."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._handle, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._handle)
        _, status = os.waitpid(self.pid, 0)  # noqa: ASYNC222 - it has ended
        os.close(self._handle)
        self._handle = -1
        return os.waitstatus_to_exitcode(status)


class Template:
    """A process that has loaded what workers need (``ops.up.template``). It ends with us, or when it is closed."""

    def __init__(self, module: str, env: Mapping[str, str], *, patience_s: float = _PATIENCE) -> None:
        """Begin it. It loads its modules while we go on.

        Args:
            module: What it loads; ``load`` of this module loads more.
            env: Its environment. Modules that read variables when they are loaded see this one.
            patience_s: How long a fork may take; the process is started instead.
        """
        self._patience_s = patience_s
        self._module = module
        self._env = {"PYTHONUNBUFFERED": "1", **env}
        self._begin()

    def _begin(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            arguments = (str(theirs.fileno()), str(os.getpid()), self._module)
            self._process = subprocess.Popen(
                (sys.executable, "-P", "-u", "-m", "ops.up.template", *arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=self._env,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    async def fork(
        self, arguments: tuple[str, ...], env: Mapping[str, str], *, dying: signal.Signals, output: int
    ) -> ForkedProcess:
        """Fork a process and have it run ``python`` with these arguments (``-m module ...``).

        Args:
            arguments: Of Python, without its options.
            env: The whole environment of the process.
            dying: What the kernel sends it when we end.
            output: A descriptor for its stdout and stderr.

        Raises:
            OSError: it cannot be forked. The next call tries with another template.
        """
        if self._process.poll() is not None:
            self._control.close()
            self._begin()
        order = json.dumps({"arguments": arguments, "env": dict(env), "signal": int(dying)}).encode()
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                socket.send_fds(self._control, [b"f"], [theirs.fileno()])
            ours.setblocking(False)
            socket.send_fds(ours, [len(order).to_bytes(HEADER)], [output])
            loop = asyncio.get_running_loop()
            try:
                async with asyncio.timeout(self._patience_s):
                    await loop.sock_sendall(ours, order)
                    said = await loop.sock_recv(ours, 32)
            except TimeoutError as problem:  # it has no words of its own
                raise TimeoutError(f"the template did not answer within {self._patience_s:g} s") from problem
            if not said:
                raise OSError("the template has ended")
            forked = ForkedProcess(int(said))
            await loop.sock_sendall(ours, GO)
        return forked

    def close(self) -> None:
        """End it. What was forked goes on."""
        self._control.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
