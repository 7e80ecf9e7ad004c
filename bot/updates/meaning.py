"""What an update can mean (values only)."""

import re
from dataclasses import dataclass
from typing import Literal

from bot.updates.commands import Command
from tasks.chats.feedback import Thumb
from tasks.envelope import Inbound, Sender
from tasks.session import SessionKey

_TO_A_PERSON = re.compile(r"(?:(?:https?://)?t\.me/|tg://resolve\?domain=)(\w{3,32})/?", re.IGNORECASE)


class MalformedValue(ValueError):  # noqa: N818 - reads as what it is
    """An update that the Bot API cannot mean; the message names the field, never its content."""


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """The bot itself."""

    id: int
    username: str
    mention: re.Pattern[str]
    channels: bool = False
    """Whether it answers posts of channels that name it."""
    business: bool = True
    """Whether it answers the customers of business accounts."""
    inline: bool = False
    """Whether it answers inline queries."""
    guests: bool = False
    """Whether it answers where it is no member."""
    reads_groups: bool = False
    """Whether Telegram shows it all messages of its groups: its privacy mode is off."""

    def is_at(self, address: str) -> bool:
        """Whether an address is a link to the bot."""
        found = _TO_A_PERSON.fullmatch(address)
        return found is not None and found[1].lower() == self.username

    @classmethod
    def of(  # noqa: PLR0913 - what the operator wants, each with a default
        cls,
        id: int,  # noqa: A002 - Telegram's word
        username: str,
        *,
        channels: bool = False,
        business: bool = True,
        inline: bool = False,
        guests: bool = False,
        reads_groups: bool = False,
    ) -> "BotIdentity":
        """From what getMe answers."""
        mention = re.compile(rf"(?<!\w)@{re.escape(username)}(?!\w)", re.IGNORECASE)
        return cls(id, username.lower(), mention, channels, business, inline, guests, reads_groups)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message, a command or a pressed button of a person."""

    update_id: int
    inbound: Inbound
    addressed: bool = True
    """Whether it is meant for the bot; in a group not every message is."""
    ask: Command | None = None
    """A command that the bot answers itself if it can."""
    callback: str | None = None
    """Id of a pressed button's query, which needs an answer."""
    asker: Sender | None = None
    """Of a pressed button: who wrote the message that the one with the button answers, where Telegram tells."""
    once: int | None = None
    """In place of the update's id, where two updates may bring the same: the first one counts."""
    code: str | None = None
    """A pairing code that a person sent in their private chat."""
    sent: float = 0.0
    """When it was written, seconds since the epoch, as Telegram tells."""
    group: str = ""
    """The title of its group."""
    post: tuple[int, int] | None = None
    """The channel's post that Telegram has forwarded into its discussion group: the channel, and the post's number."""
    place: bool = False
    """A live location has moved: no message, but what the next message takes along."""

    @property
    def viewer(self) -> Inbound:
        """Who reads what a command shows: of a button in a list of another's, who opened that, where it is known."""
        opened = self.callback is not None and self.asker is not None
        return self.inbound.model_copy(update={"sender": self.asker}) if opened else self.inbound

    @property
    def silent(self) -> bool:
        """Whether a stranger hears nothing: a business account's customer, and a channel, where all would read it."""
        return self.inbound.key.business is not None or self.inbound.chat_type == "channel"


@dataclass(frozen=True, slots=True)
class Moved:
    """A group became a supergroup: the session ``old`` continues as ``new``."""

    update_id: int
    old: SessionKey
    new: SessionKey


@dataclass(frozen=True, slots=True)
class Reacted:
    """A person changed their thumb at a message."""

    update_id: int
    chat: int
    message_id: int
    person: int
    thumb: Thumb | None
    """None: it is taken back."""


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """A business account was connected, or its connection has changed or ended."""

    update_id: int
    bot: int
    connection: str
    answers: bool
    """Whether the bot may answer its customers."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Messages of a business account's chat were deleted."""

    update_id: int
    session: SessionKey
    numbers: frozenset[int]


@dataclass(frozen=True, slots=True)
class AskedInline:
    """A person asks the bot in a chat that is not the bot's own."""

    update_id: int
    query: str
    """The query's id; of a press what the button's data says: who was offered the message, and what they had typed."""
    heard: Incoming
    """What they ask; until the message is there, in their private chat."""
    how: Literal["typed", "called", "pressed"]
    """How they ask.

    - ``typed``: they still type.
    - ``called``: they call a guest.
    - ``pressed``: they ask for an answer.
    """


@dataclass(frozen=True, slots=True)
class Ignored:
    """An update that asks for nothing."""

    update_id: int
    why: str
    """The reason, for the log."""
    callback: str | None = None
    """Id of a pressed button's query, which needs an answer all the same."""
    named: SessionKey | None = None
    """The topic that a person gave a name."""
    tongue: str | None = None
    """The language of the person who pressed it, if told."""
    waits: bool = False
    """The button stands under an inline message whose answer is on its way."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """An update that cannot be understood."""

    update_id: int | None
    """None if not even the id can be read."""
    reason: str
    raw: str
    """The update as JSON, shortened."""


@dataclass(frozen=True, slots=True)
class UpdateReading:
    """An update that is being read: what is known besides the object itself."""

    update_id: int
    kind: str
    me: BotIdentity
    now: float

    def nothing(self, why: str, callback: str | None = None, tongue: str | None = None) -> Ignored:
        return Ignored(self.update_id, why, callback, tongue=tongue)


type Meaning = Incoming | AskedInline | Moved | Reacted | Ignored | Malformed
type Understood = Meaning | AccountChanged | TakenBack
"""What an update can say; of the last two nothing is stored (``bot.access.business_accounts``)."""
