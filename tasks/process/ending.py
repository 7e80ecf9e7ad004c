"""How a process ends: by which signals (the first lets its work finish, another one does not wait), and in a fork."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn


def ending_signals() -> tuple[signal.Signals, ...]:
    """SIGTERM, SIGINT and SIGHUP, which comes when a terminal closes.

    A process that was started with SIGHUP ignored (by nohup) goes on ignoring it.
    """
    hangup = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGTERM, signal.SIGINT, *hangup)


def run_forked(run: Callable[[], object]) -> NoReturn:
    """Run all that a forked process does. It ends as a started one would, but for taking its modules apart.

    It shares their memory with the process that it was forked from. To take 170 MiB of them apart writes there, and
    costs 0.13 s of processor time.
    """
    status = 0
    try:
        run()
    except SystemExit as asked:
        status = _status_of(asked)
    except Exception as problem:  # noqa: BLE001 - the end of a process: it is told as Python tells it
        sys.excepthook(type(problem), problem, problem.__traceback__)
        status = 1
    threading._shutdown()  # pyright: ignore[reportAttributeAccessIssue] # noqa: SLF001 - waits for threads, as Python does
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage] # noqa: SLF001 - as multiprocessing ends its forks
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            status = status or 120  # Python's own, for output that cannot be written
    os._exit(status)


def _status_of(asked: SystemExit) -> int:
    """What `sys.exit` was given: nothing, a number, or words for stderr."""
    if asked.code is None or isinstance(asked.code, int):
        return (asked.code or 0) & 0xFF
    print(asked.code, file=sys.stderr)  # noqa: T201 - as Python does
    return 1
