"""Starts a command that ends when its parent dies: ``python die_with_parent.py PARENT SIGNAL COMMAND...``.

It runs in its own interpreter, so that our code never runs between a fork and an exec. On Linux the kernel sends
SIGNAL to the command when the process PARENT dies, however it dies. Elsewhere the command is only started.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2); kept across execve


def die_with(parent: int, signal: int) -> None:
    """Have the kernel send this process SIGNAL when PARENT dies; exit when PARENT is not its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)  # the parent died before the request


def main(parent: str, signal: str, *command: str) -> None:
    """Ask the kernel for SIGNAL, then become ``command``."""
    die_with(int(parent), int(signal))
    os.execvp(command[0], command)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(*sys.argv[1:])
