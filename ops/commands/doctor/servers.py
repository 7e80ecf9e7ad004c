"""``cohort doctor`` on MCP servers: whether they can be reached, and whether chats may share them."""

import asyncio
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx

from ops import agent_config
from ops.agent_config import configuration
from ops.commands.finding import Finding
from ops.context import Context
from tasks.operator_files.agent_files import BadFile

_REACH_S = 5.0
_STATEFUL = frozenset({
    "memory", "memo", "mem0", "notes", "obsidian", "knowledge", "graph", "sequential", "sequentialthinking", "thinking",
    "todo", "sqlite", "duckdb", "filesystem", "git", "shell", "terminal", "commander", "jupyter", "repl", "sandbox",
    "browser", "playwright", "puppeteer", "selenium", "chrome",
})  # fmt: skip
"""Words in names, commands and URLs of MCP servers that are known to keep state, and would show it to other chats."""
_KEEP_NOTHING = ("mcp-server-time", "mcp-server-fetch")


async def servers(here: Context) -> list[Finding]:
    """MCP servers: whether they can be started, and whether chats may share them."""
    mcp = configuration(here.settings).get("mcp")
    listed = mcp.get("servers") if isinstance(mcp, Mapping) else None
    named: list[tuple[str, Mapping[str, Any]]] = [
        (str(name), _resolved(server if isinstance(server, Mapping) else {}))
        for name, server in (listed.items() if isinstance(listed, Mapping) else ())
    ]
    for card in agent_config.cards(here.settings):
        named += [(f"{name} of {card.path.name}", server) for name, server in _brought(card.head)]
    for directory in sorted({own.cards for own in here.settings_of_bots()} - {here.settings.cards}):
        # What is wrong with these cards is told with them, by their bot.
        with suppress(BadFile):
            for card in agent_config.cards(here.settings.model_copy(update={"cards": directory})):
                named += [(f"{name} of {card.path}", server) for name, server in _brought(card.head)]
    found = [_server(here, name, settings) for name, settings in named]
    async with asyncio.TaskGroup() as group:
        answers = [(name, group.create_task(_answers(settings), name=f"reach {name}")) for name, settings in named]
    do = "start it, or correct its url; agents that use it do without its tools meanwhile"
    return found + [
        Finding(f"MCP server {name}", "warning", f"its address does not answer ({problem.result()})", do)
        for name, problem in answers
        if problem.result()
    ]


def _resolved(server: Mapping[str, Any]) -> Mapping[str, Any]:
    """A server as command or URL, also where it is given as ``target``."""
    target = server.get("target")
    if not isinstance(target, str) or server.get("command") or server.get("url"):
        return server
    return {**server, **_of_target(target)}


def _of_target(target: str) -> Mapping[str, Any]:
    """What a target says: an address, or a program with its arguments."""
    try:
        program, *args = shlex.split(target) or [""]
    except ValueError:  # a quotation mark without its other
        program, *args = target.split() or [""]
    return {"url": target} if "://" in program else {"command": program, "args": args}


async def _answers(settings: Mapping[str, Any]) -> str | None:
    """The error's name when nothing listens at a server's URL, else None. A URL may hold a token, so it is left out."""
    url = str(settings.get("url") or "")
    if "{" in url or not url:
        return None
    try:
        address = httpx.URL(url)
        async with asyncio.timeout(_REACH_S):
            port = address.port or (443 if address.scheme == "https" else 80)
            _, writer = await asyncio.open_connection(address.host, port)
    except (httpx.InvalidURL, OSError, TimeoutError, ValueError) as problem:
        return type(problem).__name__
    writer.close()
    return None


def _brought(head: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Servers that a card defines itself (``mcp_connect``): a URL or a command, with or without a name."""
    entries = head.get("mcp_connect")
    for entry in entries if isinstance(entries, Sequence) and not isinstance(entries, str) else ():
        target = str(entry.get("target", "") if isinstance(entry, Mapping) else entry)
        name = str((entry.get("name") if isinstance(entry, Mapping) else None) or target)
        yield name, _of_target(target)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def _server(here: Context, name: str, settings: Mapping[str, Any]) -> Finding:
    about = f"MCP server {name}"
    command = settings.get("command")
    if command and shutil.which(str(command), path=here.environ.get("PATH")) is None:
        return Finding(about, "problem", f"there is no program {command}", "install it, or remove the server")
    url = str(settings.get("url") or "")
    if not command and not _is_address(url):
        return Finding(about, "problem", "names no program and no http address", "give it command, url or target")
    reached = "its program is there" if command else "is reached by URL"
    if settings.get("isolation") == "chat":
        return Finding(about, "ok", f"{reached}; each chat has its own")
    if settings.get("isolation") == "user":
        if not here.environ.get("COHORT_SECRET_KEY"):
            do = "make one for workers and bot: openssl rand -hex 32"
            return Finding(about, "problem", "people log in there, and COHORT_SECRET_KEY is not set", do)
        return Finding(about, "ok", f"{reached}; each person logs in")
    args = settings.get("args")
    parts = (command, url, *(args if isinstance(args, list | tuple) else [args]))
    words = " ".join((name, *(str(part) for part in parts if part))).lower()
    if any(known in words for known in _KEEP_NOTHING):
        return Finding(about, "ok", f"{reached}; it keeps nothing")
    if _STATEFUL.intersection(re.split(r"[^a-z0-9]+", words)):
        do = "mark it `isolation: chat`, or make sure that it keeps nothing"
        return Finding(about, "warning", "seems to keep state, and chats share it", do)
    return Finding(about, "ok", f"{reached}; chats share it, so it must keep nothing of them")
