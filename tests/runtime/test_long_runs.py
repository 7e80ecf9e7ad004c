"""A text that repeats itself 100,000 times is read about once: looking at each rest of it again takes minutes."""

from collections.abc import Callable

import pytest

from tasks.text import on_one_line, printable
from workers.runtime.conversation import message_tags, stored

_TIMES = 100_000
_HEADS = ("", "<")
_RUNS = (
    *" \n\u2800<>/&-[0a",
    "</ ",
    "<tg-quote ",
    '<tg-quote id="abcdef">',
    '<tg-reminder by="abcdef">',
    "<tg-message ",
)
READERS: tuple[Callable[[str], object], ...] = (
    message_tags.escaped,
    message_tags.untagged,
    message_tags.marked,
    message_tags.attribute,
    on_one_line,
    printable,
    lambda text: stored.without(history(text), 5),
)


def history(text: str) -> bytes:
    return stored.written({"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]})


@pytest.mark.parametrize("run", _RUNS)
def test_a_run_of_anything_is_read_once(run: str) -> None:
    for head in _HEADS:
        for read in READERS:
            read(head + run * (_TIMES // len(run)))
