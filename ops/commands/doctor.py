"""``cohort doctor``: checks everything that an operator can get wrong, and says what to do."""

import asyncio
import re
import shutil
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import httpx

from ops import agent_config, durability, model
from ops.agent_config import configuration
from ops.commands import cards
from ops.context import Context
from ops.powers import powers
from ops.up import demo_model
from tasks.agent_files import documents
from tasks.clock import Clock
from tasks.errors import CohortError, StoreUnavailable
from tasks.settings import Settings
from tasks.store import connect
from tasks.store.redis import connection
from tasks.store.server import RedisServer
from tasks.worker_status import WorkerStatus

type Severity = Literal["ok", "warning", "problem"]

MAX_SKEW_S = 2.0
_REACH_S = 5.0
_OLDEST_REDIS = (7, 0)
_MARKS: Mapping[Severity, str] = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}
_STATEFUL = frozenset({
    "memory", "memo", "mem0", "notes", "obsidian", "knowledge", "graph", "sequential", "sequentialthinking", "thinking",
    "todo", "sqlite", "duckdb", "filesystem", "git", "shell", "terminal", "commander", "jupyter", "repl", "sandbox",
    "browser", "playwright", "puppeteer", "selenium", "chrome",
})  # fmt: skip
"""Words in names, commands and URLs of MCP servers that are known to keep state, and would show it to other chats."""
_KEEP_NOTHING = ("mcp-server-time", "mcp-server-fetch")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    about: str
    severity: Severity
    seen: str
    do: str = ""
    """What to do about it; empty when there is nothing to do."""

    def line(self) -> str:
        return f"{_MARKS[self.severity]}  {self.about}: {self.seen}" + (f"; {self.do}" if self.do else "")


async def token(settings: Settings, http: httpx.AsyncClient) -> list[Finding]:
    """Whether the Bot API accepts the token."""
    about = "token"
    if settings.telegram_bot_token is None:
        do = "set TELEGRAM_BOT_TOKEN (from @BotFather) for the real one"
        return [Finding(about, "warning", "none is set; `cohort up` runs the playground", do)]
    try:
        answer = await http.get(f"{settings.telegram_base_url}/bot{settings.token}/getMe")
        told = cast("Mapping[str, Any]", answer.json())
    except (httpx.HTTPError, ValueError) as problem:
        # The message of an httpx error may hold the URL, and that holds the token.
        what = f"{settings.telegram_base_url} does not answer ({type(problem).__name__})"
        return [Finding(about, "problem", what, "check TELEGRAM_BASE_URL and the network")]
    if not told.get("ok"):
        why = str(told.get("description", "refused"))
        return [Finding(about, "problem", f"the Bot API refuses it ({why})", "get the right one from @BotFather")]
    me = told["result"]
    found = [Finding(about, "ok", f"@{me.get('username')} ({me.get('id')})")]
    if not me.get("can_read_all_group_messages"):
        found.append(Finding("groups", "ok", "the bot sees only what is addressed to it (privacy mode)"))
    if settings.access == "allowlist" and not settings.allow and not settings.admins:
        found.append(Finding("access", "warning", "the allowlist is empty", "set COHORT_ALLOW to your user id"))
    return found


async def webhook(settings: Settings, http: httpx.AsyncClient) -> list[Finding]:
    """Where Telegram pushes updates to, who can reach the port, and Telegram's last delivery error."""
    about = "webhook"
    if not settings.webhook_url or settings.telegram_bot_token is None:
        return []
    host, port = settings.webhook_host, settings.webhook_port
    found = [Finding(about, "ok", f"{settings.webhook_url}, with a secret; the bot listens on {host}, port {port}")]
    if host not in {"127.0.0.1", "::1", "localhost"}:
        do = "let only the proxy that ends TLS reach it"
        found.append(Finding(about, "warning", f"every host that reaches {host}, port {port} can send requests", do))
    try:
        answer = await http.get(f"{settings.telegram_base_url}/bot{settings.token}/getWebhookInfo")
        told = cast("Mapping[str, Any]", answer.json()).get("result") or {}
    except (httpx.HTTPError, ValueError):
        return found  # the check of the token reports this
    error = told.get("last_error_message")
    if error:
        do = "check the proxy and its certificate; the bot must run"
        found.append(Finding(about, "warning", f"Telegram could not deliver the last time: {error}", do))
    return found


def version(settings: Mapping[str, Any]) -> tuple[str, tuple[int, ...]]:
    """Name and version of the server, from INFO."""
    name = "Valkey" if "valkey_version" in settings else "Redis"
    number = str(settings.get("valkey_version") or settings.get("redis_version") or "0")
    return f"{name} {number}", tuple(int(part) for part in number.split(".")[:2] if part.isdigit())


async def redis(here: Context, clock: Clock) -> list[Finding]:
    """Whether Redis is reachable, recent and durable, and agrees on clock and layout."""
    about = "redis"
    if not here.settings.redis_url:
        return [Finding(about, "ok", "none is set and nothing runs; `cohort up` brings its own Valkey")]
    try:
        async with connection(here.settings.redis) as client:
            server = RedisServer(client)
            info, skew = await server.info(), await server.ahead(clock)
    except StoreUnavailable as problem:
        return [Finding(about, "problem", str(problem), "check REDIS_URL, and whether it runs")]
    name, number = version(info)
    old = number < _OLDEST_REDIS
    found = [Finding(about, "problem" if old else "ok", name, "7.0 or later is needed" if old else "")]
    if abs(skew) > MAX_SKEW_S:
        do = "synchronise the clocks (NTP): waiting times and reminders would be wrong"
        found.append(Finding("clock", "warning", f"{skew:+.1f} s between this machine and Redis", do))
    else:
        found.append(Finding("clock", "ok", "this machine and Redis agree"))
    async with connect(here.settings) as store:
        facts = await store.server.persistence()
        weak = durability.weaknesses(facts)
        found += [Finding("durability", "problem", sentence) for sentence in weak]
        if not facts:
            do = "make sure that it keeps an AOF and does not evict"
            found.append(Finding("durability", "warning", "this Redis does not tell its settings", do))
        elif not weak:
            found.append(Finding("durability", "ok", f"AOF with appendfsync {facts.get('appendfsync')}, noeviction"))
        members = (await store.members.look()).members
        found.append(Finding("layout", "ok", f"{here.settings.slots} slots, as stored; {len(members)} workers live"))
        found += _out_of_reach(members)
        count = await store.dead.count()
        if count:
            found.append(Finding("dead letters", "warning", f"{count}", "see `cohort dead list`"))
    return found


def _out_of_reach(members: Mapping[str, WorkerStatus]) -> Iterator[Finding]:
    """MCP servers that living workers cannot reach."""
    without: dict[str, list[str]] = {}
    for incarnation, status in sorted(members.items()):
        for name in status.servers_down:
            without.setdefault(name, []).append(incarnation)
    for name, workers in without.items():
        do = "see `server.unreachable` in their logs; it is tried again by itself"
        yield Finding(f"MCP server {name}", "warning", f"not reachable from {', '.join(workers)}", do)


async def answering(here: Context) -> list[Finding]:
    """The model that answers, and whether its key is set."""
    choice = demo_model.choice_of(here.settings)
    if choice.demo and not demo_model.installed():
        return [Finding("model", "warning", "none is set, and the demo model is not installed", choice.hint)]
    if choice.demo:
        return [Finding("model", "warning", f"{choice.title} ({choice.why})", choice.hint)]
    found = model.keys_in(here.environ, configuration(here.settings))
    wanted = model.key_for(choice.title)
    if wanted is not None and wanted not in found:
        return [Finding("model", "problem", f"{choice.title}, but {wanted} is not set", f"set {wanted}")]
    choosable = [
        Finding("model", "warning", f"/model offers {name}, but {key} is not set", f"set {key}, or take {name} out")
        for name in here.settings.models
        if (key := model.key_for(name)) is not None and key not in found
    ]
    return [Finding("model", "ok", f"{choice.title} ({choice.why})"), *choosable]


async def servers(here: Context) -> list[Finding]:
    """MCP servers: whether they can be started, and whether chats may share them."""
    mcp = configuration(here.settings).get("mcp")
    listed = mcp.get("servers") if isinstance(mcp, Mapping) else None
    named: list[tuple[str, Mapping[str, Any]]] = [
        (str(name), server if isinstance(server, Mapping) else {})
        for name, server in (listed.items() if isinstance(listed, Mapping) else ())
    ]
    for card in agent_config.cards(here.settings):
        named += [(f"{name} of {card.path.name}", server) for name, server in _brought(card.head)]
    found = [_server(here, name, settings) for name, settings in named]
    async with asyncio.TaskGroup() as group:
        answers = [(name, group.create_task(_answers(settings), name=f"reach {name}")) for name, settings in named]
    do = "start it, or correct its url; agents that use it do without its tools meanwhile"
    return found + [
        Finding(f"MCP server {name}", "warning", f"its address does not answer ({problem.result()})", do)
        for name, problem in answers
        if problem.result()
    ]


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
    except (httpx.InvalidURL, OSError, TimeoutError) as problem:
        return type(problem).__name__
    writer.close()
    return None


def _brought(head: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Servers that a card defines itself (``mcp_connect``): a URL or a command, with or without a name."""
    entries = head.get("mcp_connect")
    for entry in entries if isinstance(entries, Sequence) else ():
        target = str(entry.get("target", "") if isinstance(entry, Mapping) else entry)
        name = str((entry.get("name") if isinstance(entry, Mapping) else None) or target)
        program, *args = target.split() or [""]
        yield name, {"url": target} if "://" in program else {"command": program, "args": args}


def _server(here: Context, name: str, settings: Mapping[str, Any]) -> Finding:
    about = f"MCP server {name}"
    command = settings.get("command")
    if command and shutil.which(str(command), path=here.environ.get("PATH")) is None:
        return Finding(about, "problem", f"there is no program {command}", "install it, or remove the server")
    reached = "can be started" if command else "is reached by URL"
    if settings.get("isolation") == "chat":
        return Finding(about, "ok", f"{reached}; each chat has its own")
    parts = (command, settings.get("url"), *(settings.get("args") or ()))
    words = " ".join((name, *(str(part) for part in parts if part))).lower()
    if any(known in words for known in _KEEP_NOTHING):
        return Finding(about, "ok", f"{reached}; it keeps nothing")
    if _STATEFUL.intersection(re.split(r"[^a-z0-9]+", words)):
        do = "mark it `isolation: chat`, or make sure that it keeps nothing"
        return Finding(about, "warning", "seems to keep state, and chats share it", do)
    return Finding(about, "ok", f"{reached}; chats share it, so it must keep nothing of them")


async def agent_cards(here: Context) -> list[Finding]:
    """The problems that workers would find in the cards."""
    lines, notes = await asyncio.to_thread(cards.looked_at, here)
    if lines:
        return [Finding("cards", "problem", line) for line in lines]
    found = [Finding("cards", "ok", f"those in {here.settings.cards} are right")]
    found += [Finding(power.about, "warning", power.seen, power.do) for power in powers(here.settings)]
    found += [Finding("cards", "warning", note, "check the address, then `cohort cards reload`") for note in notes]
    found += [
        Finding(path.name, "ok", "stands beside the cards and is none (a card begins with a frontmatter)")
        for path in documents(here.settings.cards)
    ]
    return found


async def patches(here: Context) -> list[Finding]:
    """Whether the installed libraries have the shapes that are replaced in them."""
    lines, notes = await asyncio.to_thread(cards.looked_at, here, "workers.runtime.patches.check")
    do = "install the releases of requirements.txt"
    verdict: Severity = "ok" if len(notes) == 1 and " fit " in notes[0] else "warning"
    return [Finding("patches", "problem", line, do) for line in lines] + [
        Finding("patches", verdict, note, "" if verdict == "ok" else do) for note in notes
    ]


async def examine(here: Context, clock: Clock, say: Callable[[Finding], None]) -> bool:
    """Run all checks one after the other. True when there is no problem."""
    good = True
    async with httpx.AsyncClient(timeout=10) as http:
        looks: list[tuple[str, Coroutine[Any, Any, list[Finding]]]] = [
            ("token", token(here.settings, http)),
            ("webhook", webhook(here.settings, http)),
            ("redis", redis(here, clock)),
            ("model", answering(here)),
            ("patches", patches(here)),
            ("cards", agent_cards(here)),
            ("MCP servers", servers(here)),
        ]
        for about, looking in looks:
            try:
                findings = await looking
            except CohortError as problem:
                findings = [Finding(about, "problem", line) for line in str(problem).splitlines()]
            for finding in findings:
                good = good and finding.severity != "problem"
                say(finding)
    return good
