"""``cohort doctor``: the file of single chats and topics (``COHORT_CHATS``)."""

import difflib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ops import model
from ops.agent_config import configuration
from ops.commands.finding import Finding
from ops.context import Context
from tasks.chats.command_names import ASKS, CONTROL, taken_by_card
from tasks.config.settings import Settings
from tasks.errors import Misconfigured
from tasks.operator_files import chat_rules
from tasks.operator_files.agent_files import BadFile, card_files, read_card


async def chats(here: Context, settings: Settings | None = None) -> list[Finding]:
    """Whether the file can be used, and whether what it names is there; ``settings``: those of one of several bots."""
    settings = settings or here.settings
    about, path = "chats", settings.chats
    try:
        read = chat_rules.read(path)
    except BadFile as problem:
        return [Finding(about, "problem", str(problem))]
    rules = read.every()
    if not path.exists():
        return []
    found = [Finding(about, "ok", f"{path} has {len(rules)} rules")]
    agents, keys = _agents(_that_read(here, settings)), _keys(here)
    for where, rule in rules:
        if rule.agent is not None and agents and rule.agent not in agents:
            seen = f"{where}: no card is named {rule.agent}; the default agent answers"
            found.append(Finding(about, "warning", seen, f"name one of {', '.join(sorted(agents))}"))
        wanted = model.key_for(rule.model) if rule.model is not None else None
        if wanted is not None and wanted not in keys:
            found.append(Finding(about, "warning", f"{where}: {rule.model}, but {wanted} is not set", f"set {wanted}"))
    for name in read.roles.agents if agents else ():
        if not any(fnmatchcase(agent, name) for agent in agents):
            seen = f"roles.agents.{name}: fits no card's name, so it keeps nothing from anyone"
            found.append(Finding(about, "warning", seen, f"name one of {', '.join(sorted(agents))}"))
    return [*found, *_no_commands(read.roles.commands, {*settings.commands, *_of_cards(_that_read(here, settings))})]


def _no_commands(said: Iterable[str], own: Iterable[str]) -> list[Finding]:
    """Of the rules of roles those that keep no command: a misspelt one leaves its command open to everybody."""
    names = sorted({*ASKS, *CONTROL, *own})
    found: list[Finding] = []
    for one in said:
        name = one.removeprefix("/").lower()
        if not any(fnmatchcase(known, name) for known in names):
            seen = f"roles.commands.{one}: fits no command, so it keeps nothing from anyone"
            near = difflib.get_close_matches(name, names, n=1) or ["one of those in /help"]
            found.append(Finding("chats", "warning", seen, f"did you mean {near[0]}?"))
    return found


def hears_too_little(settings: Settings) -> list[Finding]:
    """The rules ``mention: always`` of a bot to which Telegram does not show all messages of its groups."""
    try:
        rules = chat_rules.read(settings.chats).every()
    except BadFile:
        return []
    do = "let @BotFather switch its privacy mode off and add it to the group again, or make it an admin there"
    return [
        Finding("chats", "warning", f"{where}: `mention: always`, but the bot sees only what is addressed to it", do)
        for where, rule in rules
        if rule.mention == "always"
    ]


def elsewhere(settings: Settings, me: Mapping[str, Any]) -> list[Finding]:
    """Whether BotFather's switches fit what the bot answers outside of its own chats; ``me`` is getMe's answer."""
    found: list[Finding] = []
    if settings.inline:
        asked = "COHORT_INLINE is on, but the bot takes no inline queries"
        told = "inline queries are answered if Telegram tells which result was sent, which no call shows"
        feedback = "set /setinlinefeedback to 100% with @BotFather"
        on = bool(me.get("supports_inline_queries"))
        found.append(
            Finding("inline", "ok", f"{told}: {feedback}")
            if on
            else Finding("inline", "warning", asked, f"set /setinline with @BotFather, and {feedback}")
        )
    if settings.guests and not me.get("supports_guest_queries"):
        do = "switch guest mode on with @BotFather"
        found.append(Finding("guests", "warning", "COHORT_GUESTS is on, but the bot is no guest anywhere", do))
    if settings.business and not me.get("can_connect_to_business"):
        do = "switch business mode on with @BotFather"
        found.append(Finding("business", "warning", "COHORT_BUSINESS is on, but no account can connect the bot", do))
    return found


def _that_read(here: Context, settings: Settings) -> set[Path]:
    """The directories of cards of the bots that have this file of chats."""
    return {settings.cards, *(own.cards for own in here.settings_of_bots() if own.chats == settings.chats)}


def _agents(directories: Iterable[Path]) -> frozenset[str]:
    """The names of all cards; none where one cannot be read, which another check reports."""
    try:
        return frozenset(read_card(path).name for directory in directories for path in card_files(directory))
    except BadFile:
        return frozenset()


def _of_cards(directories: Iterable[Path]) -> frozenset[str]:
    """The commands that cards take; of a faulty card none, which another check reports."""
    found = set[str]()
    for path in (path for directory in directories for path in card_files(directory)):
        with suppress(BadFile, ValueError):
            found.update(taken_by_card(read_card(path).head.get("commands") or []))
    return frozenset(found)


def _keys(here: Context) -> list[str]:
    try:
        return model.keys_in(here.environ, configuration(here.settings))
    except Misconfigured:
        return model.keys_in(here.environ, {})
