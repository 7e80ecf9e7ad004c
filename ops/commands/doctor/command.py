"""``cohort doctor``: checks everything that an operator can get wrong, and says what to do."""

import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx

from ops import model
from ops.agent_config import configuration
from ops.commands.doctor.audio import audio
from ops.commands.doctor.chats import chats, elsewhere, hears_too_little
from ops.commands.doctor.memory import memory
from ops.commands.doctor.own import own as own_processes
from ops.commands.doctor.processes import open_files
from ops.commands.doctor.redis import redis
from ops.commands.doctor.runtime_check import RuntimeCheck
from ops.commands.doctor.servers import servers
from ops.commands.doctor.sound import sound
from ops.commands.finding import Finding, Severity
from ops.context import Context
from ops.powers import powers
from ops.up import demo_model
from tasks.bots import bots_of
from tasks.chats.access import access_of, mode_of
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.errors import CohortError, Misconfigured
from tasks.operator_files.agent_files import documents

ROOM_MIB, _LEAST_ROOM_MIB = 1024, 100
"""Below the first doctor warns, below the second it is a problem."""


async def token(settings: Settings, http: httpx.AsyncClient) -> list[Finding]:
    """Whether the Bot API accepts the token."""
    about = "token"
    if settings.telegram_bot_token is None:
        do = "set TELEGRAM_BOT_TOKEN (from @BotFather) for the real one"
        return [Finding(about, "warning", "none is set; `cohort up` runs the playground", do)]
    try:
        answer = await http.get(f"{settings.telegram_base_url}/bot{settings.token}/getMe")
        told: Any = answer.json()
    except (httpx.HTTPError, ValueError) as problem:
        # The message of an httpx error may hold the URL, and that holds the token.
        what = f"{settings.telegram_base_url} does not answer ({type(problem).__name__})"
        return [Finding(about, "problem", what, "check TELEGRAM_BASE_URL and the network")]
    if not isinstance(told, dict) or (told.get("ok") and not isinstance(told.get("result"), dict)):
        return [
            Finding(about, "problem", f"{settings.telegram_base_url} is no Bot API server", "check TELEGRAM_BASE_URL")
        ]
    if not told.get("ok"):
        why = str(told.get("description", "refused"))
        return [Finding(about, "problem", f"the Bot API refuses it ({why})", "get the right one from @BotFather")]
    me = told["result"]
    found = [Finding(about, "ok", f"@{me.get('username')} ({me.get('id')})")]
    if not me.get("can_read_all_group_messages"):
        found.append(Finding("groups", "ok", "the bot sees only what is addressed to it (privacy mode)"))
        found += hears_too_little(settings)
    return [*found, *elsewhere(settings, me)]


async def access(here: Context) -> list[Finding]:
    """Whether any person may talk to the bot."""
    settings = here.settings
    if settings.telegram_bot_token is None or not settings.redis_url:
        return []
    stored = await here.read(lambda store: store.people.look(settings.bot_id))
    mode = mode_of(settings)
    if access_of(settings, stored).admits_no_one:
        do = "`cohort pair`" if mode == "pairing" else "set COHORT_ALLOW or COHORT_ADMINS to your user id"
        return [Finding("access", "warning", "no person may talk to the bot", do)]
    return [Finding("access", "ok", mode)]


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


async def answering(here: Context) -> list[Finding]:
    """The model that answers, and whether its key is set."""
    choice = demo_model.choice_of(here.settings)
    if choice.demo and not demo_model.installed():
        return [Finding("model", "warning", "none is set, and the demo model is not installed", choice.hint)]
    if choice.demo or choice.script:
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


async def disk(here: Context) -> list[Finding]:
    """Whether the state directory takes files, and has room: for those of chats, logs, the store of `cohort up`."""
    if (refused := here.home.takes_no_files()) is not None:
        do = "make it a directory with room that Cohort's user writes, or set COHORT_HOME: files of chats are left out"
        return [Finding("disk", "problem", refused, do)]
    place = next(path for path in (here.home.root, *here.home.root.parents) if path.exists())
    return [room(shutil.disk_usage(place).free / 2**20, place)]


def room(free_mib: float, place: Path) -> Finding:
    """What so much free room means (pure)."""
    seen = f"{free_mib:,.0f} MiB free at {place}"
    if free_mib >= ROOM_MIB:
        return Finding("disk", "ok", seen)
    do = "free some, or set COHORT_HOME: a full disk stops the store of `cohort up`, and files of chats"
    return Finding("disk", "problem" if free_mib < _LEAST_ROOM_MIB else "warning", seen, do)


async def agent_cards(here: Context, check: RuntimeCheck) -> list[Finding]:
    """The problems that workers would find in the cards."""
    lines, notes = await check.of("cards")
    if lines:
        return [Finding("cards", "problem", line) for line in lines]
    found = [Finding("cards", "ok", f"those in {here.settings.cards} are right")]
    found += [Finding(power.about, "warning", power.seen, power.do) for power in powers(here.settings)]
    found += [Finding("cards", "warning", note, "mend it, then `cohort cards reload`") for note in notes]
    found += [
        Finding(path.name, "ok", "stands beside the cards and is none (a card begins with a frontmatter)")
        for path in documents(here.settings.cards)
    ]
    return found


async def own_cards(settings: Settings) -> list[Finding]:
    """What the cards of one of several bots ask for; their problems are among those of all cards."""
    return [
        Finding("cards", "ok", f"has its own, in {settings.cards}"),
        *(Finding(power.about, "warning", power.seen, power.do) for power in powers(settings)),
    ]


async def patches(check: RuntimeCheck) -> list[Finding]:
    """Whether the installed libraries have the shapes that are replaced in them."""
    lines, notes = await check.of("patches")
    do = "install the releases of requirements.txt"
    verdict: Severity = "ok" if len(notes) == 1 and " fit " in notes[0] else "warning"
    return [Finding("patches", "problem", line, do) for line in lines] + [
        Finding("patches", verdict, note, "" if verdict == "ok" else do) for note in notes
    ]


async def _of(name: str, looking: Awaitable[list[Finding]]) -> list[Finding]:
    """Findings about one of several bots."""
    found = await looking
    return [replace(one, seen=f"{name}: {one.seen}") for one in found] if name else found


type _Bots = Sequence[tuple[str, Settings]]
"""The bots of this environment, each with its name and settings; one without a name where there is a single one."""


def _bots(here: Context) -> tuple[_Bots, list[Finding]]:
    try:
        bots = bots_of(here.settings, here.environ)
    except Misconfigured as problem:
        do = "a worker or bot of this environment does not start"
        return [], [Finding("bots", "problem", line, do) for line in str(problem).splitlines()]
    return [(bot.name, bot.settings(here.settings)) for bot in bots] or [("", here.settings)], []


def _checks(
    here: Context, clock: Clock, http: httpx.AsyncClient, bots: _Bots
) -> Iterator[tuple[str, Awaitable[list[Finding]]]]:
    """All checks in their order, each with what it is about; a check begins when it is awaited."""
    there, check = here.settings, RuntimeCheck(here)
    yield from (("token", _of(name, token(own, http))) for name, own in bots)
    yield from (("webhook", _of(name, webhook(own, http))) for name, own in bots)
    yield "disk", disk(here)
    yield "memory", memory(here)
    yield "open files", open_files(here)
    yield "redis", redis(here, clock)
    yield from (("access", _of(name, access(replace(here, settings=own)))) for name, own in bots)
    yield "model", answering(here)
    yield "sound", sound(there)
    yield "audio servers", audio(here, http)
    yield "patches", patches(check)
    yield "cards", agent_cards(here, check)
    yield from (("cards", _of(name, own_cards(own))) for name, own in bots if own.cards != there.cards)
    yield "chats", chats(here)
    yield from (("chats", _of(name, chats(here, own))) for name, own in bots if own.chats != there.chats)
    yield "own processes", own_processes(here)
    yield "MCP servers", servers(here)


async def _found(about: str, check: Awaitable[list[Finding]]) -> list[Finding]:
    """What a check found; a check that fails is a finding too."""
    try:
        return await check
    except CohortError as problem:
        return [Finding(about, "problem", line) for line in str(problem).splitlines()]
    except Exception as defect:  # noqa: BLE001 - what it says may hold a secret; its kind is enough
        return [Finding(about, "problem", f"this check failed ({type(defect).__name__})", "please report it")]


async def examine(here: Context, clock: Clock, say: Callable[[Finding], None]) -> bool:
    """Run all checks one after the other. True when there is no problem."""
    bots, findings = _bots(here)
    good = not findings
    for finding in findings:
        say(finding)
    async with httpx.AsyncClient(timeout=10) as http:
        for about, check in _checks(here, clock, http, bots):
            for finding in await _found(about, check):
                good = good and finding.severity != "problem"
                say(finding)
    return good
