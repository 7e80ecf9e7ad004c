"""What an update can mean (values only)."""

import re
from dataclasses import dataclass

from bot.updates.commands import Command
from tasks.envelope import Inbound
from tasks.session import SessionKey


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """The bot itself."""

    id: int
    username: str
    mention: re.Pattern[str]

    @classmethod
    def of(cls, id: int, username: str) -> "BotIdentity":  # noqa: A002 - Telegram's word
        """From what getMe answers."""
        return cls(id, username.lower(), re.compile(rf"(?<!\w)@{re.escape(username)}(?!\w)", re.IGNORECASE))


@dataclass(frozen=True, slots=True)
class Incoming:
    """Somebody said something.

    ``addressed``: it is meant for the bot (in groups not everything is). ``ask``: a question that the bot answers
    itself if it can. ``callback``: a pressed button, whose press wants an answer.
    """

    update_id: int
    inbound: Inbound
    addressed: bool = True
    ask: Command | None = None
    callback: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A group became a supergroup: ``old`` goes on as ``new``."""

    update_id: int
    old: SessionKey
    new: SessionKey


@dataclass(frozen=True, slots=True)
class Ignored:
    """It means nothing to us, for the reason ``why``; only a pressed button (``callback``) wants an answer."""

    update_id: int
    why: str
    callback: str | None = None


@dataclass(frozen=True, slots=True)
class Malformed:
    """It cannot be understood. ``update_id`` is None when not even that can be read. ``raw``: JSON, shortened."""

    update_id: int | None
    reason: str
    raw: str


type Meaning = Incoming | Moved | Ignored | Malformed
