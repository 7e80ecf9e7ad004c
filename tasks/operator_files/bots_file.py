"""The operator's file of bots (``bots.yaml``), without their tokens."""

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tasks.config.settings import env_name, load
from tasks.errors import Misconfigured
from tasks.operator_files.agent_files import BadFile, line_of, read_mapping

MOST_BOTS = 100
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})", re.ASCII)

OWN = (
    "access", "allow", "admins", "rate", "budget_user", "budget_chat", "send_rate", "queue_mode", "commands",
    "group_control", "group_context", "business", "channels", "inline", "guests", "webhook_url", "webhook_port",
    "cards", "chats",
)  # fmt: skip
"""Settings that a bot may have of its own, by their names without ``COHORT_``, in lower case."""
_KEYS = ("token", "agents", "model", "paused", *OWN)

_PATHS = ("cards", "chats")

FOR_ONE = ("webhook_url", "webhook_port")
"""What only one bot can have; that of the deployment is not handed down."""


@dataclass(frozen=True, slots=True)
class BotEntry:
    """One bot as the file describes it."""

    name: str
    variable: str
    """The environment variable that holds its token."""
    agents: tuple[str, ...] = ()
    """The agents that its chats may have, the default first; empty: all, with the default of the deployment."""
    model: str | None = None
    """Answers where neither the chat nor ``chats.yaml`` names another one."""
    paused: bool = False
    """It takes no updates."""
    own: Mapping[str, str] = field(default_factory=dict[str, str])
    """Its settings, as variables."""

    @property
    def cards(self) -> Path | None:
        """Its own directory of cards; None: it has those of all."""
        return self._path("COHORT_CARDS")

    @property
    def chats(self) -> Path | None:
        """Its own file of chats; None: it has that of all."""
        return self._path("COHORT_CHATS")

    def _path(self, variable: str) -> Path | None:
        return Path(self.own[variable]) if variable in self.own else None


def read(path: Path) -> tuple[BotEntry, ...]:
    """Read the file, without tokens.

    Raises:
        BadFile: it cannot be used: where, what, what to do.
    """
    if not os.path.lexists(path):
        raise BadFile(path, None, "there is no such file", "correct COHORT_BOTS")
    said = read_mapping(path, once=True)
    for name in said:
        if name != "bots":
            raise BadFile(
                path, line_of(path, name), f"{name!s:.40}: there is no such key", "put the bots below `bots:`"
            )
    listed = said.get("bots")
    if not isinstance(listed, dict) or not listed:
        raise BadFile(path, None, "names no bots", "write `bots:`, and below it a name with a `token:` for each")
    bots = cast("Mapping[object, object]", listed)
    if len(bots) > MOST_BOTS:
        raise BadFile(path, None, f"names {len(bots)} bots", f"{MOST_BOTS} is the most of one deployment")
    entries = tuple(_entry(path, name, about) for name, about in bots.items())
    _check_webhooks(path, entries)
    return entries


@dataclass(frozen=True, slots=True)
class _BotPlace:
    """A bot's part of the file."""

    path: Path
    name: str
    about: Mapping[object, Any]

    def bad(self, key: str, what: str, do: str) -> BadFile:
        line = line_of(self.path, "bots", self.name, *([key] if key else []))
        return BadFile(self.path, line, f"bots.{self.name:.40}{f'.{key:.40}' if key else ''}: {what}", do)


def _entry(path: Path, name: object, about: object) -> BotEntry:
    place = _BotPlace(path, str(name), cast("Mapping[object, Any]", about) if isinstance(about, dict) else {})
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise place.bad("", "is no name", "use a-z, 0-9, - and _, a letter first, 32 at most")
    if not isinstance(about, dict):
        raise place.bad("", "is no mapping", "write `token: $NAME` below it")
    for key in map(str, place.about):
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            do = f"did you mean `{near[0]}`?" if near else "see COHORT_BOTS in docs/operating.md"
            raise place.bad(key, "there is no such key", do)
    paused = place.about.get("paused", False)
    if not isinstance(paused, bool):
        raise place.bad("paused", "must be true or false", "correct it")
    return BotEntry(name, _variable(place), *_agents(place), paused=paused, own=_own(place))


def _variable(place: _BotPlace) -> str:
    found = _VARIABLE.fullmatch(str(place.about.get("token", "")))
    if found is None:
        # What stands there may be a token, so it is not shown.
        raise place.bad("token", "names no variable", "write `token: $NAME`, and put the token itself into NAME")
    return str(found[1] or found[2])


def _agents(place: _BotPlace) -> tuple[tuple[str, ...], str | None]:
    """The agents and the model."""
    agents, model = place.about.get("agents") or [], place.about.get("model")
    if not isinstance(agents, list) or not all(isinstance(one, str) and one.strip() for one in cast("Any", agents)):
        raise place.bad("agents", "is no list of names", "write `agents: [first, second]`")
    if model is not None and (not isinstance(model, str) or not model.strip()):
        raise place.bad("model", "is no name", "name one, or leave the line out")
    return tuple(dict.fromkeys(cast("list[str]", agents))), model


def _own(place: _BotPlace) -> dict[str, str]:
    own: dict[str, str] = {}
    for key in OWN:
        if place.about.get(key) is not None:
            try:
                own |= _setting(key, place.about[key])
            except Misconfigured as problem:
                raise place.bad(key, str(problem).splitlines()[0].partition(": ")[2], "correct it") from None
    return own


def _setting(key: str, value: object) -> dict[str, str]:
    """A setting as a variable.

    Raises:
        Misconfigured: it cannot have this value.
    """
    if key in _PATHS and not (isinstance(value, str) and value.strip()):
        raise Misconfigured(f"{key}: is no path")
    if isinstance(value, list):
        text = ",".join(str(one) for one in cast("list[object]", value))
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str | int | float):
        text = str(value)
    else:
        raise Misconfigured(f"{key}: is no text, number or list")
    secret = {"COHORT_WEBHOOK_SECRET": "x" * 16} if key == "webhook_url" else {}
    load({env_name(key): text, **secret})
    return {env_name(key): text}


def _check_webhooks(path: Path, entries: Sequence[BotEntry]) -> None:
    """Telegram calls a bot at an address of its own: at a shared one a bot would be given what is meant for another."""
    seen: dict[str, str] = {}
    for entry in entries:
        if not (url := entry.own.get("COHORT_WEBHOOK_URL", "").rstrip("/")):
            continue
        line, where = line_of(path, "bots", entry.name, "webhook_url"), f"bots.{entry.name}.webhook_url"
        if entry.own.get("COHORT_WEBHOOK_PORT", "0") == "0":
            raise BadFile(path, line, f"{where}: has no webhook_port", "write the local port that this bot listens on")
        if url in seen:
            raise BadFile(path, line, f"{where}: is that of bots.{seen[url]}, too", "give each bot its own address")
        seen[url] = entry.name
