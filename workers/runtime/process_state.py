"""What a module of a card's tools changes of its process when it is imported is put back: other agents share it."""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

_SIGNALS = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGCHLD,
    signal.SIGUSR1,
    signal.SIGUSR2,
)


class Shared:
    """What all chats of a worker share, as it is now. After a tool's call it is put back.

    Of the environment only what went missing is: where keys of models are gone, each turn of the worker fails. What a
    tool adds or sets stays, because other calls may be using it.
    """

    def __init__(self) -> None:
        self._here = Path.cwd()
        self._environ = dict(os.environ)
        self._disabled = logging.root.manager.disable
        self._timeout, self._depth = socket.getdefaulttimeout(), sys.getrecursionlimit()

    def put_back(self) -> None:
        """Safe to call from any thread, also while other tools run."""
        with suppress(OSError):
            if Path.cwd() != self._here:
                os.chdir(self._here)
        for name, value in self._environ.items():
            os.environ.setdefault(name, value)
        logging.disable(self._disabled)
        socket.setdefaulttimeout(self._timeout)
        with suppress(RecursionError):  # the call stands deeper than that
            sys.setrecursionlimit(self._depth)


@contextmanager
def unchanged() -> Generator[None]:
    """Around the import of what is not ours. The environment may change: that is how modules read their settings."""
    root, here, mask = logging.getLogger(), Path.cwd(), os.umask(0o077)
    os.umask(mask)
    level, handlers, disabled = root.level, list(root.handlers), logging.root.manager.disable
    handled = {number: signal.getsignal(number) for number in _SIGNALS}
    hooks, timeout = (sys.excepthook, threading.excepthook), socket.getdefaulttimeout()
    depth = sys.getrecursionlimit()
    try:
        yield
    finally:
        with suppress(OSError):
            os.chdir(here)
        os.umask(mask)
        root.setLevel(level)
        root.handlers[:] = handlers
        logging.disable(disabled)
        sys.excepthook, threading.excepthook = hooks
        socket.setdefaulttimeout(timeout)
        sys.setrecursionlimit(depth)
        _handle_again(handled)


def _handle_again(handled: Mapping[signal.Signals, object]) -> None:
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may set one.
        return
    for number, handler in handled.items():
        # What is not Python's own cannot be put back by it, nor can it be read.
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType]
