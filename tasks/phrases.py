"""Texts for people, by their id in the catalogue (``tasks/languages/en.toml``): what the bot and the workers say."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

type Text = str | Mapping[str, str]
"""A text of the catalogue; where it counts something, one text for ``one`` and one for ``other`` numbers."""

_ENGLISH = Path(__file__).parent / "languages" / "en.toml"


def phrase(ident: str, /, **about: object) -> str:
    """A text of the catalogue.

    Args:
        ident: Names it in the catalogue.
        about: What stands in place of its ``{names}``. A text that counts is chosen by ``count``.
    """
    text = catalogue()[ident]
    count = about.get("count")
    if not isinstance(text, str):
        text = text["one" if count == 1 else "other"]
    if isinstance(count, int):
        about["count"] = grouped(count)
    return text.format_map(about)


def grouped(number: int) -> str:
    """A number with marks between its thousands."""
    return f"{number:,}"


@cache
def catalogue() -> Mapping[str, Text]:
    """All texts; the file is read when the first one is needed."""
    return tomllib.loads(_ENGLISH.read_text(encoding="utf-8"))
