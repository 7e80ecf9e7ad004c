"""Lists that take more than one message: which part is asked for, and the buttons that turn to the next (pure)."""

from collections.abc import Iterable

from tasks.envelope import Button
from tasks.text import is_digits, utf16

_UNITS, _LINES = 3000, 20
"""UTF-16 units of a page, so that the answer stays one message, and its lines, so that a phone shows them."""


def paged(lines: Iterable[str], most: int = _LINES) -> list[list[str]]:
    """The lines of each page."""
    pages: list[list[str]] = []
    left = 0
    for line in lines:
        left -= utf16(line)
        if not pages or left < 0 or len(pages[-1]) == most:
            pages.append([])
            left = _UNITS - utf16(line)
        pages[-1].append(line)
    return pages


def page_of(argument: str, pages: int) -> int:
    """The page that an argument names, counted from 0: the first for what is no number, the last for too high a one."""
    number = int(argument) if is_digits(argument) else 1
    return min(max(number, 1), max(pages, 1)) - 1


def turning(word: str, page: int, pages: int) -> tuple[tuple[Button, ...], ...]:
    """A row of buttons to the pages beside this one, by their numbers; ``word``: the command that shows them."""
    back = [Button(text=f"‹ {page}", data=f"{word}:{page}")] if page else []
    on = [Button(text=f"{page + 2} ›", data=f"{word}:{page + 2}")] if page + 1 < pages else []
    return (tuple(back + on),) if back or on else ()
