"""What an erasure covers: a session, a person or a bot, and what in Redis is theirs (pure)."""

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tasks import keys
from tasks.chats.asking import ParkedTurn
from tasks.envelope import DeadLetter, Inbound, Quoted, Reply, Sender
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew
from tasks.session import SessionKey

ERASED = "(erased at this person's request)"
"""The text that stands where the words of the person were."""


@dataclass(frozen=True, slots=True)
class ErasureScope:
    """An erasure covers one session, one person with all private sessions, or one bot."""

    session: SessionKey | None = None
    user: int | None = None
    bot: int | None = None

    @property
    def within(self) -> int | None:
        """The one bot that keeps what goes; None: a person's things go everywhere."""
        return self.session.bot if self.session is not None else self.bot

    @property
    def pattern(self) -> str:
        """The pattern of the keys of those sessions that have to be looked at."""
        of_bot = "" if self.bot is None else f"{self.bot}:"
        return f"cohort:s:{escaped(str(self.session))}:*" if self.session is not None else f"cohort:s:{of_bot}*"

    def is_session(self, session: SessionKey) -> bool:
        """Whether it goes whole. A private chat has its person's number."""
        if self.bot is not None:
            return session.bot == self.bot
        return session == self.session if self.session is not None else session.chat == self.user

    def is_session_named(self, name: str) -> bool:
        try:
            return self.is_session(SessionKey.parse(name))
        except ValueError:
            return False

    def wrote(self, inbound: Inbound) -> bool:
        """Whether it is of the session, or of the person, wherever it stands."""
        return self.is_session_named(inbound.session) or (self.user is not None and inbound.person == self.user)

    def said(self, sender: Sender | None) -> bool:
        """Whether words that another person's message brings along are this one's."""
        return self.user is not None and sender is not None and sender.id == self.user

    def brought_by(self, inbound: Inbound) -> bool:
        """Whether another person's message brings along words or the number of this one."""
        quoted = inbound.quoted.sender if inbound.quoted is not None else None
        return (
            self.said(quoted)
            or self.user in inbound.again_by
            or any(self.said(one.sender) for one in inbound.overheard)
        )

    def answered(self, parked: bytes | None) -> bool:
        """Whether a turn's questions (a state's ``parked``, ``held``) were put to the person, or answered by them."""
        if parked is None or self.user is None:
            return False
        with suppress(EnvelopeInvalid, EnvelopeTooNew):
            turn = ParkedTurn.from_json(parked)
            given = (*turn.given.values(), *turn.earlier.values())
            return self.user in turn.who or any(one.person == self.user for one in given)
        return False

    def is_line(self, raw: bytes) -> bool:
        """Whether a line of the bot's own is for the session or the person, or names the person to others."""
        try:
            reply = Reply.from_json(raw)
        except (EnvelopeInvalid, EnvelopeTooNew):
            return False
        named = (reply.text, *(button.data for row in reply.buttons for button in row))
        return self.is_session_named(reply.session or "") or (
            self.user is not None and any(_names(text, self.user) for text in named)
        )

    def is_letter(self, letter: DeadLetter) -> bool:
        if letter.session is not None and self.is_session_named(letter.session):
            return True
        if letter.inbound is not None:
            # A letter cannot be changed, so it goes whole where it brings along words of the person.
            return self.wrote(letter.inbound) or self.brought_by(letter.inbound)
        return self.user is not None and letter.raw is not None and _names(letter.raw, self.user)

    def is_usage(self, name: str) -> bool:
        """Whether a day's usage is the person's own: ``cohort:usage:{bot}:chat:1:…`` or ``…:user:1:…``."""
        if self.bot is not None:
            return name.split(":")[2] == str(self.bot)
        scope = name.split(":")[3:5]
        return self.user is not None and scope in (["chat", str(self.user)], ["user", str(self.user)])

    def is_named_in(self, name: str) -> bool:
        """Whether a key that expires, or holds logins, is named after the session or the person."""
        if self.bot is not None:
            return name.startswith(
                (f"cohort:bot:{self.bot}:", f"{keys.pace(f'{self.bot}')}:", f"cohort:usage:{self.bot}:")
            )
        kind = keys.kind_of(name)
        if kind is None or name.startswith(keys.worker("")):
            return False
        if kind.lifetime != "expires" and kind.pattern != keys.LOGINS:
            return False
        if self.session is not None:
            own = (
                keys.reminders(f"s:{self.session}"),
                keys.answers(self.session),
                keys.overheard(self.session),
                keys.named(self.session),
            )
            parts = (keys.brought(self.session, ""), keys.album(self.session, ""))
            return name in own or name.startswith(parts)
        of = name.removeprefix(keys.PREFIX).partition(":")[2]
        return self.user is not None and not of.startswith(f"{self.user}:") and _names(of, self.user)


def _names(raw: str, user: int) -> bool:
    """Whether a text holds a person's number as a number of its own."""
    # With a minus it is a group's.
    return re.search(rf"(?<![\d-]){user}(?!\d)", raw) is not None


def escaped(name: str) -> str:
    """A name as a pattern that fits it alone."""
    return "".join(f"\\{c}" if c in "*?[]\\^" else c for c in name)


def inbounds(raws: Iterable[bytes]) -> list[Inbound]:
    """Those that can be read."""
    found: list[Inbound] = []
    for raw in raws:
        with suppress(EnvelopeInvalid, EnvelopeTooNew):
            found.append(Inbound.from_json(raw))
    return found


def listed(retry: bytes | None) -> list[bytes]:
    """The messages for Retry, as the state holds them."""
    with suppress(ValueError, RecursionError):
        found: Any = json.loads(retry or b"[]")
        return [one.encode() for one in found if isinstance(one, str)] if isinstance(found, list) else []
    return []


def letter_in(raw: bytes) -> DeadLetter:
    try:
        return DeadLetter.from_json(raw)
    except (EnvelopeInvalid, EnvelopeTooNew):
        return DeadLetter(reason="", at=0.0, raw=raw.decode(errors="replace"))


def doorbell_of(raw: bytes) -> str:
    """The session that a doorbell names (``tasks.doorbell``)."""
    with suppress(ValueError, KeyError, TypeError, IndexError, RecursionError):
        return str(json.loads(b64decode(json.loads(raw)["body"]))[0][0])
    return ""


def parted(entries: Sequence[bytes], whose: ErasureScope) -> list[tuple[bytes, bytes]]:
    """Those that hold words of the person, each with what stays of it: nothing, or another person's message."""
    found: list[tuple[bytes, bytes]] = []
    for raw in entries:
        for inbound in inbounds([raw]):
            if whose.wrote(inbound):
                found.append((raw, b""))
            elif whose.brought_by(inbound):
                left = tuple(one for one in inbound.overheard if not whose.said(one.sender))
                again = tuple(person for person in inbound.again_by if person != whose.user)
                kept = inbound.model_copy(update={"overheard": left, "again_by": again, **_unquoted(inbound, whose)})
                found.append((raw, kept.to_json().encode()))
    return found


def _unquoted(inbound: Inbound, whose: ErasureScope) -> dict[str, str | Quoted]:
    """What stands in place of a quote of the person's words."""
    if inbound.quoted is None or not whose.said(inbound.quoted.sender):
        return {}
    return {"quote": ERASED, "quoted": Quoted()}


def without(entries: Sequence[bytes], struck: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """The entries with what stays of those that are struck."""
    stays = dict(struck)
    return [left for raw in entries if (left := stays.get(raw, raw))]
