"""Control API: making people and chats, and reading what stands in them."""

import heapq
from collections.abc import Iterable

from starlette.requests import Request
from starlette.routing import Route

from playground import Json
from playground.control.web import body, number, route, seconds
from playground.errors import ControlError
from playground.state.chats import Chat
from playground.state.migration import migrate
from playground.state.people import set_membership
from playground.state.reactions import shown
from playground.state.rights import changed
from playground.state.topics import add_topic, set_forum, set_topic
from playground.state.world import State


def _title(state: State, chat: Chat) -> str:
    account = state.business.of(chat)
    title = chat.info.get("title") or chat.info.get("first_name") or ""
    return title if account is None else f"{title} → {account.owner['first_name']}"


def described(state: State, chat: Chat) -> Json:
    """A chat for readers of the control API."""
    last = chat.messages[chat.last_message_id] if chat.messages else None
    account = state.business.of(chat)
    return {
        "id": chat.id,
        "type": chat.kind if chat.business is None else "business",
        "title": _title(state, chat),
        "chat": chat.info,
        "users": [state.book.users[number] for number in chat.members if number in state.book.users],
        "topics": [
            {"id": t.id, "name": t.name, "color": t.color, "closed": t.closed}
            for t in chat.topics.values()
            if chat.has_topics
        ],
        "bot_status": chat.bot_status,
        "general": chat.general,
        "migrated_to": chat.migrated_to,
        "from_bot": chat.from_bot,
        "version": chat.version,
        "last": last,
        "business": None if account is None else account.wire() | {"told": state.bot.queue.wants("business_message")},
    }


def content(state: State, chat: Chat, thread: int | None) -> Json:
    """A chat's messages, drafts and what the bot is doing now."""
    now = state.clock.now()
    messages = list(chat.messages.values())
    if thread is not None:
        messages = [message for message in messages if message.get("message_thread_id") == thread]
    action = chat.action if chat.action is not None and chat.action["until"] > now else None
    return {
        "version": chat.version,
        "from_bot": chat.from_bot,
        "messages": messages,
        "drafts": [draft for draft in chat.drafts.values() if draft["until"] > now],
        "action": action,
        "reactions": {str(message): emoji for message, emoji in shown(chat).items()},
    }


class Chats:
    """Handlers around one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        here = "/playground/chats/{chat}"
        return [
            route("POST", "/playground/users", self.add_user),
            route("GET", "/playground/chats", self.all),
            route("POST", "/playground/chats", self.add),
            route("GET", here, self.one),
            route("GET", here + "/messages", self.messages),
            route("POST", here + "/member", self.member),
            route("POST", here + "/permissions", self.permissions),
            route("POST", here + "/admins", self.admin),
            route("POST", here + "/migrate", self.migrate),
            route("POST", here + "/topics", self.add_topic),
            route("POST", here + "/topics/{topic}", self.set_topic),
            route("POST", here + "/forum", self.set_forum),
        ]

    def _chat(self, request: Request) -> Chat:
        return self._state.book.chat(request.path_params["chat"])

    async def add_user(self, request: Request) -> Json:
        given = await body(request)
        return self._state.book.add_user(
            given.get("first_name"),
            number=None if given.get("id") is None else number(given["id"], "id"),
            username=given.get("username"),
            language=given.get("language_code", "en"),
        )

    async def all(self, request: Request) -> list[Json]:
        """All chats, in order of making; with ``limit`` so many, those with the newest messages first.

        With ``find`` those whose title or id has these words.
        """
        chats: Iterable[Chat] = self._state.book.chats.values()
        if words := request.query_params.get("find", "").casefold():
            chats = [chat for chat in chats if words in _title(self._state, chat).casefold() or words in str(chat.id)]
        if "limit" in request.query_params:
            limit = number(request.query_params["limit"], "limit")
            chats = heapq.nlargest(limit, chats, key=lambda chat: chat.touched)
        return [described(self._state, chat) for chat in chats]

    async def add(self, request: Request) -> Json:
        """``type``; ``title``; ``user`` (id) or ``users`` (ids); ``topics`` (names; makes a supergroup a forum)."""
        given, book = await body(request), self._state.book
        kind = given.get("type", "private")
        if kind not in ("private", "group", "supergroup"):
            raise ControlError("type must be private, group or supergroup")
        names = given.get("topics")
        if names and kind == "group":
            raise ControlError("topics exist in supergroups and private chats")
        wanted = given.get("users", [given["user"]] if given.get("user") is not None else [])
        users = [book.add_user(number=number(user, "user")) for user in wanted]
        chat = book.add_chat(
            kind,
            title=given.get("title"),
            forum=kind == "supergroup" and isinstance(names, list),
            user=users[0] if users else book.add_user(given.get("first_name")),
            number=None if given.get("id") is None else number(given["id"], "id"),
        )
        chat.members += [user["id"] for user in users[1:] if user["id"] not in chat.members]
        for name in names or []:
            add_topic(self._state, chat, str(name))
        self._state.events.tell("chat", chat=chat.id)
        return described(self._state, chat)

    async def one(self, request: Request) -> Json:
        return described(self._state, self._chat(request))

    async def messages(self, request: Request) -> Json:
        """With ``timeout``: waits until ``version`` exceeds ``after`` and the bot sent ``from_bot`` messages."""
        chat, query = self._chat(request), request.query_params
        thread = number(query["thread"], "thread") if "thread" in query else None
        after = number(query.get("after", -1), "after")
        from_bot = number(query.get("from_bot", 0), "from_bot")
        clock = self._state.clock
        deadline = clock.monotonic() + seconds(query.get("timeout", 0))
        while chat.version <= after or chat.from_bot < from_bot:
            left = deadline - clock.monotonic()
            if left <= 0:
                break
            await chat.wakeup.wait(left)
        return content(self._state, chat, thread)

    async def member(self, request: Request) -> Json:
        given = await body(request)
        status, how = str(given.get("status", "")), {"user": given.get("user"), "rights": given.get("rights")}
        return {"update_id": set_membership(self._state, self._chat(request), status, **how)}

    async def permissions(self, request: Request) -> Json:
        """What all members may, besides admins: names of rights, with true or false. Telegram tells bots nothing."""
        chat = self._chat(request)
        if chat.kind == "private":
            raise ControlError("permissions are of groups")
        chat.permissions = changed(chat.permissions, await body(request))
        return dict(chat.permissions)

    async def admin(self, request: Request) -> Json:
        """``user`` administers the group, or does not any more (``on``: false)."""
        given, chat = await body(request), self._chat(request)
        who = self._state.book.user(given.get("user"))["id"]
        chat.admins = [one for one in chat.admins if one != who] + ([who] if given.get("on", True) else [])
        return {"admins": chat.admins}

    async def migrate(self, request: Request) -> Json:
        new, updates = migrate(self._state, self._chat(request))
        return {"chat_id": new.id, "update_ids": updates}

    async def add_topic(self, request: Request) -> Json:
        given = await body(request)
        topic, update = add_topic(self._state, self._chat(request), str(given.get("name", "Topic")))
        return {"message_thread_id": topic.id, "update_id": update}

    async def set_forum(self, request: Request) -> Json:
        given, chat = await body(request), self._chat(request)
        set_forum(self._state, chat, on=bool(given.get("on", True)))
        return described(self._state, chat)

    async def set_topic(self, request: Request) -> Json:
        given = await body(request)
        topic = number(request.path_params["topic"], "topic")
        return {
            "update_id": set_topic(
                self._state, self._chat(request), topic, str(given.get("do", "")), str(given.get("name", ""))
            )
        }
