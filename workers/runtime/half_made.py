"""A lane's agents are made one after the other; when one of them fails, those before it are ended.

fast-agent forgets them: their MCP servers ran on, and their ``on_start`` hooks had no ``on_shutdown``.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

log = logging.getLogger("cohort.runtime")

MAKE_S = 300.0
"""A lane whose agents are not made by then never will be (an ``on_start`` that waits for ever, say)."""

begun: ContextVar[list[Any] | None] = ContextVar("agents_begun", default=None)
"""The agents of the lane that is being made; each enters itself (``patches.fast_agent.noted``)."""


async def whole[T](create: Callable[[], Awaitable[T]]) -> T:
    """Make all agents of a lane, or none: what was begun is ended in this task.

    Raises:
        Exception: what kept them from being made.
        TimeoutError: it took too long.
    """
    made: list[Any] = []
    token = begun.set(made)
    try:
        async with asyncio.timeout(MAKE_S):
            return await create()
    except BaseException:
        for agent in reversed(made):
            await _end(agent)
        raise
    finally:
        begun.reset(token)


async def _end(agent: Any) -> None:
    try:
        if getattr(agent, "initialized", False):
            await agent.shutdown()
            return
        # Its on_start did not end well, or did not begin: on_shutdown is not its other half.
        shell, servers = getattr(agent, "_shell_runtime", None), getattr(agent, "_aggregator", None)
        if shell is not None:
            await shell.close()
        if servers is not None:
            await servers.close()
        await agent._finalize_shutdown(run_hook=False)  # noqa: SLF001
    except Exception:
        log.warning("agent.dispose_failed", extra={"agent": getattr(agent, "name", "")}, exc_info=True)
