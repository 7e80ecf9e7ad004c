"""What travels through Redis: frozen, versioned, JSON (pure).

A reader accepts its own version and every older one, and ignores fields it does not know. ``v`` is raised only when an
older reader would do something wrong; such a reader raises ``EnvelopeTooNew`` and leaves the entry where it is.
"""

import json
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.errors import EnvelopeInvalid, EnvelopeTooNew
from tasks.session import SessionKey

type InboundKind = Literal[
    "message", "stop", "new", "choose", "compact", "retry", "undo", "reminder", "moved", "answer", "conversation"
]
type OutKind = Literal["photo", "document", "voice", "audio", "video", "animation"]
type MediaKind = Literal["photo", "document", "voice", "audio", "video", "video_note", "animation", "sticker"]


class Envelope(BaseModel):
    """Common to all: JSON in, JSON out, version checked before anything else is looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    VERSION: ClassVar[int] = 1
    v: int = 1

    def to_json(self) -> str:
        """One line of JSON without the fields that have their default value (``v`` is always there)."""
        return json.dumps({"v": self.v, **self.model_dump(mode="json", exclude_defaults=True)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, data: str | bytes) -> Self:
        """Read one.

        Raises:
            EnvelopeTooNew: a newer release wrote it.
            EnvelopeInvalid: it is not one of these at all.
        """
        try:
            version: Any = (raw := json.loads(data))["v"]
            if isinstance(version, int) and version > cls.VERSION:
                raise EnvelopeTooNew(f"{cls.__name__} version {version}; this release reads up to {cls.VERSION}")
            return cls.model_validate(raw)
        except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as problem:
            raise EnvelopeInvalid(f"not a {cls.__name__}: {type(problem).__name__}") from problem


class Sender(BaseModel):
    """Who wrote a message. ``name`` is for display and prompts in groups, ``language`` an IETF tag, if told."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    name: str = ""
    username: str | None = None
    language: str | None = None


class Media(BaseModel):
    """A file at Telegram, which the bot itself sent if ``ours``; its bytes are never in Redis or in a history."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: MediaKind
    file_id: str
    unique_id: str = ""
    size_bytes: int | None = None
    mime: str | None = None
    name: str | None = None
    ours: bool = False
    duration_s: int | None = None
    caption: str | None = None
    """What its author wrote under it, where an album has several captions."""


class Quoted(BaseModel):
    """Whose text a message answers, and from where it comes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sender: Sender | None = None
    """Who sent the answered message; None where Telegram tells no id."""
    name: str = ""
    """Who wrote it, where only a name is told."""
    ours: bool = False
    """The bot itself sent it."""
    chat: str | None = None
    """The other chat that it stands in, by its title ("" where it has none)."""
    forwarded_from: str | None = None
    """Who wrote it first, where the answered message was forwarded."""
    guest: bool = False
    """Its author has a guest's role, or is not let in."""


class OverheardMessage(BaseModel):
    """What a person wrote in a group, not to the agent."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sender: Sender | None = None
    text: str
    guest: bool = False
    """Its author has a guest's role."""


class Repeats(BaseModel):
    """When a reminder comes again (``tasks.reminders.recurrence``)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rule: str
    zone: str
    """The time zone's IANA name."""
    local: str
    """The local time of this one, as the rule gives it."""
    left: int
    """How often it comes, this one counted."""
    series: int
    """Names all of them: the number of the first one."""


class Inbound(Envelope):
    """One accepted message, or one control word that takes its place in the order of messages (``kind``).

    Kind ``answer`` is a pressed button of a question (``tasks.chats.asking``): ``choice`` holds the question's id and
    the verdict. Kind ``conversation`` resumes an earlier one or names this one (``tasks.chats.conversations``).
    """

    VERSION: ClassVar[int] = 6
    """2 knows ``moved``; 3 ``undo`` and ``answer``, which an older reader leaves to a newer one; 4 ``conversation`` and
    ``exchange``, without which another exchange would be taken back; 5 ``repeats``, without which a series would end at
    once; 6 stands in sessions of inline messages, which an older reader would answer in the person's private chat."""

    session: str
    update_id: int
    at: float
    """When it was accepted, seconds since the epoch."""
    kind: InboundKind = "message"
    message_id: int | None = None
    sender: Sender | None = None
    chat_type: Literal["private", "group", "supergroup", "channel"] = "private"
    text: str = ""
    """The message's text or caption, with its form as Markdown."""
    media: tuple[Media, ...] = ()
    album: str | None = None
    """Media group id; its parts are one message."""
    parts: tuple[int, ...] = ()
    """The message ids of an album that was put together: an edit may be of any."""
    quote: str | None = None
    quoted: Quoted | None = None
    """Who wrote ``quote``, the text it replies to."""
    choice: dict[str, str] = {}
    """What a ``choose`` sets, for example ``{"model": "haiku"}``."""
    edited: bool = False
    """It replaces the text of ``message_id``."""
    described: bool = False
    """``text`` is the bot's own words for what has none (a place, a contact)."""
    in_charge: bool = False
    """Of what is said in a group: its author may answer questions of others, as the bot's owner and admins may."""
    guest: bool = False
    """Of what is said in a group: its author has a guest's role."""
    pressed: bool = False
    """It comes from a button under the message ``message_id``."""
    last: bool = False
    """Of a retry: it means the last message, and not those of an outage, as its button does."""
    exchange: str = ""
    """Of an undo or a retry from a button: the one exchange that it means, as its worker named it."""
    hides: tuple[str, ...] = ()
    """Of a press in a picker: the names that it does not show, as who opened it may not use them."""
    told: bool = False
    """Of a control word: the bot has told its person what its worker would say."""
    forwarded_from: str | None = None
    """Who wrote it first, by the name that Telegram gives ("" where it hides it); None when it was not forwarded."""
    moved_to: int | None = None
    """The supergroup that a group became (kind ``moved``), of version 2: an older reader would lose the field."""
    set_by: int | None = None
    """Of a reminder: the person whose turn set it."""
    again_by: tuple[int, ...] = ()
    """People who wanted it answered again (/retry), beside its sender."""
    depth: int = 0
    """Of a reminder: how many reminders led to it since a person wrote."""
    repeats: Repeats | None = None
    """Of a reminder that waits: when it comes again. One that is due has none: any release answers it."""
    note: str = ""
    """Of a reminder that is due: what the agent is told beside it."""
    language: str | None = None
    """Of a reminder: the language in which its person is spoken to."""
    reply_to: int | None = None
    """The message that it answers, if that is the bot's."""
    untitled: bool = False
    """Of a message in a topic: Telegram made the topic's name up."""
    start: str | None = None
    """The payload of the link ``t.me/BOT?start=PAYLOAD`` by which its author came; ``text`` has it as a command."""
    overheard: tuple[OverheardMessage, ...] = ()
    """What people in the group wrote before it, oldest first."""
    trace: str | None = None
    """The span that accepted it (``tasks.telemetry.tracing``), so that its turn goes on with its trace."""

    @property
    def key(self) -> SessionKey:
        return SessionKey.parse(self.session)

    @property
    def tongue(self) -> str | None:
        """The language of who wants it answered, as an IETF tag, if told."""
        return self.sender.language if self.sender is not None else self.language

    @property
    def person(self) -> int | None:
        """Who wants it answered: its sender, or who set the reminder. Channels and groups have negative ids."""
        return self.sender.id if self.sender is not None else self.set_by


class Button(BaseModel):
    """An inline button: its label and the ``callback_data`` (64 bytes at most) Telegram gives back."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    data: str = ""
    url: str = ""
    """A page that it opens instead of giving data back."""


class OutFile(BaseModel):
    """A file for a chat. Its bytes stand here (base64) while few, else in a file of the session's directory."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: OutKind = "document"
    name: str
    size_bytes: int = 0
    data: str | None = None
    stored: str | None = None
    """The name of the file that holds the bytes (``tasks.session_files``)."""
    caption: str = ""
    url: str = ""
    """A public address that Telegram fetches it from, instead of bytes. A link to it stands in the answer."""
    speak: str = ""
    """Words that are spoken when it is delivered, instead of bytes. They stand in the answer."""


class Reply(Envelope):
    """One Telegram message to deliver; a long answer is several."""

    VERSION: ClassVar[int] = 4
    """2 has ``files``; without any a reply is written as 1. 3 has a file that is spoken. 4 is for an inline message."""

    id: str = ""
    """Given at commit, so that no two replies of a session are alike."""
    text: str = ""
    entities: tuple[dict[str, Any], ...] = ()
    """Telegram MessageEntity objects, offsets in UTF-16 units of ``text``."""
    rich: tuple[dict[str, Any], ...] = ()
    """The same as the blocks of a rich message (InputRichBlock), which is tried first."""
    edit: int | None = None
    """The id of the message to edit instead of sending a new one."""
    reply_to: int | None = None
    about: str = ""
    """What it answers, in one line (``tasks.pointing``), for where it cannot point at it."""
    buttons: tuple[tuple[Button, ...], ...] = ()
    file_name: str | None = None
    """The name of a document to send, with ``file_text`` as its content and ``text`` as its caption."""
    file_text: str | None = None
    files: tuple[OutFile, ...] = ()
    """Files to send: one with ``text`` as its caption, or several pictures and videos as one album."""
    answers: tuple[int, ...] = ()
    """The update ids that this answers (for the history checker)."""
    shown: tuple[int, ...] = ()
    """Ids of messages that show the parts of the same answer before it, and need no call any more."""
    drops: tuple[int, ...] = ()
    """Ids of messages that go once it is delivered: the answer had grown over more messages than it takes."""
    disarms: tuple[int, ...] = ()
    """Ids of messages that keep their words and lose their buttons once it is delivered."""
    callback: str | None = None
    session: str | None = None
    """Where to, of the bot's own replies only: these are not kept in a session's outbox."""
    at: float | None = None
    """When it was written, seconds since the epoch, of a reply that is dropped when it is old."""
    question: str | None = None
    """The id of the question that it asks (``tasks.chats.asking``)."""
    language: str | None = None
    """What its words are in, where that is not English: what is said of it later is said in the same."""
    trace: str | None = None
    """The span that led to it (``tasks.telemetry.tracing``)."""


class DeadLetter(Envelope):
    """A message given up on: what it was, why, and when."""

    reason: str
    at: float
    session: str | None = None
    update_id: int | None = None
    inbound: Inbound | None = None
    raw: str | None = None
    """What could not even be understood."""
