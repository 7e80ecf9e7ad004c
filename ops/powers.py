"""What cards ask for beyond talking: a shell, tools that change the runtime. Said at each start and by doctor."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops import agents
from tasks.settings import Settings

_DEFAULT_SKILLS = (".fast-agent/skills", ".agents/skills", ".claude/skills")


@dataclass(frozen=True, slots=True)
class Power:
    """One thing that a card asks for: about what, whether it is given, what that means, what to do."""

    about: str
    given: bool
    seen: str
    do: str


def powers(settings: Settings) -> list[Power]:
    """Everything that cards ask for beyond talking, and folders of skills that no setting names.

    Raises:
        Misconfigured: there are no cards, or one is not YAML.
    """
    found = [power for card in agents.cards(settings) for power in _of_card(settings, card.path, card.head)]
    return [*found, *_unnamed_skills(Path.cwd())]


def _of_card(settings: Settings, path: Path, head: Mapping[str, Any]) -> Iterator[Power]:
    about = f"card {path.name}"
    if head.get("shell") is True:
        do = "take it out, unless everybody who may talk to the bot may also run programs as the worker"
        if settings.shell:
            seen = "shell: true lets chats run programs on the worker's machine, where all chats' files are"
        else:
            seen, do = "asks for a shell and has none, as COHORT_SHELL is not 1", f"set that, or {do}"
        yield Power(about, settings.shell, seen, do)
    if head.get("harness_tools", str(head.get("type")).strip().lower() == "smart") is True:
        do = "take it out, unless everybody who may talk to the bot may have it reach any MCP server by its address"
        if settings.runtime_tools:
            seen = "harness_tools let chats connect MCP servers of their choice, each for itself"
        else:
            seen, do = "asks for harness_tools and has none, as COHORT_RUNTIME_TOOLS is not 1", f"set that, or {do}"
        yield Power(about, settings.runtime_tools, seen, do)


def _unnamed_skills(directory: Path) -> Iterable[Power]:
    for name in _DEFAULT_SKILLS:
        if any((directory / name).glob("*/SKILL.md")):
            do = "if agents shall have them, name the folder under skills.directories or in a card"
            yield Power(f"skills in {name}", given=False, seen="no setting names them, so no agent has them", do=do)
