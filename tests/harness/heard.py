"""Holds voice messages against docs/conversations.md (pure): what was heard is shown, else it is told.

A server that writes recordings down may fail. Then the model is asked without the words, and the person reads why.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.harness.history import History, Rule, norm, words_in

type Broken = Callable[[Rule, str, str, Sequence[str]], None]

_QUOTE = re.compile(r"^(?:spoken m\d{6}q\.\s*)+")
"""What was heard stands above an answer (``tests.support.audio``)."""
UNHEARD = (
    "I couldn't listen to your recording just now. Please write it, or send it again later.",
    (
        "I can't play your recording: it's damaged, or in a format I don't know. "
        "Record it again, or send it as MP3 or WAV."
    ),
)
"""What is told in its place, here once more: the checker takes nothing from the product."""


def bare(text: str) -> str:
    """An answer without what was heard, and without the line that something was not."""
    text = _QUOTE.sub("", text)
    for line in (*UNHEARD, *UNHEARD):
        text = text.rstrip().removesuffix(line)
    return text


def without_heard(history: History) -> History:
    """The same run with the model's own words in all answers."""
    if not any(one.voice for one in history.said):
        return history
    return replace(
        history,
        committed=[replace(one, texts=tuple(map(bare, one.texts))) for one in history.committed],
        deliveries=[replace(one, text=bare(one.text)) for one in history.deliveries],
        bubbles=[replace(one, text=bare(one.text)) for one in history.bubbles],
    )


def check_heard(history: History, broken: Broken) -> tuple[int, int]:
    """How many voice messages were heard in answers, and how many were not and told so."""
    home = {one.word: one.session for one in history.said}
    voices = {one.update_id: one for one in history.said if one.voice}
    shown: dict[str, set[str]] = {}
    for bubble in history.bubbles:
        text = norm(bubble.text)
        shown.setdefault(bubble.session, set()).add(text)
        strange = [word for word in _quoted(text) if home.get(word) != bubble.session]
        if strange:
            broken("foreign", bubble.session, f"message #{bubble.message_id} shows what others said", strange)
    heard = unheard = 0
    for commit in history.committed:
        text, mine = norm(" ".join(commit.texts)), [voices[one] for one in commit.answers if one in voices]
        if not mine or "[n=" not in text:
            continue
        for one in mine:
            understood = one.voice in text
            heard, unheard = heard + understood, unheard + (not understood)
            if understood != (one.word in _quoted(text)):
                broken("heard", one.session, f"{one.word}: what the model read is not what is shown", [one.word])
            if not understood and not any(line in text for line in UNHEARD):
                broken("heard", one.session, f"{one.word} was not heard, and no one was told", [one.word])
        there = shown.get(commit.session, set())
        if text not in there and norm(bare(text)) in map(norm, map(bare, there)):
            what = "the answer to a voice message came without the lines about it"
            broken("heard", commit.session, what, [one.word for one in mine])
    return heard, unheard


def _quoted(text: str) -> tuple[str, ...]:
    quote = _QUOTE.match(text)
    return words_in(quote[0]) if quote else ()
