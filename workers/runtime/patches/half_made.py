"""A lane's agents are made one after the other; when one of them fails, those before it are ended.

fast-agent forgets them: their MCP servers ran on, and their ``on_start`` hooks had no ``on_shutdown``.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from fast_agent.agents.llm_decorator import LlmDecorator

log = logging.getLogger("cohort.runtime")

MAKE_S = 300.0
"""A lane whose agents are not made by then never will be (an ``on_start`` that waits for ever, say)."""

_begun: ContextVar[list[Any] | None] = ContextVar("agents_begun", default=None)
_init = LlmDecorator.__init__


def _noted_init(self: Any, *args: Any, **kwargs: Any) -> None:
    """Every agent's constructor passes here."""
    begun = _begun.get()
    if begun is not None:
        begun.append(self)
    _init(self, *args, **kwargs)


def install() -> None:
    """Note agents as they are made; again is harmless."""
    setattr(LlmDecorator, "__init__", _noted_init)  # noqa: B010


async def whole[T](create: Callable[[], Awaitable[T]]) -> T:
    """Make all agents of a lane, or none: what was begun is ended in this task.

    Raises:
        Exception: what kept them from being made.
        TimeoutError: it took too long.
    """
    begun: list[Any] = []
    token = _begun.set(begun)
    try:
        async with asyncio.timeout(MAKE_S):
            return await create()
    except BaseException:
        for agent in reversed(begun):
            await _end(agent)
        raise
    finally:
        _begun.reset(token)


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
