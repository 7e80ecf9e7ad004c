"""A remote agent (``type: a2a``) that is away is missing alone: fast-agent 0.10.48 makes no agent of any card then.

It is asked for its card when the lane is made, and where that failed again with each message to it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx

log = logging.getLogger("cohort.runtime")

ANSWER_S = 10.0
"""Seconds in which it has to give its card. A lane that is made waits for that."""

type _Async = Callable[..., Awaitable[Any]]

_away: set[str] = set()
"""Those that were told to be away; all lanes of this process have them."""
_begin: list[_Async] = []
"""fast-agent's own beginning of such an agent."""


def away() -> tuple[str, ...]:
    """Those that do not answer, by name."""
    return tuple(sorted(_away))


def begun_without(original: _Async) -> _Async:
    """``A2ARemoteAgent.initialize``"""
    _begin.append(original)

    async def initialize(self: Any) -> None:
        try:
            await _reach(self)
        except _Away:
            if not self.initialized:  # its own hook failed
                raise

    return initialize


def reached(original: _Async) -> _Async:
    """``A2ARemoteAgent.generate_impl``"""

    async def generate_impl(self: Any, *args: Any, **named: Any) -> Any:
        if self._client is None:
            await _reach(self, again=True)
        return await original(self, *args, **named)

    return generate_impl


class _Away(httpx.ConnectError):
    """It does not answer; a turn is told so as of a model that cannot be reached."""


async def _reach(agent: Any, *, again: bool = False) -> None:
    if again:
        agent._run_lifecycle_hook = _no_hook  # noqa: SLF001 - it has run
    try:
        async with asyncio.timeout(ANSWER_S):
            await _begin[-1](agent)
    except Exception as problem:
        half, agent._httpx_client = agent._httpx_client, None  # noqa: SLF001
        if half is not None:
            with suppress(Exception):
                await half.aclose()
        if agent.initialized and agent.name not in _away:
            _away.add(agent.name)
            reason = {"agent": agent.name, "reason": _why(problem)}
            log.error("remote_agent.away", extra=reason)  # noqa: TRY400 - the trace quotes the address
        raise _Away(f"the remote agent {agent.name} does not answer") from problem
    finally:
        if again:
            del agent._run_lifecycle_hook  # noqa: SLF001 - the class's own is back
    if agent.name in _away:
        _away.discard(agent.name)
        log.warning("remote_agent.back", extra={"agent": agent.name})


async def _no_hook(*_: Any, **__: Any) -> None:
    pass


def _why(problem: BaseException) -> str:
    """The innermost cause, by its class: an address may hold a token."""
    while problem.__cause__ is not None:
        problem = problem.__cause__
    return type(problem).__name__
