"""Which asterisks, underscores, tildes and bars are markup, and which of them belong together (pure).

The rules are CommonMark's, with two kinds of exceptions. Scripts without spaces and punctuation inside of bold text do
not hinder it (``**注意：**先备份``). Arithmetic, names and paths are text (``5*4*3``, ``/v1/_id_/x``, ``a||b``).
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_BLANK, _SIGN, _LETTER, _WIDE = range(4)
_WIDE_SCRIPTS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff]"
)
"""Thai to Khmer, Chinese, Japanese, Korean: words are written without spaces, or with particles."""
_PATH = frozenset("/\\")
_AFTER_THESE_TEXT = frozenset("/\\.=@&%#$)]}")
"""A single mark behind one of them opens nothing."""
_BEFORE_THESE_TEXT = frozenset("/\\=@&%#$([{")
_OPENING = frozenset("([{<")
_CLOSING = frozenset(")]}>,.;:!?")
_MARKED = frozenset("*_~`'\"“”.!?。！？)")
"""What stands within ``==`` at its ends, beside words."""
_ENDS_A_LABEL = frozenset(":.!?,;：。！？，；")
_KINDS = {
    "*1": "italic",
    "_1": "italic",
    "*2": "bold",
    "_2": "bold",
    "~1": "strikethrough",
    "~2": "strikethrough",
    "|2": "spoiler",
}
_KINDS["=2"] = "bold"
"""Telegram marks no text with a colour."""


@dataclass(slots=True)
class DelimiterRun:
    """A row of one mark; ``node`` is its place in the text's pieces, ``left`` what is not used yet."""

    node: int
    mark: str
    length: int
    opens: bool
    closes: bool
    left: int


def _kind(character: str) -> int:
    if not character or character.isspace():
        return _BLANK
    if character.isascii():
        return _LETTER if character.isalnum() else _SIGN
    if _WIDE_SCRIPTS.match(character) and character.isalnum():
        return _WIDE
    return _SIGN if unicodedata.category(character)[0] in "PSZ" else _LETTER


def flanks(mark: str, length: int, before: str, after: str, beyond: str) -> tuple[bool, bool]:
    """Decide whether a delimiter run may open emphasis, and whether it may close it.

    Args:
        mark: The run's character.
        length: How many of them.
        before: The two characters before the run.
        after: The character behind the run.
        beyond: The character behind ``after``.
    """
    earlier, before = before[:-1], before[-1:]
    left, right = _kind(before), _kind(after)
    if mark in "~|=" and length != 2:  # noqa: PLR2004 - a pair of them
        return _around_words(before, after) if mark == "~" and length == 1 else (False, False)
    opens = right != _BLANK and after not in _CLOSING and not _in_a_path(length, before, after, right)
    closes = left != _BLANK and before not in _OPENING and not _in_a_path(length, after, before, left)
    if left == right == _LETTER:
        return _within_a_word(mark, length, before, after, opens=opens, closes=closes)
    standard_open = right != _SIGN or left != _LETTER
    standard_close = left != _SIGN or right != _LETTER
    if mark == "_" or length == 1:
        if before in _PATH or after in _PATH:
            return False, False
        goes_on = after == "." and (beyond.isalnum() or beyond == "_")
        opens = opens and standard_open and before not in _AFTER_THESE_TEXT
        closes = closes and not goes_on and after not in _BEFORE_THESE_TEXT
        closes = closes and (standard_close or (before in _ENDS_A_LABEL and not after.isdigit()))
        if mark == "_":
            return opens and left in (_BLANK, _SIGN), closes and right in (_BLANK, _SIGN)
        return opens, closes
    if mark == "=":
        # Not what programs compare.
        return opens and left != _LETTER and _is_marked(after), closes and right != _LETTER and _is_marked(before)
    if mark == "|":
        return opens and left != _LETTER, closes and right != _LETTER
    foreign = right == _SIGN and not after.isascii()
    # **Note: **text
    label = before == " " and earlier in (":", "：") and right != _BLANK
    return opens and (standard_open or foreign), closes or label


def _around_words(before: str, after: str) -> tuple[bool, bool]:
    """``~struck~``. About five is ``~5``, a home is ``~/x`` and ``~user/x``, and a wave ends words (``好的~``)."""
    left, right = _kind(before), _kind(after)
    opens = (left == _BLANK or before in _OPENING) and right == _LETTER and not after.isdigit()
    closes = left == _LETTER and (right == _BLANK or after in _CLOSING)
    return opens, closes


def _is_marked(inside: str) -> bool:
    return _kind(inside) in (_LETTER, _WIDE) or inside in _MARKED


def _in_a_path(length: int, outside: str, inside: str, kind: int) -> bool:
    """``a/**/b`` is one, ``**yes**/**no**`` is none."""
    return inside in _PATH or (outside in _PATH and (length == 1 or kind not in (_LETTER, _WIDE)))


def _within_a_word(  # noqa: PLR0913 - a run of marks, and what stands around it
    mark: str, length: int, before: str, after: str, *, opens: bool, closes: bool
) -> tuple[bool, bool]:
    if mark in "_|=":
        return False, False
    if length == 1:
        # 5*4 and m*c*c are arithmetic; an ending in another script belongs to the word in front of it.
        return False, closes and not after.isascii()
    return opens and not (before.isdigit() or after.isdigit()), closes


def pair(runs: Iterable[DelimiterRun], pieces: list[str]) -> list[tuple[int, int, str]]:
    """Match the runs, take the matched marks out of ``pieces``.

    Returns:
        (first piece, piece behind the last, kind of entity), nested in each other.
    """
    found: list[tuple[int, int, str]] = []
    stack: list[DelimiterRun] = []
    # Below it no opener fits such a closer; without it a text of openers is searched again and again.
    floors: dict[tuple[str, bool, int], int] = {}
    for run in runs:
        while run.closes and run.left:
            key = (run.mark, run.opens, run.length % 3)
            place = _opener(stack, run, floors.get(key, 0))
            if place < 0:
                floors[key] = len(stack)
                break
            opener = stack[place]
            del stack[place + 1 :]
            used = 2 if min(opener.left, run.left) > 1 else 1
            found.append((opener.node + 1, run.node, _KINDS[f"{run.mark}{used}"]))
            for end in (opener, run):
                end.left -= used
                pieces[end.node] = end.mark * end.left
            if not opener.left:
                stack.pop()
            floors = {kind: min(floor, len(stack)) for kind, floor in floors.items()}
        if run.opens and run.left:
            stack.append(run)
    return found


def _opener(stack: list[DelimiterRun], closer: DelimiterRun, floor: int) -> int:
    for place in range(len(stack) - 1, floor - 1, -1):
        opener = stack[place]
        if opener.mark != closer.mark:
            continue
        both = opener.closes or closer.opens
        if not both or (opener.length + closer.length) % 3 or (opener.length % 3 == 0 and closer.length % 3 == 0):
            return place
    return -1
