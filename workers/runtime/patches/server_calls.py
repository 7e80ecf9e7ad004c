"""Where fast-agent attaches and calls MCP servers: a lane does without a server that is down."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from fast_agent.core.exceptions import ServerInitializationError
from fast_agent.mcp.common import SEP
from fast_agent.mcp.mcp_aggregator import MCPAttachOptions, MCPAttachResult
from mcp.shared.exceptions import MCPError
from mcp_types import URL_ELICITATION_REQUIRED

from workers.runtime.asking.elicitation import PageNotOpened, open_call, open_pages
from workers.runtime.logins.connection import persons_server
from workers.runtime.servers import answers as server_answers
from workers.runtime.servers import over_http
from workers.runtime.servers import sessions as mcp_sessions
from workers.runtime.servers.calls import (
    ATTACH_S,
    NotReachable,
    has_process,
    seconds_of,
    servers_of,
    stand_in,
    tools_of,
    words,
)
from workers.runtime.servers.health import why_not

log = logging.getLogger("cohort.runtime")

type _Async = Callable[..., Awaitable[Any]]

# "Connection closed" is what a turn looks for to have the lane replaced.
_MOST_ROUNDS = 3
"""A server may want another page opened after the first one, but not for ever."""
_WANTS_MORE = "The MCP server {} wants pages opened again and again. The call was not carried out."
_BROKEN = "Connection closed by the MCP server {}. Whether the call was carried out is not known. Try again later."


def attached(original: _Async) -> _Async:
    """``attach_server``: a lane's server, or what stands in for it."""

    async def attach_server(
        self: Any, *, server_name: str, server_config: Any = None, options: MCPAttachOptions | None = None
    ) -> MCPAttachResult:
        servers = servers_of(self)
        # One of a chat's own brings its configuration, and fails. So does one that a model attaches: what it names says
        # nothing about the servers of the cards.
        if servers is None or server_config is not None or server_name not in self._configured_server_names:
            return await original(self, server_name=server_name, server_config=server_config, options=options)
        if servers.why_down(server_name) is None:
            try:
                async with asyncio.timeout(ATTACH_S):
                    result = await original(self, server_name=server_name, options=options)
            except Exception as problem:  # noqa: BLE001 - an agent without one of its servers is better than none
                servers.lost(server_name, why_not(server_name, problem))
            else:
                servers.seen(server_name, tools_of(self, server_name))
                return result
        return stand_in(self, server_name, servers.tools(server_name))

    return attach_server


def taken_name(original: Callable[[str, str], str]) -> Callable[[str, str], str]:  # noqa: ARG001 - it cuts, and no more
    """``create_namespaced_name``: what a server's tool is called towards the model."""

    def create_namespaced_name(server_name: str, resource_name: str) -> str:
        return server_answers.taken_name(f"{server_name}{SEP}{resource_name}")

    return create_namespaced_name


def optional(original: _Async) -> _Async:
    """``_fetch_server_prompts``: no chat uses a server's prompts, and its tools are of use without them."""

    async def fetch_server_prompts(self: Any, server_name: str, **kwargs: Any) -> list[Any]:
        try:
            return await original(self, server_name, **kwargs)
        except (MCPError, ValueError) as problem:
            if mcp_sessions.is_closed(problem):
                raise
            log.info("server.prompts_not_listed", extra={"server": server_name, "error": type(problem).__name__})
            return []

    return fetch_server_prompts


def executed(original: _Async) -> _Async:
    """``_execute_on_server``: no call waits for a server that is known to be down, unless this lane has a process of it
    that lives.
    """

    async def execute_on_server(self: Any, server_name: str, *args: Any, **kwargs: Any) -> Any:
        servers = servers_of(self)
        own = persons_server(self, server_name)
        if own is not None:
            with open_call(self, server_name, seconds_of(self, server_name)):
                called = kwargs.get("operation_name", "")
                return await own.call(called, lambda: original(self, server_name, *args, **kwargs))
        if servers is None or servers.why_down(server_name) is None or has_process(self, server_name):
            with open_call(self, server_name, seconds_of(self, server_name)):
                return await original(self, server_name, *args, **kwargs)
        error_factory = kwargs.get("error_factory")
        if error_factory is None:
            raise NotReachable(words(server_name))
        return error_factory(words(server_name))

    return execute_on_server


def operated(original: mcp_sessions.Operate) -> mcp_sessions.Operate:
    """``_execute_persistent_server_operation``: a server that cannot be started again in a lane's life is down."""

    async def operate(self: Any, server_name: str, try_execute: mcp_sessions.Execute) -> Any:
        servers = servers_of(self) if server_name in self._configured_server_names else None
        try:
            return await _with_pages(original, self, server_name, try_execute)
        except ServerInitializationError as problem:
            if servers is not None:
                servers.lost(server_name, why_not(server_name, problem))
            raise NotReachable(words(server_name)) from problem
        except MCPError as problem:
            if mcp_sessions.is_closed(problem):
                raise NotReachable(_BROKEN.format(server_name)) from problem
            if servers is not None and mcp_sessions.is_away(self, server_name, problem):
                servers.lost(server_name, f"MCP server {server_name} is not reachable: its proxy says so")
                raise NotReachable(words(server_name)) from problem
            status = over_http.status_of(problem)
            if status is None:
                raise
            if servers is not None and over_http.is_login(status):
                servers.login_refused(server_name, problem.message)
            raise NotReachable(over_http.refusal(server_name, status, problem.message)) from problem

    return operate


async def _with_pages(original: mcp_sessions.Operate, self: Any, server: str, try_execute: mcp_sessions.Execute) -> Any:
    """One operation; again each time that the server wanted pages opened first and they were."""
    for _ in range(_MOST_ROUNDS):
        try:
            return await mcp_sessions.operate(original, self, server, try_execute)
        except MCPError as problem:
            if problem.code != URL_ELICITATION_REQUIRED:
                raise
            await open_pages(self, server, problem)
    raise PageNotOpened(_WANTS_MORE.format(server))
