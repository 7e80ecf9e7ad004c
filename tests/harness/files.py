"""Holds the files in the chats against what docs/tools.md says of them (pure): each once, but for known cases."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from tests.harness import legal
from tests.harness.history import Bubble, History, words_in
from tests.harness.steps import Broken

_SENT = re.compile(r"\[sent to the chat: (m\d{6}q-\d+\.txt)\]")
"""In an answer of the mock model, which repeats what it was told of a call."""
_SECOND = 1.0
"""Telegram dates messages in whole seconds."""


def check_files(history: History, home: Mapping[str, str], broken: Broken) -> int:
    """How many files came. ``home``: word -> session."""
    named: dict[str, list[Bubble]] = {}
    for bubble in history.bubbles:
        if bubble.file:
            named.setdefault(bubble.file, []).append(bubble)
    executed = {f"{one.name}.txt" for one in history.executions}
    for name, found in named.items():
        words, session = words_in(name), found[0].session
        if {home.get(word) for word in words} != {bubble.session for bubble in found} or name not in executed:
            broken("file", session, f"the file {name} stands in a chat whose turn did not attach it", words)
        if not _excused(history, found):
            broken("file", session, f"the file {name} came {len(found)} times for no reason", words)
    sent = {name for commit in history.committed for text in commit.texts for name in _SENT.findall(text)}
    for name in sent - named.keys():
        broken("file", home.get(words_in(name)[0], "-"), f"the file {name} never came", words_in(name))
    return len(named)


def _excused(history: History, found: Sequence[Bubble]) -> bool:
    """The known case: a worker was cut off between Telegram's answer and its own next write."""
    return all(
        legal.reason(history.faults, one.at - _SECOND, other.at + _SECOND)
        for one, other in pairwise(sorted(found, key=lambda bubble: bubble.at))
    )
