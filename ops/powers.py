"""What cards ask for beyond talking: a shell, tools that change the runtime. ``up`` and ``doctor`` report it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops import agent_config
from tasks.config.settings import Settings, env_name

_DEFAULT_SKILLS = (".fast-agent/skills", ".agents/skills", ".claude/skills")


@dataclass(frozen=True, slots=True)
class Power:
    """One power that a card asks for."""

    about: str
    """The card."""
    given: bool
    """A setting grants the power."""
    seen: str
    """What that means."""
    do: str
    """What to do about it."""


def powers(settings: Settings) -> list[Power]:
    """The powers that cards ask for, and directories of skills that no setting names.

    Raises:
        BadFile: there are no cards, or one cannot be read.
    """
    found = [power for card in agent_config.cards(settings) for power in _of_card(settings, card.path, card.head)]
    return [*found, *_unnamed_skills(Path.cwd())]


def _of_card(settings: Settings, path: Path, head: Mapping[str, Any]) -> Iterator[Power]:
    about = f"card {path.name}"
    if head.get("shell") is True:
        who = "every user of the bot may also run programs as the worker"
        seen = "shell: true lets chats run programs on the worker's machine, where all chats' files are"
        yield _power(about, settings.shell, seen, ("shell", env_name("shell"), who))
    if head.get("harness_tools", str(head.get("type")).strip().lower() == "smart") is True:
        who = "every user of the bot may have it reach any MCP server by its address"
        seen = "harness_tools let chats connect MCP servers of their choice, each for itself"
        yield _power(about, settings.runtime_tools, seen, ("harness_tools", env_name("runtime_tools"), who))


def _power(about: str, given: bool, seen: str, names: tuple[str, str, str]) -> Power:  # noqa: FBT001
    """``names``: the card's field, the setting, and the condition under which to grant it."""
    key, setting, who = names
    if given:
        return Power(about, given, seen, f"take it out, unless {who}")
    seen = f"asks for {key} and does not get it, as {setting} is not 1"
    return Power(about, given, seen, f"set it only if {who}; else take {key} out of the card")


def _unnamed_skills(directory: Path) -> Iterable[Power]:
    for name in _DEFAULT_SKILLS:
        if any((directory / name).glob("*/SKILL.md")):
            do = "if agents are to have them, name the directory under skills.directories or in a card"
            yield Power(f"skills in {name}", given=False, seen="no setting names them, so no agent has them", do=do)
