"""Notes about cards that are accepted, and that probably do not say what their author means."""

import contextlib
import difflib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from fast_agent.config import Settings as FastAgentSettings
from fast_agent.llm.model_factory import ModelFactory
from fast_agent.skills.registry import SkillRegistry
from fast_agent.types import RequestParams

from tasks.config.settings import Settings
from tasks.operator_files import chat_rules
from tasks.operator_files.agent_files import BadFile, Card, card_files, documents, read_card, read_mapping
from workers.runtime.patches import card_reading
from workers.runtime.servers.answers import taken_name

TOOL_USERS = frozenset({"agent", "basic", "smart"})
_CHILD = re.compile(r"[A-Za-z0-9_-]{1,57}")
"""What is left of OpenAI's and Anthropic's 64 characters behind fast-agent's ``agent__``."""
_HEAD = 30
"""Lines in which a head is looked for that does not stand at the top."""
_LONG = 100_000
"""Characters of an instruction, some 25,000 tokens; a file that was meant for a tool has come in its place."""
_FIELD = re.compile(r"(name|type|model|instruction|servers|function_tools|default)[ \t]*[:=]")
_FILLED = {
    name.casefold(): name
    for name in (
        *("currentDate", "hostPlatform", "pythonVer", "workspaceRoot", "env", "agentSkills", "serverInstructions"),
        *("agentName", "agentType", "agentCardDir", "agentCardPath", "modelName", "modelProvider"),
    )
}
"""What fast-agent fills in, in braces."""
_UNTOLD_TOOLS = frozenset(
    {"servers", "mcp_connect", "shell", "skills", "agents", "human_input", "harness_tools", "subagents"}
)
"""Keys of a card that bring tools whose names do not stand in it."""
_PARAMETERS = {name for key, field in RequestParams.model_fields.items() for name in (key, field.alias) if name}
_READERS = frozenset({".md", ".py", ".yaml", ".yml"})
_SECTIONS = frozenset(FastAgentSettings.model_fields)
_STARTS = frozenset({"command", "url", "target", "connector_id"})


def rule_notes(settings: Settings) -> list[str]:
    """Warnings about models that the operator's file of chats names, one line each."""
    with contextlib.suppress(BadFile):
        return [
            f"{settings.chats}: {where}: unknown model {rule.model!r}; its turns fail; write provider.model"
            for where, rule in chat_rules.read(settings.chats).every()
            if rule.model is not None and not _is_model(rule.model)
        ]
    return []


def _is_model(name: str) -> bool:
    try:
        ModelFactory.resolve_model_spec(name)
    except Exception:  # noqa: BLE001 - several kinds, all meaning the same
        return name.startswith("$")
    return True


def notes(settings: Settings) -> list[str]:
    """Warnings about cards that are accepted, one line each. ``check_cards`` has to run before."""
    with contextlib.suppress(BadFile):
        cards = [read_card(path) for path in card_files(settings.cards)]
        about: tuple[Callable[[Card], Iterable[str]], ...] = (
            _away,
            _names,
            _doubled,
            _parameters,
            _filters,
            _approvals,
            _skills,
            _braces,
            _length,
        )
        return [
            *(f"{card.path}: {said}" for card in cards for each in about for said in each(card)),
            *_defaults(cards),
            *_servers(settings, cards),
            *_no_cards(settings.cards),
        ]
    return []


def _away(card: Card) -> Iterable[str]:
    for address, why in card_reading.away(card.path.read_text(encoding="utf-8-sig")):
        yield f"{{{{url:...}}}} is left out, {address} cannot be read ({why})"


def _names(card: Card) -> Iterable[str]:
    if any(map(_unseen, card.name)):
        yield f"its name {card.name!r} has marks that cannot be seen, and people have to write it"
    for child in map(str, card.listed("agents")) if card.type in TOOL_USERS else ():
        if not _CHILD.fullmatch(child):
            refused = "and most providers refuse such a name for one"
            yield f"{child} is used as a tool, {refused}: write at most 57 of A-Z a-z 0-9 _ -"
    tools = Counter(_functions(card))
    for name, times in tools.items():
        if (taken := taken_name(name)) != name:
            yield f"{name} is a tool, and models know it as {taken}, because not all providers take its name"
        if times > 1:
            yield f"function_tools names {times} functions {name}: the model gets one of them"


def _unseen(mark: str) -> bool:
    """Whether a mark cannot be seen; those that join letters and emoji show in what they join."""
    return unicodedata.category(mark) in {"Cc", "Cf", "Zl", "Zp"} and mark not in "\u200c\u200d" and mark < "\U000e0000"


def _functions(card: Card) -> Iterable[str]:
    for entry in card.listed("function_tools"):
        spec = entry.get("entrypoint") if isinstance(entry, Mapping) else entry
        yield str(spec).rpartition(":")[2].strip()


def _doubled(card: Card) -> Iterable[str]:
    text = card.path.read_text(encoding="utf-8-sig")
    if card.body is not None:
        text = text[: len(text) - len(card.body)]
    yield from _twice(text)


def _twice(text: str) -> Iterable[str]:
    for key, times in Counter(re.findall(r"^([A-Za-z_]\w*)[ \t]*:", text, re.MULTILINE)).items():
        if times > 1:
            yield f"{key} stands there {times} times: the last one holds"


def _parameters(card: Card) -> Iterable[str]:
    given = card.head.get("request_params")
    for name in given if isinstance(given, Mapping) else ():
        if name not in _PARAMETERS:
            yield f"request_params has no {name}, so nothing reads it"


def _filters(card: Card) -> Iterable[str]:
    servers, brought = set(map(str, card.listed("servers"))), card.head.get("mcp_connect")
    for field in ("tools", "resources", "prompts") if not brought else ():
        given = card.head.get(field)
        for name in given if isinstance(given, Mapping) else ():
            if name not in servers:
                yield f"{field} has a filter for {name}, which is not among the card's servers"


def _approvals(card: Card) -> Iterable[str]:
    """Patterns that fit no tool, where all of them stand in the card."""
    if card.type not in TOOL_USERS or _UNTOLD_TOOLS & {key for key, value in card.head.items() if value}:
        return
    functions = set(_functions(card))
    for pattern in card.listed("approve"):
        if pattern != "*" and not any(fnmatchcase(name, str(pattern)) for name in functions):
            yield f"approve names {pattern}, which is no tool of its, so nothing is asked about"


def _skills(card: Card) -> Iterable[str]:
    for place in card.listed("skills"):
        folder = Path(str(place)).expanduser()
        if not folder.is_dir():
            yield f"skills names {place}, and there is no such folder: its path starts where the workers run"
            continue
        found, wrong = SkillRegistry.load_directory_with_errors(folder)
        for one in wrong:
            yield f"the skill {one['path']} is left out ({one['error'].splitlines()[0]})"
        if not found and not wrong:
            yield f"skills names {place}, and no folder in it has a SKILL.md"


def _braces(card: Card) -> Iterable[str]:
    text = f"{card.body or ''} {card.head.get('instruction') or ''}"
    for word in dict.fromkeys(re.findall(r"\{\{(\w+)\}\}", text)):
        meant = difflib.get_close_matches(word.casefold(), _FILLED, n=1, cutoff=0.8)
        if meant and word != _FILLED[meant[0]]:
            yield f"{{{{{word}}}}} stays as it is written; {{{{{_FILLED[meant[0]]}}}}} is filled in"


def _length(card: Card) -> Iterable[str]:
    size = len((card.body or "").strip() or str(card.head.get("instruction") or ""))
    if size > _LONG:
        yield f"its instruction has {size:,} characters, and the model reads all of them at each call"


def _defaults(cards: list[Card]) -> Iterable[str]:
    said = [card for card in cards if card.head.get("default") is True]
    if len(said) > 1:
        names = ", ".join(card.path.name for card in said)
        yield f"{names}: each says `default: true`; {said[0].name} answers who has chosen no agent"


def _servers(settings: Settings, cards: list[Card]) -> Iterable[str]:
    if not settings.config.exists():
        return
    for said in _twice(settings.config.read_text(encoding="utf-8-sig", errors="replace")):
        yield f"{settings.config}: {said}"
    read = read_mapping(settings.config)
    for key in read.keys() - _SECTIONS:
        if near := difflib.get_close_matches(str(key), _SECTIONS):
            meant = next((name for name in near if sorted(name) == sorted(str(key))), near[0])
            yield f"{settings.config}: nothing reads {key}; {meant} is read"
    section = read.get("mcp")
    servers = section.get("servers") if isinstance(section, Mapping) else None
    used = {str(name) for card in cards for name in card.listed("servers")}
    for name, server in servers.items() if isinstance(servers, Mapping) else ():
        if name in used and isinstance(server, Mapping) and not _STARTS & server.keys():
            yield f"{settings.config}: server {name} has no command and no url, so it cannot be started"
        for variable in sorted(set(_variables(server))) if name in used else ():
            if variable not in os.environ:
                what = f"server {name} gets ${{{variable}}} as it is written, because that variable is not set"
                yield f"{settings.config}: {what}"


def _variables(value: object) -> Iterable[str]:
    """The names in ``${...}`` that have no default."""
    if isinstance(value, str):
        yield from re.findall(r"\$\{([^}:]+)\}", value)
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _variables(inner)


def _no_cards(directory: Path) -> Iterable[str]:
    """Files that look like cards, and are not read as such."""
    for path in documents(directory):
        if path.suffix.lower() not in {".md", ".markdown"}:
            continue
        if _has_a_head_further_down(path):
            yield f"{path}: is no card, because a card's first line is `---`"
        elif not path.stem.isupper() and not _is_named(path):
            what = "begins with a line `---`" if path.stat().st_size else "is not empty"
            yield f"{path}: is no card, because a card {what}"
    for path in sorted(directory.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_symlink() and not path.exists() and path.suffix.lower() in {".md", ".yaml", ".yml"}:
            yield f"{path}: is no card, because it is a link that leads nowhere"
        elif path.is_dir() and (inner := [each.name for each in card_files(path) if _names_an_agent(each)]):
            yield f"{path}: holds cards ({', '.join(inner[:3])}), and only those directly in {directory} are read"
        elif path.suffix.lower() == ".txt" and path.is_file() and _has_a_head_further_down(path):
            yield f"{path}: is no card, because a card's name ends in .md or .yaml"


def _is_named(path: Path) -> bool:
    """Whether a file beside it names it, and so reads it: a story, a list."""
    beside = (one for one in path.parent.iterdir() if one != path and one.suffix in _READERS and one.is_file())
    return any(path.name in one.read_text(encoding="utf-8", errors="replace") for one in beside)


def _has_a_head_further_down(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            lines = [line.strip() for _, line in zip(range(_HEAD), file, strict=False)]
    except OSError:
        return False
    fences = [number for number, line in enumerate(lines) if line.startswith(("---", "+++"))]
    return bool(fences) and any(_FIELD.match(line) for line in lines[fences[0] + 1 :])


def _names_an_agent(path: Path) -> bool:
    try:
        head = read_card(path).head
    except BadFile:
        return False
    return any(_FIELD.match(f"{key}:") for key in head)
