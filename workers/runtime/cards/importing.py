"""Bounds how long a card's Python takes to be imported: a module that waits for ever would hold up all agents.

Typical ones begin a program when they are imported (a bot's polling, a server), or wait for an address that is away.
"""

import asyncio
import ctypes
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from types import FrameType

IMPORT_S = 30.0
"""For one module. Large packages (torch, pandas) take ten seconds on a slow machine."""
_AGAIN_S = 1.0
"""A module may catch what interrupts it: it is interrupted again."""


class NotImported(BaseException):
    """Its time is over. No ``Exception``, as modules catch those around what they try."""

    def __init__(self, frames: Sequence[traceback.FrameSummary]) -> None:
        super().__init__()
        self.frames = frames
        """Where it was."""


def bounded[T](load: Callable[[], T], limit_s: float) -> T:
    """Call what imports within a loop, as in a lane, because a module may make clients that ask for one.

    Raises:
        NotImported: it takes too long. What cannot be interrupted goes on in a thread that ends with the process.
    """
    if threading.current_thread() is threading.main_thread():
        return _interrupted(load, limit_s)
    return _left_behind(load, limit_s)


def _within_a_loop[T](load: Callable[[], T]) -> T:
    async def called() -> T:
        return load()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(called())
    return load()


def _interrupted[T](load: Callable[[], T], limit_s: float) -> T:
    loading = True

    def interrupt(_number: int, frame: FrameType | None) -> None:
        if loading:
            raise NotImported(traceback.extract_stack(frame))

    before = signal.signal(signal.SIGALRM, interrupt)
    timer = signal.setitimer(signal.ITIMER_REAL, limit_s, _AGAIN_S)
    try:
        found = _within_a_loop(load)
        loading = False
        return found
    finally:
        loading = False
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)


def _left_behind[T](load: Callable[[], T], limit_s: float) -> T:
    found: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            found.append(_within_a_loop(load))
        except BaseException as problem:  # noqa: BLE001 - whatever a module raises is the caller's
            raised.append(problem)

    thread = threading.Thread(target=run, name="import", daemon=True)
    thread.start()
    thread.join(limit_s)
    if raised:
        raise raised[0]
    if found:
        return found[0]
    frames = _place_of(thread)
    _stop(thread)
    raise NotImported(frames)


def _place_of(thread: threading.Thread) -> Sequence[traceback.FrameSummary]:
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - nothing else tells it
    return traceback.extract_stack(frame) if frame is not None else ()


def _stop(thread: threading.Thread) -> None:
    """End what runs in Python there; what waits in a system call is not reached."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
