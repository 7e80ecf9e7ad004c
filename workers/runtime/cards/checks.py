"""Checks the agent cards and fast-agent's configuration before a start and before a reload.

fast-agent alone accepts in silence: a child agent that does not exist, a frontmatter that never ends, and at a hot
reload any broken card. ``python -m workers.runtime.cards.checks`` prints one line for each problem, and
ends with status 1.
"""

import io
import re
import sys
import warnings
from collections.abc import Collection, Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from fast_agent.agents.workflow.evaluator_optimizer import QualityRating
from fast_agent.core.agent_card_loader import load_agent_cards
from fast_agent.core.agent_card_validation import scan_agent_card_directory
from fast_agent.core.exceptions import FastAgentError
from fast_agent.llm.model_factory import ModelFactory

from tasks.config.settings import Settings, load
from tasks.errors import Misconfigured
from tasks.operator_files.agent_files import SECRETS, BadFile, Card, card_files, read_card, read_mapping
from tasks.operator_files.bots_file import read as read_bots
from workers.runtime.cards import code as card_code
from workers.runtime.cards.notes import TOOL_USERS, notes, rule_notes
from workers.runtime.cards.words import Known, line, line_of_key, simple
from workers.runtime.cards.words import problems as problems_of
from workers.runtime.durable import tool_facts
from workers.runtime.patches import patch
from workers.runtime.servers.marked import CHAT, MARK, PERSON

_RATINGS = tuple(QualityRating.__members__)

CardProblem = BadFile
"""One thing that is wrong: where, what, and what to do."""


def check_cards(settings: Settings, *, whole: bool = True) -> list[CardProblem]:
    """Find every problem that can be seen without starting a model or a server.

    Args:
        settings: The settings, with the cards and the configuration.
        whole: Have fast-agent read the configuration as a whole; not where it does so next.

    Returns:
        The problems; the cards are accepted if there are no problems.
    """
    servers, problems = _configuration(settings, whole=whole)
    elsewhere = _elsewhere(settings)
    marked = {
        name for name, server in servers.items() if isinstance(server, dict) and server.get(MARK) in {CHAT, PERSON}
    }
    cards = settings.cards
    patch.apply(only=("card_reading", "card_entries"))
    try:
        files = card_files(cards)
    except BadFile as problem:
        return [*problems, problem]
    if not files:
        problems.append(BadFile(cards, None, "no agent cards", "add one (a .md file with frontmatter, or .yaml)"))
    readable: dict[Path, Card] = {}
    for path in files:
        try:
            readable[path] = read_card(path)
        except BadFile as problem:
            problems.append(problem)
    named: dict[str, list[Path]] = {}
    for card in readable.values():
        named.setdefault(card.name, []).append(card.path)
    known = Known(named, set(servers), elsewhere)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scanned = scan_agent_card_directory(cards, server_names=set(servers))
    for entry in scanned:
        if entry.path not in readable or entry.ignored_reason is not None:
            continue
        text = entry.path.read_text(encoding="utf-8-sig")
        found = [one for error in _told(entry.errors) for one in problems_of(entry.path, text, error, known)]
        # What the scan finds the loader may trip over too, in words without a line.
        problems.extend(found or _loaded(entry.path, text, settings))
    if files and settings.agent is not None and settings.agent not in {card.name for card in readable.values()}:
        problems.append(BadFile(cards, None, f"no card describes the agent {settings.agent}", "correct COHORT_AGENT"))
    return [*problems, *_copied(readable.values(), marked)]


def needs_restart(settings: Settings, known: Collection[str]) -> list[BadFile]:
    """Find the servers that cards name and that were added to the configuration after the worker read it."""
    servers, _ = _configuration(settings, whole=True)
    return [
        BadFile(
            path,
            line(path.read_text(encoding="utf-8-sig"), name),
            f"server {name} is new in the configuration, which is read at a start alone",
            "restart the workers to let it in",
        )
        for path in card_files(settings.cards)
        for name in map(str, read_card(path).listed("servers"))
        if name in servers and name not in known
    ]


def _configuration(settings: Settings, *, whole: bool) -> tuple[dict[str, Any], list[CardProblem]]:
    """Read the configuration files: the servers that cards may name (name -> settings), and the problems."""
    servers: dict[str, Any] = {}
    problems: list[CardProblem] = []
    secrets = [settings.config.with_name(name) for name in SECRETS]
    for path in (settings.config, *secrets):
        if not path.exists():
            if path == settings.config and "config" in settings.model_fields_set:
                problems.append(CardProblem(path, None, "no such file", "set COHORT_CONFIG to your configuration file"))
            continue
        try:
            section: Any = read_mapping(path).get("mcp") or {}
        except BadFile as problem:
            problems.append(problem)
            continue
        found: Any = section.get("servers") if isinstance(section, dict) else None
        if isinstance(found, dict):
            servers |= found
            problems.extend(_wrong_marks(path, found))
    if whole and not problems:
        problems.extend(_accepted(settings))
    return servers, problems


def _elsewhere(settings: Settings) -> dict[str, str]:
    """Servers that stand where fast-agent does not look -> the key of the configuration below which they do."""
    try:
        read = read_mapping(settings.config) if settings.config.exists() else {}
    except BadFile:
        return {}
    places = {"mcpServers": read.get("mcpServers"), "servers": read.get("servers"), "mcp": read.get("mcp")}
    return {
        str(name): key
        for key, found in places.items()
        if isinstance(found, dict)
        for name, server in found.items()
        if isinstance(server, dict) and {"command", "url"} & server.keys()
    }


def _told(errors: Sequence[str]) -> list[str]:
    """What is worth telling: of a type that there is not, fields mean nothing."""
    if any(error.startswith("Unsupported agent type") for error in errors):
        return [error for error in errors if not error.startswith(("Unsupported fields", "Missing required"))]
    return list(errors)


def _wrong_marks(path: Path, servers: dict[str, Any]) -> Iterable[CardProblem]:
    """Find misspelt marks: a server would be shared by all chats, or a call in doubt would be treated as usual."""
    text = path.read_text(encoding="utf-8")
    for name, server in servers.items():
        if not isinstance(server, dict):
            continue
        mark = server.get(MARK)
        if mark == PERSON and not (server.get("url") or "://" in str(server.get("target", ""))):
            what, do = f"server {name} has {MARK}: {mark} and no url", "people can log in at servers with a url only"
            yield CardProblem(path, line(text, f"{MARK}: {mark}"), what, do)
        if mark not in {None, CHAT, PERSON}:
            do = f"write `{MARK}: {CHAT}` or `{MARK}: {PERSON}`, or leave it out"
            what = f"server {name} has {MARK}: {mark}"
            yield CardProblem(path, line(text, f"{MARK}: {mark}"), what, do)
        for key in tool_facts.KEYS:
            said = tool_facts.wrong({key: server[key]}) if key in server else None
            if said is not None:
                where = line(text, f"{key}: {server[key]}", f"{key}:")
                yield CardProblem(path, where, f"server {name}: {said}", f"correct {key}")


def _copied(cards: Iterable[Card], own: set[str]) -> Iterable[CardProblem]:
    """Find agents that are used as tools and have a chat's own server: each call runs a copy without that server."""
    named = {card.name: card for card in cards}
    for card in named.values():
        if card.type not in TOOL_USERS:
            continue
        for child in map(str, card.listed("agents")):
            lost = sorted(own.intersection(map(str, named[child].listed("servers")))) if child in named else []
            if lost:
                what = f"uses {child} as a tool, and {child} has a chat's or a person's own server ({', '.join(lost)})"
                at = line(card.path.read_text(encoding="utf-8-sig"), child)
                do = "name the server in this card instead, or make it a chain or router"
                yield CardProblem(card.path, at, what, do)


def _accepted(settings: Settings) -> Iterable[CardProblem]:
    """Let fast-agent read the configuration as a whole."""
    from workers.runtime import instances  # noqa: PLC0415 - it loads what a check alone does not need

    try:
        instances.read_configuration(settings)
    except Misconfigured as problem:
        text = settings.config.read_text(encoding="utf-8") if settings.config.exists() else ""
        said = str(problem).removeprefix(f"{settings.config}: ")
        yield CardProblem(settings.config, line(text, said.split(":")[0].split(".")[-1]), said, "correct this setting")


def _loaded(path: Path, text: str, settings: Settings) -> Iterable[CardProblem]:
    """Let fast-agent's loader read a card, load what it names in Python, and check that its models exist."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = load_agent_cards(path)
            code = [one for card in loaded for one in card_code.unloadable(path, text, card.agent_data.get("config"))]
    except FastAgentError as problem:
        what = problem.message.replace(f" in {path.resolve()}", "").replace(str(path.resolve()), path.name)
        yield _refused(path, text, what, problem.details)
        return
    except Exception as problem:  # noqa: BLE001 - whatever it is, the other cards are checked
        yield CardProblem(path, None, f"cannot be loaded ({type(problem).__name__}: {problem})", "correct it")
        return
    yield from code
    for card in loaded:
        rating = card.agent_data.get("min_rating")
        if rating is not None and rating not in _RATINGS:
            yield CardProblem(
                path, line(text, "min_rating"), f"unknown rating {rating!r}", f"use {', '.join(_RATINGS)}"
            )
        yield from _model(path, text, getattr(card.agent_data.get("config"), "model", None), settings)


def _refused(path: Path, text: str, what: str, details: str) -> CardProblem:
    if what.startswith("Invalid request_params"):
        # pydantic's: a line with the field, and one below it with what is wrong.
        lines = [each.strip() for each in details.splitlines()]
        name, said = (*lines[1:3], "", "")[:2]
        said = f"request_params: {name}: {said.partition(' [type=')[0]}"
        return CardProblem(path, line(text, name, "request_params"), said, "correct it")
    told = simple(path, text, what)
    return CardProblem(path, told.line or line(text, *re.findall(r"'([^']+)'", what)), what, told.do)


def _model(path: Path, text: str, model: Any, settings: Settings) -> Iterable[CardProblem]:
    if model is not None and not isinstance(model, str):
        yield CardProblem(path, line_of_key(text, "model"), f"the model {model!r} is no text", "write provider.model")
        return
    if model is None or settings.model or model.startswith("$"):
        return
    try:
        ModelFactory.resolve_model_spec(model)
    except Exception:  # noqa: BLE001 - several kinds, all meaning the same
        do = "write provider.model, or one of fast-agent's short names (haiku, gpt-5.4-mini, ...)"
        yield CardProblem(path, line_of_key(text, "model"), f"unknown model {model!r}", do)


def looked_at(settings: Settings) -> tuple[list[str], list[str]]:
    """Problems and notes, a line each: of the common cards, and of those that bots have of their own.

    Raises:
        BadFile: the file of bots cannot be used.
    """
    problems, told = [str(one) for one in check_cards(settings)], list[str]()
    # Notes are about cards that are accepted.
    told += [*notes(settings), *rule_notes(settings)] if not problems else []
    for entry in read_bots(settings.bots) if settings.bots is not None else ():
        own = settings.model_copy(update={"cards": entry.cards or settings.cards, "agent": None})
        found = list[str]()
        if entry.cards is not None:
            # The configuration is the same: what is wrong with it is told once.
            found = [str(one) for one in check_cards(own) if str(one) not in problems]
            problems += [f"bots.{entry.name}: {line}" for line in found]
            told += [f"bots.{entry.name}: {line}" for line in notes(own)] if not found else []
        names = {read_card(path).name for path in card_files(own.cards)} if not problems else set(entry.agents)
        told += [f"bots.{entry.name}: {own.cards} has no card of {name}" for name in entry.agents if name not in names]
    return problems, told


def main(arguments: Sequence[str] = ()) -> int:
    """Check the cards that the environment's settings name.

    Returns:
        The exit status: 0 without problems, else 1.
    """
    del arguments
    try:
        # What a tool's module prints when it is imported is no part of the answer.
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            found, told = looked_at(load())
    except Misconfigured as problem:
        found, told = [str(problem)], []
    for problem in found:
        print(problem, file=sys.stderr)  # noqa: T201 - this is a command
    for note in () if found else told:
        print(note)  # noqa: T201 - this is a command
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
