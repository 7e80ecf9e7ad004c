"""A tool's coroutine in a task of its own: one that swallows its cancellation is left behind, and its turn goes on.

``while True: try: ... except: ...`` catches the cancellation, too. The turn waited for it for ever, past its time, and
neither `/stop` nor an operator could end it.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import anyio

log = logging.getLogger("cohort.runtime")

LET_GO_S = 2.0
"""So long a tool may take to put its things in order when its turn has ended, or its time."""

_left = set[asyncio.Task[Any]]()


async def ended_with_ours[T](work: Coroutine[Any, Any, T], name: str) -> T:
    """Run a coroutine to its end; when this task is cancelled, for a moment longer at most.

    Raises:
        asyncio.CancelledError: this task was cancelled.
        Exception: the work raised it.
    """
    task = asyncio.get_running_loop().create_task(work, name=f"tool {name}")
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        await _end(task, name)
        raise
    return task.result()


async def _end(task: asyncio.Task[Any], name: str) -> None:
    task.cancel()
    try:
        # What limits the tool's time cancels again and again until this task has ended.
        with anyio.move_on_after(LET_GO_S, shield=True):
            await asyncio.wait({task})
    finally:
        if task.done():
            # What it raised at its end is read by no turn any more.
            _ = task.cancelled() or task.exception()
        else:
            _left.add(task)
            task.add_done_callback(_gone)
            log.warning("tool.left_behind", extra={"tool": name})


def _gone(task: asyncio.Task[Any]) -> None:
    _left.discard(task)
    _ = task.cancelled() or task.exception()
