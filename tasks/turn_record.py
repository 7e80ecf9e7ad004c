"""The way of a turn's messages, for `cohort find` and for logs: when each step was done, and how it ended (pure)."""

import json
import re
import zlib
from collections.abc import Iterable
from hashlib import blake2s
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.phrases import LANGUAGES, catalogue, phrase
from tasks.text import is_digits

_DIGEST_BYTES = 3
"""Six digits: of the turns that are kept, two of one reference are rare, and `cohort find` shows both."""


def reference(bot: int, update_id: int) -> str:
    """What a user is told with an apology, and what `cohort find` finds: the same in all processes and at all tries."""
    return blake2s(f"{bot}-{update_id}".encode(), digest_size=_DIGEST_BYTES).hexdigest()


def letter_reference(raw: str | None) -> str:
    """The same for a dead letter whose update is not known, because it cannot be read: of its raw text."""
    return blake2s((raw or "").encode(errors="replace"), digest_size=_DIGEST_BYTES).hexdigest()


def with_reference(words: str, bot: int, answers: Iterable[int], raw: str | None = None) -> str:
    """An apology with its reference.

    Args:
        words: What it says.
        bot: The number of the bot.
        answers: The updates of the messages that it answers; the first one makes the reference.
        raw: The raw text of its dead letter, which makes the reference where no update is known.
    """
    first = next(iter(answers), None)
    return phrase("reference", words=words, ref=letter_reference(raw) if first is None else reference(bot, first))


def read_reference(said: str) -> str:
    """The reference in what a person sent of an apology, in the words of any language; else the same text, stripped."""
    bare = said.strip()
    for language in LANGUAGES:
        before, after = str(catalogue(language)["reference"]).format(words="", ref="\0").strip().split("\0")
        if found := re.search(rf"{re.escape(before)}\s*([0-9a-f]{{6}})\s*{re.escape(after)}$", bare):
            return found[1]
        label = before.strip("(（ ")
        if found := re.fullmatch(rf"{re.escape(label)}\s*([0-9a-f]{{6}})", bare, re.IGNORECASE):
            return found[1]
    return bare.strip("()（）")


def task_id(bot: int, update_id: int) -> str:
    """The Celery task of a message's doorbell: Flower finds a message by it."""
    return f"{bot}-{update_id}"


MOST_STEPS = 40
"""Tool calls of a turn that are recorded, and model calls."""


class ToolStep(BaseModel):
    """A tool call of a turn: which tool, and its times; what went in and out does not stand in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tool: str
    begun: float
    ended: float | None = None
    """None: it had not ended when the turn did."""
    failed: bool = False


class CallStep(BaseModel):
    """A model call of a turn: whose, which model, its times and tokens; what was said does not stand in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    agent: str = ""
    model: str = ""
    begun: float
    ended: float
    input_tokens: int = 0
    output_tokens: int = 0
    failed: bool = False


class TurnRecord(BaseModel):
    """One turn that ended. Times are seconds since the epoch; no text of a message stands in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    session: str
    updates: tuple[int, ...] = ()
    """The update ids that it answered."""
    stands_for: tuple[int, ...] = ()
    """The update ids of messages before these, in the place of whose apologies its own stands."""
    worker: str = ""
    outcome: str = ""
    """``answered``, ``failed``, ``refused``, ``buried`` or ``set_aside``."""
    accepted: float = 0.0
    """When the first of its messages was accepted."""
    begun: float = 0.0
    first: float | None = None
    """When the model's first text came."""
    committed: float | None = None
    delivered: float | None = None
    """When Telegram had its last reply: the final edit."""
    refused: str = ""
    """Why Telegram never takes a reply of it, in Telegram's words; it was dropped."""
    unheard: str = ""
    """Why Telegram did not take what was spoken of it; the written words stand in the chat."""
    steps: tuple[ToolStep, ...] = ()
    """Its tool calls, in the order in which they began."""
    calls: tuple[CallStep, ...] = ()
    """Its model calls, in the order in which they ended; those of all tries of this claim."""
    traces: tuple[str, ...] = ()
    """The ids of its messages' traces; the first is the turn's own."""

    @property
    def bot(self) -> int:
        """The number of its bot; 0 where its session names none."""
        bot = self.session.partition(":")[0]
        return int(bot) if is_digits(bot) else 0

    @property
    def found_by(self) -> set[int]:
        """The updates by which it is found: those of messages for which its apology stands lead to it."""
        return {*self.updates, *self.stands_for}

    def references(self) -> set[str]:
        """What a user may have been told."""
        return self._references(self.updates)

    @property
    def replaced(self) -> list[str]:
        """The references of the apologies whose place its own took, in their order."""
        return [ref for update in self.stands_for for ref in self._references((update,))]

    def _references(self, updates: Iterable[int]) -> set[str]:
        return {reference(self.bot, update) for update in updates} if self.bot else set()


class TurnRecords(BaseModel):
    """Some records together, as one entry of the stream."""

    records: tuple[TurnRecord, ...] = ()

    def packed(self) -> bytes:
        """Compressed: a thousand records take some 60 KiB."""
        return zlib.compress(json.dumps(self.model_dump(exclude_defaults=True)).encode())

    @classmethod
    def unpacked(cls, packed: Any) -> Self:
        """Read them; what cannot be read holds no record."""
        try:
            return cls.model_validate_json(zlib.decompress(packed))
        except (zlib.error, TypeError, ValidationError):
            return cls()
