"""Which messages a commit answers by their words (pure): an edit stands for its message, an answer for itself."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.harness.history import Bubble, Committed, Said, norm, words_in

ANSWER = re.compile(r"^(?:@\w+ )?(m\d{6}q)\b")
"""What a person wrote in answer to a question; in a group it may begin with the bot's name."""
type Exchange = tuple[tuple[str, ...], str]
"""Words that were answered together, and the answer."""


class Answered:
    """What was said, seen from the commits that answer it."""

    def __init__(self, said: Iterable[Said]) -> None:
        self._said = {one.update_id: one for one in said}

    def words(self, commit: Committed) -> tuple[str, ...]:
        """The words that its model was given as messages, in their order.

        An edit that waited with its message takes that message's place. What answered a question is given to the model
        as a tool's result.
        """
        found: list[str] = []
        for one in self._of(commit):
            if one.edits in found:
                found[found.index(one.edits)] = one.word
            elif not _consumed(one, commit):
                found.append(one.word)
        return tuple(found)

    def origins(self, words: Iterable[str]) -> Iterator[set[str]]:
        """The words; with what they were before their last edit; with what that was before; and so on."""
        found = set(words)
        while True:
            yield set(found)
            before = {one.edits for one in self._said.values() if one.edits and one.word in found}
            if before <= found:
                return
            found |= before

    def replaced(self, commits: Iterable[Committed]) -> dict[str, str]:
        """Messages whose edit came in time: word -> the edit's word, that was answered in its place."""
        found: dict[str, str] = {}
        for commit in commits:
            ours = self._of(commit)
            here = {one.word for one in ours}
            found |= {one.edits: one.word for one in ours if one.edits in here}
        return found

    def _of(self, commit: Committed) -> Sequence[Said]:
        return [self._said[number] for number in commit.answers if number in self._said]


def _consumed(one: Said, commit: Committed) -> bool:
    told = re.findall(rf"asked {one.answers}: (.*?)(?= tool=|$)", norm(" ".join(commit.texts))) if one.answers else []
    return any((said := ANSWER.match(text)) and said[1] == one.word for text in told)


def apologised(
    place: int, said: Sequence[Said], holders: Mapping[str, Sequence[Bubble]], sorry: Sequence[Bubble]
) -> bool:
    """An unanswered message is told of by an apology that stands between the answers around it."""
    first = {one.word: holders[one.word][0].message_id for one in said if one.word in holders and not one.answers}
    before = [first[one.word] for one in said[:place] if one.word in first]
    after = [first[one.word] for one in said[place + 1 :] if one.word in first]
    low, high = max(before, default=0), min(after, default=1 << 62)
    return any(low < bubble.message_id < high for bubble in sorry)


def first_of(edit: Said, said: Sequence[Said]) -> str:
    """The word of the message that an edit, or an edit of an edit, was at first."""
    edited = {one.word: one.edits for one in said}
    word = edit.word
    while edited.get(word):
        word = edited[word]
    return word


def doubles(whole: Sequence[Bubble]) -> list[list[Bubble]]:
    """Answers that share a word."""
    groups: dict[str, list[Bubble]] = {}
    for bubble in whole:
        groups.setdefault(words_in(bubble.text)[0], []).append(bubble)
    return [group for group in groups.values() if len(group) > 1]


def said_before(exchanges: Sequence[Exchange], place: Mapping[str, int], first: int) -> list[Exchange]:
    """Those of messages that were said before the ``first``."""
    return [pair for pair in exchanges if all(place.get(word, first) < first for word in pair[0])]
