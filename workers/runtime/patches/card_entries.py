"""What a card and its entries of ``function_tools`` say to us: fast-agent refuses what it does not know.

Of an entry it is taken out before, and comes back as metadata of the tool; ``approve``, ``isolation``,
``descriptions`` and ``commands`` of a card stand in the agent's configuration afterwards. Cards whose type calls no
tools may not have ``approve``: it would protect no call. fast-agent has ``commands`` as well, each with settings below
its name, which are for its own console; those are left to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fast_agent.core.exceptions import AgentConfigError
from fast_agent.tools.function_tool_config import FunctionToolSpec

from tasks.chats.command_names import taken_by_card
from tasks.phrases import LANGUAGES, catalogue_of
from workers.runtime.durable.tool_facts import CARD_MARK, KEYS, OURS, wrong

ISOLATION_MARK = "cohort_isolation"
"""The attribute of an agent's configuration that holds its card's own ``isolation``."""
_APPROVE = "approve"
_ISOLATION = "isolation"
_ISOLATIONS = ("shared", "process")
DESCRIPTIONS_MARK = "cohort_descriptions"
"""The attribute that holds its card's ``descriptions``: the code of a language, and what is said in it."""
_DESCRIPTIONS = "descriptions"
COMMANDS_MARK = "cohort_commands"
"""The attribute that holds its card's ``commands``: name -> what the menu says of it, or nothing."""
_COMMANDS = "commands"
OF_CARDS = (_APPROVE, _ISOLATION, _DESCRIPTIONS, _COMMANDS)
"""Fields of a card that fast-agent does not know."""
_CALLS_TOOLS = frozenset({"agent", "smart"})


@dataclass(frozen=True, slots=True)
class _Spec(FunctionToolSpec):
    """An entry of a card with what it says to us."""

    ours: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def metadata(self) -> dict[str, Any] | None:  # pyright: ignore[reportIncompatibleMethodOverride] - holds a mapping
        return {**(FunctionToolSpec.metadata(self) or {}), OURS: dict(self.ours)}


def taking_ours(original: Callable[..., Any]) -> Callable[..., Any]:
    def parse(raw: Any, *, field_path: str) -> Any:
        ours = {key: raw[key] for key in KEYS if key in raw} if isinstance(raw, dict) else {}
        if not ours:
            return original(raw, field_path=field_path)
        problem = wrong(ours)
        if problem is not None:
            raise ValueError(f"'{field_path}' {problem}")
        rest = original({key: value for key, value in raw.items() if key not in ours}, field_path=field_path)
        return _Spec(rest.entrypoint, rest.variant, rest.code_arg, rest.language, ours)

    return parse


def with_approval(original: Callable[..., Any]) -> Callable[..., Any]:
    def build(path: Path, raw: dict[str, Any], *, body: str | None, remote_source: str | None = None) -> Any:
        rest = _without_ours(raw)
        loaded = original(path, rest, body=body, remote_source=remote_source)
        marks = loaded.agent_data["config"].__dict__
        if _APPROVE in raw and _APPROVE not in rest:
            problem = wrong({_APPROVE: raw[_APPROVE]})
            if problem is not None:
                raise AgentConfigError(f"'{_APPROVE}': {problem} in {path}")
            marks[CARD_MARK] = raw[_APPROVE]
        if _ISOLATION in raw:
            if raw[_ISOLATION] not in _ISOLATIONS:
                raise AgentConfigError(f"'{_ISOLATION}': must be {' or '.join(_ISOLATIONS)} in {path}")
            marks[ISOLATION_MARK] = raw[_ISOLATION]
        if _DESCRIPTIONS in raw:
            marks[DESCRIPTIONS_MARK] = _by_language(raw[_DESCRIPTIONS], path)
        if (said := _said_to_us(raw)) is not None:
            try:
                marks[COMMANDS_MARK] = taken_by_card(said)
            except ValueError as problem:
                raise AgentConfigError(f"'{_COMMANDS}': {problem} in {path}") from None
        return loaded

    return build


def scanned(original: Callable[[Path], tuple[dict[str, Any], str | None]]) -> Callable[[Path], Any]:
    """The check looks at names of fields alone; ``with_approval`` says what is wrong with this one."""

    def load(card_path: Path) -> tuple[dict[str, Any], str | None]:
        raw, body = original(card_path)
        return _without_ours(raw), body

    return load


def _without_ours(raw: dict[str, Any]) -> dict[str, Any]:
    calls_tools = str(raw.get("type") or "agent").strip().casefold() in _CALLS_TOOLS
    ours = {*OF_CARDS} if calls_tools else {*OF_CARDS} - {_APPROVE}
    kept = {key: value for key, value in raw.items() if key not in ours}
    if isinstance(given := raw.get(_COMMANDS), dict) and (console := _of_console(given)):
        kept[_COMMANDS] = console
    return kept


def _of_console(commands: dict[Any, Any]) -> dict[Any, Any]:
    return {name: said for name, said in commands.items() if isinstance(said, dict)}


def _said_to_us(raw: dict[str, Any]) -> Any:
    """What a card's ``commands`` say but for fast-agent's; None where they say nothing."""
    given = raw.get(_COMMANDS)
    if not isinstance(given, dict):
        return given
    return {key: said for key, said in given.items() if not isinstance(said, dict)}


def _by_language(given: Any, path: Path) -> dict[str, str]:
    """What a card says of its agent, by the codes of languages.

    Raises:
        AgentConfigError: it is no such thing, or the bot does not speak one of the languages.
    """
    if not isinstance(given, dict):
        raise AgentConfigError(f"'{_DESCRIPTIONS}': must be a text for each language (`de: Kocht gern`) in {path}")
    found = {catalogue_of(str(tag)): said for tag, said in given.items()}
    if None in found or not all(isinstance(said, str) for said in given.values()):
        raise AgentConfigError(f"'{_DESCRIPTIONS}': must be texts by language ({', '.join(LANGUAGES)}) in {path}")
    return {language: said for language, said in found.items() if language is not None}
