"""Inline and guest queries, and the inline messages that they became: plain state."""

from collections import OrderedDict
from dataclasses import dataclass, field

from playground import Json
from playground.errors import bad_request
from playground.state.chats import Chat
from playground.state.wakeup import Wakeup


@dataclass(slots=True)
class Query:
    """An inline query, or a guest's (``summons``: the message that called it)."""

    chat: Chat
    person: Json
    text: str = ""
    summons: Json | None = None
    thread: int | None = None
    results: list[Json] | None = None
    """What the bot offers, once it has answered."""
    wakeup: Wakeup = field(default_factory=Wakeup)


@dataclass(slots=True)
class InlineQueries:
    """Queries by id, and inline messages: their chat and number by their own id."""

    queries: OrderedDict[str, Query] = field(default_factory=OrderedDict[str, Query])
    messages: OrderedDict[str, tuple[Chat, int]] = field(default_factory=OrderedDict[str, tuple[Chat, int]])
    feedback: bool = True
    """Whether the bot is told which result a person sent: BotFather's /setinlinefeedback."""

    def query(self, number: str) -> Query:
        """A query that waits for its answer.

        Raises:
            ApiError: there is none, or it has its answer.
        """
        query = self.queries.get(number)
        if query is None or query.results is not None:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        return query

    def id_of(self, chat: Chat, message_id: int) -> str | None:
        """The inline id of a message; None where it has none."""
        return next((number for number, found in self.messages.items() if found == (chat, message_id)), None)

    def message(self, number: str) -> tuple[Chat, Json]:
        """An inline message.

        Raises:
            ApiError: there is none.
        """
        chat, message_id = self.messages.get(number, (None, 0))
        message = chat.messages.get(message_id) if chat is not None else None
        if chat is None or message is None:
            raise bad_request("MESSAGE_ID_INVALID")
        return chat, message
