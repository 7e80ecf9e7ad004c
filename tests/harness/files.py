"""Holds files against what docs/tools.md says of them (pure): whole, in their own chat, once but for known cases."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from tests.harness import legal
from tests.harness.history import Bubble, Call, History, Said, words_in
from tests.harness.steps import Broken

_SENT = re.compile(r"\[sent to the chat: (m\d{6}q-\d+\.[\w.]+)\]")
"""In an answer of the mock model, which repeats what it was told of a call."""
_UNSENT = re.compile(r"^\(I couldn't send (?:the file|these files) .*here.*\)$", re.DOTALL)
"""What a person reads in place of files that Telegram refused, told here once more."""
_NAME = re.compile(r"\bm\d{6}q-\d+\.[a-z](?:\w|\.(?=\w))*")
_SEEN = re.compile(r"\bseen=[0-9a-f]{16}\b")
"""How the mock model tells of a file that it was given."""
PAUSE = 0.7
"""Seconds without a further part, after which an album is whole (docs/architecture.md)."""
_SECOND = 1.0
"""Telegram dates messages in whole seconds."""


def check_files(history: History, home: Mapping[str, str], broken: Broken) -> int:
    """How many files came. ``home``: word -> session."""
    made = {mark: name for one in history.executions for name, mark in one.sent}
    named: dict[str, list[Bubble]] = {}
    for bubble in history.bubbles:
        if bubble.mark:
            name = made.get(bubble.mark, "")
            if bubble.file not in (name, bubble.mark) or not name:
                what = f"message #{bubble.message_id} holds a file {bubble.file} that is not what a tool attached"
                broken("file", bubble.session, what, words_in(bubble.file))
            named.setdefault(name or bubble.file, []).append(bubble)
    for name, found in named.items():
        words, session = words_in(name), found[0].session
        if {home.get(word) for word in words} != {bubble.session for bubble in found}:
            broken("file", session, f"the file {name} stands in a chat whose turn did not attach it", words)
        if not _excused(history, found):
            broken("file", session, f"the file {name} came {len(found)} times for no reason", words)
    _albums_sent(history, made, broken)
    sent = {name for commit in history.committed for text in commit.texts for name in _SENT.findall(text)}
    told = _told(history, broken)
    for name in sent - named.keys() - told:
        broken("file", home.get(words_in(name)[0], "-"), f"the file {name} never came", words_in(name))
    return len(named)


def is_unsent(bubble: Bubble) -> bool:
    """Whether it names files that do not come."""
    return bool(_UNSENT.match(bubble.text))


def _told(history: History, broken: Broken) -> set[str]:
    """The files of which people were told that they do not come, where Telegram had refused one."""
    told: set[str] = set()
    for bubble in filter(is_unsent, history.bubbles):
        told |= set(_NAME.findall(bubble.text))
        if bubble.chat not in history.refused:
            broken("file", bubble.session, f"{bubble.text!r} stands there for no reason", words_in(bubble.text))
    return told


def _albums_sent(history: History, made: Mapping[str, str], broken: Broken) -> None:
    """What a tool sent together, and Telegram shows together, is one album each time that it comes.

    Where Telegram refused a file, an album goes out file by file.
    """
    shown: dict[str, list[Bubble]] = {}
    for bubble in history.bubbles:
        if bubble.mark in made and bubble.chat not in history.refused:
            shown.setdefault(made[bubble.mark], []).append(bubble)
    for one in history.executions:
        for is_photo in (True, False):
            albums = [
                {bubble.album for bubble in shown.get(name, ()) if (bubble.file == bubble.mark) == is_photo}
                for name, _ in one.sent
            ]
            together = [found for found in albums if found]
            if len(together) > 1 and (any(found != together[0] for found in together) or "" in together[0]):
                broken("file", "-", f"the album of {one.name} was torn", words_in(one.name))


def _excused(history: History, found: Sequence[Bubble]) -> bool:
    """The known cases: a worker had no answer of Telegram's, or was cut off between that and its own next write."""
    return all(
        (one.chat, one.message_id) in history.unheard
        or legal.reason(history.faults, one.at - _SECOND, other.at + _SECOND)
        for one, other in pairwise(sorted(found, key=lambda bubble: bubble.at))
    )


def check_seen(history: History, home: Mapping[str, str], broken: Broken) -> int:
    """How many files of people a model saw: each call sees those of the messages that it answers, and no others.

    A recording may not be heard; ``check_heard`` tells whether its person knows.
    """
    held = {one.word: set(one.files) for one in history.said}
    unsure = {one.voice for one in history.said}
    known: set[str] = set()
    for call in history.calls:
        asked = call.asked
        seen, wanted = _seen(call), set[str]().union(*(held.get(word, ()) for word in asked))
        known |= seen
        if not wanted - unsure <= seen <= wanted:
            lost, more = sorted(wanted - seen), sorted(seen - wanted)
            what = f"model call {call.number} does not see {lost}, but sees {more}"
            broken("file", home.get(asked[0], "-") if asked else "-", what, asked)
    return len(known)


def check_albums(history: History, broken: Broken) -> int:
    """How many albums of people were answered: the parts of one together, unless they came too far apart."""
    albums: dict[str, list[Said]] = {}
    for one in history.said:
        if one.album:
            albums.setdefault(one.album, []).append(one)
    taken = {one.update_id: one.at for one in history.accepted}
    by = {number: commit.ident for commit in history.committed for number in commit.answers}
    for parts in albums.values():
        times = [taken[one.update_id] for one in parts if one.update_id in taken]
        answers = {by[one.update_id] for one in parts if one.update_id in by}
        close = all(later - earlier <= PAUSE for earlier, later in pairwise(times))
        away = any(
            fault.kind in legal.AWAY and fault.at <= times[-1] + legal.LINGER and fault.until >= times[0]
            for fault in history.faults
        )
        if len(answers) > 1 and close and not away:
            what = f"the parts of one album were answered by {len(answers)} commits"
            broken("file", parts[0].session, what, [one.word for one in parts])
    return len(albums)


def _seen(call: Call) -> set[str]:
    texts: list[str] = []
    for message in reversed(call.spoken):
        if message.role != "user":
            break
        texts.append(message.text)
    return set(_SEEN.findall("\n".join(texts)))
