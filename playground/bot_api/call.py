"""One Bot API call: its parameters in the types that methods need, and its chat."""

from dataclasses import dataclass, field

from playground import Json
from playground.bot_api.wire import Upload
from playground.errors import ApiError, bad_request
from playground.state.chats import Chat
from playground.state.world import Bot, State

TAKE_BUSINESS = frozenset(
    [
        "sendmessage",
        "sendrichmessage",
        "sendchataction",
        "senddocument",
        "sendphoto",
        "sendaudio",
        "sendvoice",
        "sendvideo",
        "sendanimation",
        "sendmediagroup",
        "editmessagetext",
        "editmessagereplymarkup",
    ]
)
"""Methods that may act in a business account's name (``business_connection_id``); others know the bot's own chats."""


@dataclass(slots=True)
class ApiCall:
    """A call while it is served."""

    state: State
    method: str
    """In lower case."""
    params: Json
    uploads: dict[str, Upload] = field(default_factory=dict)
    note: Json | None = None
    """The journal entry's ``result``."""
    description: str | None = None
    """The ``description`` beside a result."""
    gone: bool = False
    """The caller hung up."""

    @property
    def bot(self) -> Bot:
        return self.state.bot

    def text(self, name: str) -> str:
        """A parameter as text; empty when absent."""
        value = self.params.get(name, "")
        return value if isinstance(value, str) else str(value)

    def number(self, name: str, default: int = 0, low: int | None = None, high: int | None = None) -> int:
        """A parameter as a number, clamped; ``default`` when it is absent or no number (as the real server does)."""
        value = self.params.get(name)
        if value is None:
            return default
        try:
            number = int(value)
        except (TypeError, ValueError):
            return default
        if low is not None:
            number = max(number, low)
        return number if high is None else min(number, high)

    def flag(self, name: str) -> bool:
        """A parameter as a truth value."""
        return str(self.params.get(name, "")).lower() in ("true", "yes", "1")

    def chat_id(self) -> int | None:
        """The chat that is named, as far as that is a number."""
        try:
            return int(self.params["chat_id"])
        except (KeyError, TypeError, ValueError):
            return None

    def chat(self, *, write: bool = True) -> Chat:
        """The chat the call is about.

        Raises:
            ApiError: there is no such chat, or the bot may not use it (``write``: not any more).
        """
        if not self.text("chat_id"):
            raise bad_request("chat_id is empty")
        number = self.chat_id()
        if self.method in TAKE_BUSINESS and (account := self.text("business_connection_id")):
            connection = self.state.business.named(account)
            connection.needs("can_reply")
            return connection.chat_with(number, self.state.now())
        chat = self.state.book.chats.get(number) if number is not None else None
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to is not None and write:
            raise ApiError(
                400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to=chat.migrated_to
            )
        if write and chat.bot_status == "kicked":
            if chat.kind == "private":
                raise ApiError(403, "Forbidden: bot was blocked by the user")
            raise ApiError(403, f"Forbidden: bot was kicked from the {chat.kind} chat")
        if write and chat.bot_status == "left":
            raise ApiError(403, f"Forbidden: bot is not a member of the {chat.kind} chat")
        return chat

    def thread(self, chat: Chat, answered: int | None = None) -> int | None:
        """The topic that is named, else that of the ``answered`` message; plain groups ignore it.

        Raises:
            ApiError: the chat has topics, but not this one, or it is closed; or it had topics, and is no forum now.
        """
        number = self.number("message_thread_id") or answered
        if not chat.has_topics:
            if self.number("message_thread_id") in chat.topics:
                raise bad_request("message thread not found")
            return None
        if not number:
            if chat.forum and chat.general != "open":
                raise bad_request("TOPIC_CLOSED")
            return None
        topic = chat.topics.get(number)
        if topic is None:
            raise bad_request("message thread not found")
        if topic.closed:
            raise bad_request("TOPIC_CLOSED")
        return number
