"""What fast-agent's reader of cards is told beside what it knows: TOML, which files are no cards, addresses away.

A head between ``+++`` is TOML. python-frontmatter reads that where the package ``toml`` is installed; else all of the
file is the instruction of an agent without settings. The standard library reads TOML as well. The configuration and a
skill may stand beside the cards: in a directory fast-agent takes them for cards, and refuses them.

A card may be a link, as each file of a Kubernetes ConfigMap is. fast-agent knows a card by the name of its target, and
looks for it by the link's: it read each such card twice, and refused the second.

Cards in ``.fast-agent/agent-cards`` of the working directory are left out: fast-agent would load them beside
the operator's own when it starts, unchecked, with a terminal's defaults and any model.

What ``{{url:...}}`` in an instruction names is fetched when a card is read, which ended the start of all agents when it
could not be had. Now the last text that was had stands there, or none, and the address is told.
"""

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from frontmatter.default_handlers import BaseHandler

from tasks.clock import SystemClock
from tasks.operator_files.agent_files import is_document

_URL = re.compile(r"\{\{url:((?:https?|hf)://[^}]+)\}\}")

_DATE, _LATER = "{{currentDate}}", "\0currentDate\0"


class _Toml(BaseHandler):
    FM_BOUNDARY = re.compile(r"^\+{3,}\s*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "+++"

    def load(self, fm: str) -> dict[str, Any]:
        return tomllib.loads(fm)


def cards_only(original: Callable[[Path], bool]) -> Callable[[Path], bool]:
    def is_card(path: Path) -> bool:
        return original(path) and not is_document(path)

    return is_card


def where_links_lead(original: Callable[[Any, Path], set[Path]]) -> Callable[[Any, Path], set[Path]]:
    """``AgentCardRuntime._collect_agent_card_files`` by the names that a read card has."""

    def collected(self: Any, root: Path) -> set[Path]:
        return {path.resolve() for path in original(self, root)}

    return collected


# The check before a start or a reload reads each card, too; the second reading is in the loop, and must not wait.
_FRESH_S = 60.0

_clock = SystemClock()
_texts: dict[str, str] = {}
_read_at: dict[str, float] = {}
_away: dict[str, str] = {}


def shown(address: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def away(instruction: str) -> Iterator[tuple[str, str]]:
    """The addresses in an instruction that could not be read, and why not."""
    for found in _URL.finditer(instruction):
        if found[1] in _away:
            yield shown(found[1]), _away[found[1]]


def patient(original: Callable[..., str]) -> Callable[..., str]:
    """``read_text_source`` that takes no for an answer, and asks once for the check and the reading behind it."""

    def read(source: str, *, label: str = "source") -> str:
        now = _clock.monotonic()
        if now - _read_at.get(source, -_FRESH_S) < _FRESH_S:
            return _texts.get(source, "")
        try:
            _texts[source] = original(source, label=label)
            _away.pop(source, None)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the other agents go on
            cause = problem.__cause__ or problem
            status = getattr(getattr(cause, "response", None), "status_code", None)
            _away[source] = f"HTTP {status}" if status else type(cause).__name__
        _read_at[source] = _clock.monotonic()
        return _texts.get(source, "")

    return read


def no_others(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """``AgentHarness._load_environment_agent_cards`` that loads none."""
    del original

    def load_none(self: Any) -> None:
        """The operator's cards are those of ``COHORT_CARDS``."""

    return load_none


def undated(original: Callable[[str], str]) -> Callable[[str], str]:
    """``_apply_templates`` that leaves the date to when an agent is made: a card is read once in a worker's life."""

    def apply(text: str) -> str:
        return original(text.replace(_DATE, _LATER)).replace(_LATER, _DATE)

    return apply


def with_toml(original: list[BaseHandler]) -> list[BaseHandler]:
    """The handlers of python-frontmatter, with one for TOML that needs no package."""
    return original if any(handler.START_DELIMITER == "+++" for handler in original) else [*original, _Toml()]
