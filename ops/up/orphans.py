"""Makes this process the parent of what its children leave behind, and waits for those that have ended.

The kernel gives a process whose parent has ended to the nearest ancestor that asked for such processes. That is how a
worker that was forked by the template (``ops.up.template``) becomes a child of the supervisor. The MCP servers of a
killed worker come as well. They end by themselves, and stay as zombies until their new parent waits for them.
"""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
CAN_ADOPT = sys.platform == "linux"


class Children:
    """The pids of the processes that have an owner who waits for them; the others are orphans."""

    def __init__(self) -> None:
        self.owned: set[int] = set()
        self._starting = 0

    def adopt(self) -> bool:
        """Become the parent of orphaned descendants; False where the system cannot do that."""
        if not CAN_ADOPT or ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            return False
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self.look)
        return True

    @contextmanager
    def starting(self) -> Generator[None]:
        """Inside the block, processes may appear whose pids are not in ``owned`` yet."""
        self._starting += 1
        try:
            yield
        finally:
            self._starting -= 1
            self.look()

    def look(self) -> None:
        """Wait for the orphans that have ended.

        The kernel shows one ended child at a time. One with an owner hides those behind it, so ``ended`` looks again.
        """
        while not self._starting:
            try:
                seen = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                # What a library starts is in our own process session; what we start is not, nor are its descendants.
                if seen is None or seen.si_pid in self.owned or os.getsid(seen.si_pid) == os.getsid(0):
                    return
                os.waitpid(seen.si_pid, os.WNOHANG)
            except (ChildProcessError, ProcessLookupError):
                return

    def ended(self, pid: int) -> None:
        """Its owner has waited for it."""
        self.owned.discard(pid)
        self.look()
