"""Business accounts that have connected the bot: plain state of their connections, rights and customers' chats."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from playground import Json
from playground.errors import ApiError, ControlError, bad_request
from playground.state.chats import Chat

RIGHTS = (
    "can_reply", "can_read_messages", "can_delete_sent_messages", "can_delete_all_messages", "can_edit_name",
    "can_edit_bio", "can_edit_profile_photo", "can_edit_username", "can_change_gift_settings",
    "can_view_gifts_and_stars", "can_convert_gifts_to_stars", "can_transfer_and_upgrade_gifts", "can_transfer_stars",
    "can_manage_stories",
)  # fmt: skip
"""What an account may let the bot do (Bot API, BusinessBotRights)."""
GIVEN = ("can_reply", "can_read_messages", "can_delete_sent_messages")
"""What an account lets it do unless it says otherwise."""
ACTIVE_SECONDS = 24 * 3600
"""For so long after a customer's message the bot can write to them (Bot API, BusinessBotRights)."""
_FIRST_CHAT = 7_000_000_000_001
"""Chats with customers have numbers of their own here: on the wire they have that of the customer."""


@dataclass(slots=True)
class AccountConnection:
    """An account's connection with the bot."""

    id: str
    owner: Json
    date: int
    rights: dict[str, bool]
    enabled: bool = True
    chats: dict[int, Chat] = field(default_factory=dict[int, Chat])
    """By the customer's id."""
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    """Of the account's messages, which its chats share."""

    def wire(self) -> Json:
        """The BusinessConnection object."""
        rights = {name: True for name, given in self.rights.items() if given}
        return {
            "id": self.id,
            "user": self.owner,
            "user_chat_id": self.owner["id"],
            "date": self.date,
            "rights": rights,
            "is_enabled": self.enabled,
        }

    def needs(self, *rights: str) -> None:
        """One of these rights.

        Raises:
            ApiError: the account gives no such right, or has ended the connection.
        """
        if not self.enabled:
            raise bad_request("BUSINESS_CONNECTION_INVALID")
        if not any(self.rights.get(right) for right in rights):
            raise ApiError(403, "Forbidden: BOT_ACCESS_FORBIDDEN")

    def chat_with(self, customer: int | None, now: int) -> Chat:
        """The chat with a customer who has written lately.

        Raises:
            ApiError: there is none, or the customer has been silent for a day.
        """
        chat = self.chats.get(customer or 0)
        if chat is None:
            raise bad_request("BUSINESS_PEER_INVALID")
        heard = [message["date"] for message in chat.messages.values() if message["from"]["id"] == customer]
        if not heard or now - heard[-1] > ACTIVE_SECONDS:
            raise bad_request("BUSINESS_PEER_USAGE_MISSING")
        return chat


class ConnectedAccounts:
    """All connections."""

    def __init__(self) -> None:
        self.all: dict[str, AccountConnection] = {}
        self._chat_ids = count(_FIRST_CHAT)

    def find(self, connection: object) -> AccountConnection:
        """The connection with this id.

        Raises:
            ControlError: there is none.
        """
        try:
            return self.all[str(connection)]
        except KeyError:
            raise ControlError(f"no business connection {connection!r}", 404) from None

    def named(self, connection: str) -> AccountConnection:
        """The connection that a call names.

        Raises:
            ApiError: there is none.
        """
        try:
            return self.all[connection]
        except KeyError:
            raise bad_request("business connection not found") from None

    def of(self, chat: Chat) -> AccountConnection | None:
        """The connection of a chat with a customer; any other chat has none."""
        return self.all.get(chat.business) if chat.business is not None else None

    def open_chat(
        self, connection: AccountConnection, customer: Json, make: Callable[[int, "count[int]"], Chat]
    ) -> Chat:
        """The chat of an account with a customer; ``make`` gets its number here, and the account's of messages.

        Raises:
            ControlError: the customer is the account itself.
        """
        if customer["id"] == connection.owner["id"]:
            raise ControlError("an account has no customer in itself")
        if customer["id"] not in connection.chats:
            chat = make(next(self._chat_ids), connection.numbers)
            chat.members += [customer["id"], connection.owner["id"]]
            chat.business = connection.id
            connection.chats[customer["id"]] = chat
        return connection.chats[customer["id"]]

    def clear(self) -> None:
        """Forget all; the numbers of chats continue."""
        self.all.clear()


def checked_rights(given: object, before: dict[str, bool]) -> dict[str, bool]:
    """What an account lets the bot do, changed as ``given`` says.

    Raises:
        ControlError: it names no right, or says neither yes nor no.
    """
    if given is None:
        return before
    if not isinstance(given, dict) or not all(isinstance(value, bool) for value in given.values()):
        raise ControlError("rights are an object of true and false")
    if unknown := sorted(set(map(str, given)) - set(RIGHTS)):
        raise ControlError(f"there is no right {', '.join(unknown)}; there are {', '.join(RIGHTS)}")
    return before | given
