"""The operator's files for fast-agent, read without it: which files are cards, what they say, and the configuration.

One reader for workers, which hand the files to fast-agent, and for operators' commands, which never load it. What is a
card and what is a document beside the cards is decided here, as fast-agent decides it.
"""

import re
import tomllib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import yaml

from tasks.config.fastagent_config import CONFIGURATIONS
from tasks.errors import Misconfigured
from tasks.operator_files.yaml_advice import advice
from tasks.operator_files.yaml_reading import Loader, OnceLoader, RefusedYaml

SECRETS = ("fast-agent.secrets.yaml", "fastagent.secrets.yaml")

_MARKDOWN = frozenset({".md", ".markdown"})
_YAML = frozenset({".yaml", ".yml"})
_BOUNDARIES = {
    "---": re.compile(r"^-{3,}[^\S\n]*$", re.MULTILINE),
    "+++": re.compile(r"^\+{3,}[^\S\n]*$", re.MULTILINE),
}
_MOST = 2**20
"""Characters of YAML. The reader takes half a minute for ten times as many; a chat's rules are fifty."""
_KEPT = 2**16
"""Characters of YAML that is kept as read: an engine that opens reads each of its files four times."""
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
"""What PyYAML raises besides its own: of a day that there is not, a number without digits, a thousand brackets."""
_NOT_CARDS = frozenset({*CONFIGURATIONS, *SECRETS, "SKILL.md"})
"""Files of fast-agent's with a card's suffix."""


class BadFile(Misconfigured):
    """A file of the operator's cannot be used: where (``line`` from 1, None where it is nowhere), what, what to do."""

    def __init__(self, file: Path, line: int | None, what: str, do: str) -> None:
        super().__init__(f"{file}:{line}: {what}; {do}" if line else f"{file}: {what}; {do}")
        self.file = file
        self.line = line
        self.what = what
        self.do = do


@dataclass(frozen=True, slots=True)
class Card:
    """A card: its settings, and its instruction where it stands below them."""

    path: Path
    head: Mapping[str, Any] = field(default_factory=dict[str, Any])
    body: str | None = None

    @property
    def name(self) -> str:
        """The agent's."""
        return str(self.head.get("name") or self.path.stem).strip().replace(" ", "_")

    @property
    def type(self) -> str:
        """``agent``, ``chain``, ... in lower case."""
        return str(self.head.get("type") or "agent").strip().casefold().replace("-", "_")

    def listed(self, key: str) -> list[Any]:
        """What a field lists; one name counts as a list of it, and a value of another type as none."""
        value = self.head.get(key)
        return value if isinstance(value, list) else [value] if isinstance(value, str) and value else []


def card_files(directory: Path) -> list[Path]:
    """The cards in a directory, in order of their names.

    Raises:
        BadFile: there is no such directory.
    """
    return [path for path in _candidates(directory) if _is_card(path)]


def documents(directory: Path) -> list[Path]:
    """What stands beside the cards and is none: Markdown without frontmatter, fast-agent's other files.

    Raises:
        BadFile: there is no such directory.
    """
    return [path for path in _candidates(directory) if not _is_card(path)]


def read_card(path: Path) -> Card:
    """Read a card.

    Raises:
        BadFile: it cannot be read.
    """
    text = _text(path)
    if path.suffix.lower() in _YAML:
        return Card(path, _mapping(path, text))
    stripped = text.lstrip()
    above = text[: len(text) - len(stripped)].count("\n")
    parts = _BOUNDARIES[stripped[:3]].split(stripped, maxsplit=2)
    if len(parts) < 3:  # noqa: PLR2004 - before, in, after
        raise BadFile(path, above + 1, "its frontmatter has no end", f"close it with a line `{stripped[:3]}`")
    _, head, body = parts
    if stripped.startswith("+++"):
        return Card(path, _toml(path, head, above), body)
    return Card(path, _mapping(path, head.rstrip(), above), body)


def configuration(config: Path) -> dict[str, Any]:
    """The configuration file with the secrets file beside it merged in, section by section.

    Raises:
        BadFile: a file is missing, or is not YAML.
    """
    if not config.is_file():
        raise BadFile(config, None, "there is no such file", "write one, which may be empty, or correct COHORT_CONFIG")
    merged = dict(read_mapping(config))
    for secrets in (config.with_name(name) for name in SECRETS):
        if secrets.is_file():
            for section, value in read_mapping(secrets).items():
                known = merged.get(section)
                both = isinstance(known, Mapping) and isinstance(value, Mapping)
                merged[section] = {**cast("Mapping[str, Any]", known), **value} if both else value
    return merged


def read_mapping(path: Path, *, once: bool = False) -> Mapping[str, Any]:
    """One YAML file of settings; an empty file is an empty mapping.

    Args:
        path: The file.
        once: Whether a key that stands twice in one mapping is refused, and not read as its last.

    Raises:
        BadFile: it cannot be read, or is no mapping.
    """
    return _mapping(path, _text(path), loader=OnceLoader if once else Loader)


def node_at(path: Path, *place: int | str) -> tuple[yaml.Node | None, int | None]:
    """What stands at a place of a YAML file, and the line of the last of its keys that the file has.

    Nothing where the file cannot be read: it may change meanwhile.
    """
    try:
        node: yaml.Node | None = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=Loader)
    except (OSError, yaml.YAMLError, *_UNREADABLE):
        return None, None
    line = None
    for part in place:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = [(key, value) for key, value in pairs if str(key.value) == str(part)]
        if not found:
            return None, line
        key, node = found[-1]
        line = key.start_mark.line + 1
    return node, line


def line_of(path: Path, *place: int | str) -> int | None:
    """The line of the key that stands at a place of a YAML file, as far as the file has it."""
    return node_at(path, *place)[1]


def _candidates(directory: Path) -> list[Path]:
    try:
        there = directory.is_dir()
    except (OSError, ValueError):  # Python 3.12: a name that is too long, or has a NUL
        there = False
    if not there:
        raise BadFile(directory, None, "no such directory", "set COHORT_CARDS to your cards' directory")
    found = (path for path in directory.iterdir() if path.suffix.lower() in _MARKDOWN | _YAML and path.is_file())
    return sorted(found)


def is_document(path: Path) -> bool:
    """Whether its name says that it is no card: fast-agent's other files, and a README in any language.

    Pages that make a site of a README want frontmatter in it.
    """
    return path.name in _NOT_CARDS or path.name.split(".")[0].casefold() == "readme"


def _is_card(path: Path) -> bool:
    return not is_document(path) and (path.suffix.lower() in _YAML or _has_frontmatter(path))


def _has_frontmatter(path: Path) -> bool:
    """Whether its first line that is not blank opens one, in whatever encoding: a card that cannot be read is told.

    What cannot be opened at all may be one.
    """
    try:
        raw = path.read_bytes()
    except OSError:
        return True
    encoding = "utf-16" if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    text = raw.decode(encoding, errors="replace")
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first in _BOUNDARIES


def _text(path: Path) -> str:
    try:
        if path.is_fifo():  # To read it waits for a writer.
            raise BadFile(path, None, "is a pipe", "put a file in its place")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeError as problem:
        raise BadFile(path, None, "is not UTF-8 text", "save it as UTF-8") from problem
    except OSError as problem:
        if isinstance(problem, FileNotFoundError) and path.is_symlink():
            raise BadFile(path, None, "is a link that leads nowhere", "correct the link, or take it away") from problem
        raise BadFile(path, None, f"cannot be read ({problem.strerror})", "see what it is, and whose") from problem
    except ValueError as problem:
        raise BadFile(path, None, f"cannot be read ({problem})", "correct its name") from problem


def _mapping(path: Path, text: str, above: int = 0, *, loader: type[Loader] = Loader) -> Mapping[str, Any]:
    """YAML; nothing at all is an empty mapping."""
    if len(text) > _MOST:
        raise BadFile(path, None, "has more than a million characters of YAML", "make it smaller")
    try:
        read = deepcopy(_kept(text, loader)) if len(text) <= _KEPT else _kept.__wrapped__(text, loader)
    except RefusedYaml as problem:
        line = None if problem.problem_mark is None else problem.problem_mark.line + 1 + above
        raise BadFile(path, line, str(problem.problem), problem.do) from problem
    except yaml.YAMLError as problem:
        place, do = advice(problem)
        raise BadFile(path, None if place is None else place + 1 + above, "not YAML", do) from problem
    except _UNREADABLE as problem:
        why = f" ({problem})" if isinstance(problem, ValueError) else ""
        raise BadFile(path, None, f"has a wrong value{why}", "correct it") from problem
    if read is None:
        return {}
    if not isinstance(read, dict):
        line = above + len(text) - len(text.lstrip("\n")) + 1
        raise BadFile(path, line, "not a mapping", "write `key: value` lines")
    return cast("dict[str, Any]", read)


@lru_cache(maxsize=32)
def _kept(text: str, loader: type[Loader]) -> object:
    return yaml.load(text, loader)  # noqa: S506 - a safe loader


def _toml(path: Path, text: str, above: int) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as problem:
        raise BadFile(path, above + 1, "is nested too deeply", "correct it") from problem
    except tomllib.TOMLDecodeError as problem:
        found = re.search(r"at line (\d+)", str(problem))
        line = None if found is None else int(found[1]) + above
        raise BadFile(path, line, "not TOML", "check quotes and equals signs") from problem
