"""Characters that a message must not carry: what Telegram refuses, and what makes a reader see another text (pure)."""

import re

from tasks.text import paired

_LINE_END = re.compile("\r\n|[\r\f\x0b\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_FORBIDDEN = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0 and C1 controls; tab and line feed stay
    "\u202a-\u202e\u2066-\u2069\u206a-\u206f"  # embeddings, overrides and isolates: text in another order
    "\u200b\u2060-\u2064\ufeff\u180e\u3164\uffa0"  # nothing to see, and words are no longer found
    "\ufff9-\ufffb"  # annotations
    "\U000e0000-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
    "]"
)
# ASCII written with invisible tags; the flags of Scotland and others are a black flag and such tags.
_TAGS = re.compile("(\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f)|[\U000e0020-\U000e007f]+")
# One selector chooses how a character looks, a row of them hides data.
_SELECTORS = re.compile("([\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
_JOINERS = re.compile("([\u200c\u200d])[\u200c\u200d]+")


# Marks of where a model read something, for programs that show them as links; a reader can do nothing with them.
_CITED = re.compile(r"\ue200([a-z_]{0,30}(?:\ue202[^\ue200\ue201\n]{0,400})?)(?:\ue201|\Z)|[\ue200-\ue20f]")
_TURN = re.compile(r"(?:turn\d+[a-z]+\d+|L\d+(?:-L?\d+)?)+")
_NAMED = re.compile(r"\[\s*\"[^\"]*\"\s*,\s*\"([^\"]*)\"")
_SOURCE = re.compile(r"(?:(?<=\S)[ \t])?【\d{1,4}(?::\d{1,4})?†([^【】\n]{0,200})】")
_OF_NO_NAME = re.compile(r"source|(?:L\d+(?:-L?\d+)?)?", re.IGNORECASE)
_MARKS = re.compile("[\u061c\u200e\u200f]")
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def clean(text: str) -> str:
    """Without lone surrogates, controls, foreign line ends, bidirectional overrides and invisible characters.

    Joiners that scripts and emoji need stay; so do direction marks where there is writing from right to left.
    """
    if text.isascii() and not _CONTROL.search(text):
        return text
    text = _FORBIDDEN.sub("", _LINE_END.sub("\n", paired(text)))
    if text.isascii():
        return text
    text = _SOURCE.sub(_named, _CITED.sub(_cited, text))
    if not _RIGHT_TO_LEFT.search(text):
        text = _MARKS.sub("", text)
    text = _TAGS.sub(lambda found: found[1] or "", text)
    return _JOINERS.sub(r"\1", _SELECTORS.sub(r"\1", text))


def _cited(found: re.Match[str]) -> str:
    """What a mark of a model's search says to a reader: the words in it, and no names of its sources."""
    kind, *said = (found[1] or "").split("\ue202")
    words = [word for word in said if not _TURN.fullmatch(word)]
    if kind == "entity" and words and (named := _NAMED.match(words[0])):
        return named[1]
    return "" if kind.endswith("cite") else " ".join(words)


def _named(found: re.Match[str]) -> str:
    """A file's name; of a source without one there is nothing to read."""
    return "" if _OF_NO_NAME.fullmatch(found[1]) else f" [{found[1]}]"
