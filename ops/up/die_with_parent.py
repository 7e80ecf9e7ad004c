"""Starts a command that ends when its parent does: ``python tether.py PARENT SIGNAL COMMAND...``.

A file of its own, run in an interpreter of its own, so that nothing of ours runs between a fork and an exec. On Linux
the kernel sends SIGNAL to the command when the process PARENT dies, however it dies; elsewhere it is only started.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2); kept across execve


def main(parent: str, signal: str, *command: str) -> None:
    """Become ``command``."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal), 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit(1)  # it died before we asked
    os.execvp(command[0], command)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(*sys.argv[1:])
