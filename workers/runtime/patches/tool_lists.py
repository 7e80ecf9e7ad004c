"""Where fast-agent reads the tools of MCP servers: all pages of a list, and once for many notices that it changed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

log = logging.getLogger("cohort.runtime")

MOST_PAGES, MOST_TOOLS = 100, 5_000
"""Of a server's list. A model has no use for a part of them."""
APART_S = 1.0
"""A list that changes again and again is read once in so long."""


def in_pages(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """``MCPClientConnection.list_tools``, whose callers read the first page."""

    async def list_tools(self: Any, *, cursor: str | None = None, **kwargs: Any) -> Any:
        first = page = await original(self, cursor=cursor, **kwargs)
        tools, seen = list(first.tools), set[str]()
        while (more := page.next_cursor) and more not in seen:
            if len(seen) + 1 >= MOST_PAGES or len(tools) >= MOST_TOOLS:
                log.warning("server.too_many_tools", extra={"kept": len(tools[:MOST_TOOLS])})
                break
            seen.add(more)
            page = await original(self, cursor=more, **kwargs)
            tools += page.tools
        return first if page is first else first.model_copy(update={"tools": tools[:MOST_TOOLS], "next_cursor": None})

    return list_tools


@dataclass(slots=True)
class _ToolList:
    """The list of a server's tools: one reading at a time, and one that waits."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waits: bool = False
    read_at: float = float("-inf")


def once(original: Callable[[Any, str], Awaitable[None]]) -> Callable[[Any, str], Awaitable[None]]:
    """``_handle_tool_list_changed``: a notice at once; those that come until its list is read are one more."""

    async def handle_tool_list_changed(self: Any, server_name: str) -> None:
        lists: dict[str, _ToolList] = self.__dict__.setdefault("cohort_lists", {})
        changed = lists.setdefault(server_name, _ToolList())
        if changed.waits:
            return
        changed.waits = True
        try:
            async with changed.lock:
                if (pause := changed.read_at + APART_S - monotonic()) > 0:
                    await asyncio.sleep(pause)
                # A notice that comes from now on tells of a change that this reading may not see.
                changed.waits, changed.read_at = False, monotonic()
                await original(self, server_name)
        except BaseException:
            changed.waits = False
            raise

    return handle_tool_list_changed
