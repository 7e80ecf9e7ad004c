"""Users and chats with their messages, topics and drafts: plain state without protocol."""

from collections import OrderedDict
from itertools import count
from typing import Literal

from playground import Json
from playground.errors import ControlError
from playground.state.rights import ALL
from playground.state.wakeup import Wakeup

type ChatKind = Literal["private", "group", "supergroup"]

_NAMES = (
    "Ada",
    "Bela",
    "Cleo",
    "Dora",
    "Emil",
    "Fara",
    "Gus",
    "Hana",
    "Ivo",
    "Juno",
    "Kai",
    "Lena",
    "Milo",
    "Nia",
)
_FIRST_USER = 500_000_001
_FIRST_GROUP = 4_000_000_001
_FIRST_SUPERGROUP = 1_002_000_000_001
"""Supergroups are -100... with thirteen digits (Bot API)."""


class Topic:
    """A forum topic; its id is that of the message that made it."""

    __slots__ = ("closed", "color", "id", "name")

    def __init__(self, number: int, name: str, color: int) -> None:
        self.id = number
        self.name = name
        self.color = color
        self.closed = False


class Chat:
    """A chat as the bot sees it. ``info`` is the Chat object in its messages."""

    def __init__(
        self, info: Json, cap: int, numbers: "count[int]", touches: "count[int]", *, number: int | None = None
    ) -> None:
        """``number``: the chat's id in the playground, where it is another one than on the wire."""
        self.info = info
        self.id: int = info["id"] if number is None else number
        self.business: str | None = None
        """The business connection of a chat of its owner with a customer."""
        self.kind: ChatKind = info["type"]
        self.general: Literal["open", "closed", "hidden"] = "open"
        """Whether the bot can write into a forum's General topic."""
        self.cap = cap
        self.messages: OrderedDict[int, Json] = OrderedDict()
        self.topics: dict[int, Topic] = {}
        self.members: list[int] = []
        """User ids, in order of joining."""
        self.admins: list[int] = []
        """User ids of those who administer it beside the person who made it, the first member."""
        self.bot_status = "member"
        self.bot_rights = ALL
        """Of a restricted bot."""
        self.permissions = ALL
        """What all members may, besides admins."""
        self.migrated_to: int | None = None
        self.from_bot = 0
        """How many messages the bot has sent here."""
        self.version = 0
        """Grows with every visible change."""
        self.touched = next(touches)
        """The position of its newest message in the order of all chats' messages."""
        self.wakeup = Wakeup()
        self.reactions: dict[int, dict[int, list[Json]]] = {}
        """By message id, then by the reacting user's id."""
        self.drafts: dict[int, Json] = {}
        self.action: Json | None = None
        self._numbers = numbers
        self._touches = touches

    @property
    def forum(self) -> bool:
        """Whether it has topics now; those of a group that is no forum any more are kept, as Telegram keeps them."""
        return bool(self.info.get("is_forum"))

    @property
    def has_topics(self) -> bool:
        """Whether messages may stand in topics."""
        return self.forum or (self.kind == "private" and self.business is None)

    @property
    def allowed(self) -> dict[str, bool]:
        """What the bot may send."""
        if self.kind == "private" or self.bot_status == "administrator":
            return ALL
        own = self.bot_rights if self.bot_status == "restricted" else ALL
        return {right: own[right] and for_all for right, for_all in self.permissions.items()}

    def next_message_id(self) -> int:
        """The next id. Private chats and groups share one sequence, that of the account; a supergroup has its own."""
        return next(self._numbers)

    def put(self, message: Json) -> None:
        """Add a message; above the cap the oldest is dropped."""
        self.messages[message["message_id"]] = message
        self.touched = next(self._touches)
        if len(self.messages) > self.cap:
            oldest, _ = self.messages.popitem(last=False)
            self.reactions.pop(oldest, None)
        self.changed()

    def changed(self) -> None:
        """Wake the waiting readers."""
        self.version += 1
        self.wakeup.wake_all()

    @property
    def last_message_id(self) -> int:
        """Id of the newest message, 0 in an empty chat."""
        return next(reversed(self.messages)) if self.messages else 0


def _person(user: Json) -> Json:
    """The Chat object of a private chat with a person."""
    info: Json = {"id": user["id"], "first_name": user["first_name"], "type": "private"}
    return info | ({"username": user["username"]} if "username" in user else {})


class Book:
    """All users and chats, bounded in number."""

    def __init__(self, *, message_cap: int, chat_cap: int, past: int = 0) -> None:
        """``past``: how many ids of each kind are left out, because an earlier playground may have given them away."""
        self.users: dict[int, Json] = {}
        self.chats: dict[int, Chat] = {}
        self.message_cap = message_cap
        self.chat_cap = chat_cap
        self._user_ids = count(_FIRST_USER + past)
        self._group_ids = count(_FIRST_GROUP + past)
        self._supergroup_ids = count(_FIRST_SUPERGROUP + past)
        self._account = count(1)
        self._touches = count(1)

    def add_user(
        self,
        first_name: str | None = None,
        *,
        number: int | None = None,
        username: str | None = None,
        language: str | None = "en",
    ) -> Json:
        """A new user, or the one with this number.

        Raises:
            ControlError: the number is no user id.
        """
        if number is not None and number <= 0:
            raise ControlError("a user id is a positive number")
        if number is not None and number in self.users:
            return self.users[number]
        if number is None:
            number = next(n for n in self._user_ids if n not in self.users)
        name = first_name or f"{_NAMES[number % len(_NAMES)]} {number % 1000}"
        user: Json = {"id": number, "is_bot": False, "first_name": name}
        if username:
            user["username"] = username
        if language:
            user["language_code"] = language
        self.users[number] = user
        return user

    def add_chat(
        self,
        kind: ChatKind,
        *,
        title: str | None = None,
        forum: bool = False,
        user: Json | None = None,
        number: int | None = None,
    ) -> Chat:
        """A new chat; for a private one, the chat of ``user`` with the bot.

        Raises:
            ControlError: there are too many, or the id is taken or of the wrong sign.
        """
        if kind == "private":
            user = user or self.add_user()
            if user["id"] in self.chats:
                return self.chats[user["id"]]
            info = _person(user)
            numbers = self._account
        else:
            info = {
                "id": self._group_id(kind, number),
                "title": title or f"{'Forum' if forum else kind.capitalize()} {len(self.chats) + 1}",
                "type": kind,
            }
            if forum:
                info["is_forum"] = True
            # Message 1 of a supergroup is its making, and topic 1 of a forum is "General".
            numbers = self._account if kind == "group" else count(2)
        chat = self._added(Chat(info, self.message_cap, numbers, self._touches))
        if user is not None:
            chat.members.append(user["id"])
        return chat

    def customers_chat(self, customer: Json, number: int, numbers: "count[int]") -> Chat:
        """A new chat of a business account with a customer.

        Raises:
            ControlError: there are too many chats.
        """
        return self._added(Chat(_person(customer), self.message_cap, numbers, self._touches, number=number))

    def _added(self, chat: Chat) -> Chat:
        if len(self.chats) >= self.chat_cap:
            raise ControlError(f"there are {self.chat_cap} chats already; reset the playground")
        self.chats[chat.id] = chat
        return chat

    def _group_id(self, kind: ChatKind, wanted: int | None) -> int:
        number = wanted if wanted is not None else -next(self._group_ids if kind == "group" else self._supergroup_ids)
        if number >= 0 or number in self.chats:
            raise ControlError(f"{number} cannot be the id of a new {kind}: ids of groups are negative and used once")
        return number

    def chat(self, number: object) -> Chat:
        """The chat with this id.

        Raises:
            ControlError: it does not exist.
        """
        try:
            return self.chats[int(str(number))]
        except (ValueError, KeyError):
            raise ControlError(f"no chat {number!r}", 404) from None

    def user(self, number: object) -> Json:
        """The user with this id.

        Raises:
            ControlError: it does not exist.
        """
        try:
            return self.users[int(str(number))]
        except (ValueError, KeyError):
            raise ControlError(f"no user {number!r}", 404) from None

    def clear(self) -> None:
        """Drop all users and chats; message ids continue."""
        self.users.clear()
        self.chats.clear()
