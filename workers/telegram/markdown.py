"""Markdown as models write it -> text and Telegram entities (pure).

telegramify-markdown does the conversion. What it gets wrong in models' Markdown is put right in the source before it:
HTML-like text that it would drop, dollars and bars that are no delimiters, LaTeX in code, wide tables.
"""

import logging
import re
from collections.abc import Callable

from telegramify_markdown import MessageEntity, RenderConfig, convert

from workers.telegram.source import prepared
from workers.telegram.split import Entity

type Converter = Callable[[str], tuple[str, list[MessageEntity]]]

log = logging.getLogger("cohort.telegram")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LINK = re.compile(r"(?:https?://[^\s/]|tg://|tonsite://|mailto:|tel:)", re.IGNORECASE)
# Without a block before it, telegramify glues a list's code to the text of its first item.
_LEAD = "x\n\n"
_MAX_LANGUAGE = 40


def _look() -> RenderConfig:
    """Plain bullets, and headings that are merely bold."""
    config = RenderConfig.isolated()
    symbol = config.markdown_symbol
    symbol.heading_level_1 = symbol.heading_level_2 = symbol.heading_level_3 = symbol.heading_level_4 = ""
    symbol.unordered_list_item = "•"
    symbol.task_completed, symbol.task_uncompleted = "☑", "☐"
    symbol.image = "🖼 "
    symbol.horizontal_rule = "———"
    return config


_LOOK = _look()


def clean(text: str) -> str:
    """Without what cannot be sent: lone surrogates, control characters, foreign line ends."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n"))


def _convert(source: str) -> tuple[str, list[MessageEntity]]:
    return convert(source, latex_escape=False, config=_LOOK)


def to_entities(markdown: str, converter: Converter = _convert) -> tuple[str, list[Entity]]:
    """Text and entities of a Markdown text, complete or still growing; never raises: what fails is plain text."""
    source = clean(markdown)
    text, entities = _first_that_works(
        lambda: _converted(prepared(source), converter),
        lambda: _converted(source, converter),
        otherwise=source,
    )
    # Of an empty code block, or a lone link definition, nothing would be left to read.
    return (text, entities) if text.strip() else (source, [])


def _first_that_works(*ways: Callable[[], tuple[str, list[Entity]]], otherwise: str) -> tuple[str, list[Entity]]:
    for way in ways:
        try:
            return way()
        except Exception as problem:  # noqa: BLE001 - any text must reach its reader, if need be as it is
            log.warning("markdown.unreadable", extra={"problem": type(problem).__name__})
    return otherwise, []


def _converted(source: str, converter: Converter) -> tuple[str, list[Entity]]:
    text, found = converter(_LEAD + source)
    lead = len(_LEAD) if text.startswith(_LEAD) else 1 + len(text[1:]) - len(text[1:].lstrip("\n"))
    entities = [entity.to_dict() for entity in found]
    for entity in entities:
        entity["offset"] -= lead
    return text[lead:], _allowed(entities)


def _allowed(entities: list[Entity]) -> list[Entity]:
    """What Telegram would refuse or ignore is left out: empty ones, quotes in quotes, links to nowhere."""
    kept: list[Entity] = []
    quoted_until = 0
    for entity in sorted(entities, key=lambda entity: (entity["offset"], -entity["length"])):
        if entity["length"] <= 0 or entity["offset"] < 0:
            continue
        if entity["type"] == "text_link" and not _LINK.match(entity.get("url", "")):
            continue
        if entity["type"] in ("blockquote", "expandable_blockquote"):
            if entity["offset"] < quoted_until:
                continue
            quoted_until = entity["offset"] + entity["length"]
        if "language" in entity:
            # An info string may say more than the language.
            entity["language"] = entity["language"].split()[0][:_MAX_LANGUAGE]
        kept.append(entity)
    return kept
