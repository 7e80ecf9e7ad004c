"""A client of the control API for tests, benchmarks and the chaos checker."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from playground import Json, by_bot
from playground.link import HELD, PlaygroundError
from playground.other_chats import OtherChats, Said

type Predicate = Callable[[list[Json]], bool]

__all__ = ["Bulk", "PlaygroundClient", "PlaygroundError", "Said"]


class Bulk(NamedTuple):
    """The result of ``bulk``; update ids run from first to last without gaps."""

    chats: list[int]
    first_update_id: int
    last_update_id: int


class PlaygroundClient(OtherChats):
    """Use as an async context manager. All methods raise ``PlaygroundError`` when refused."""

    # -- people and chats

    async def user(self, first_name: str | None = None, **fields: Any) -> Json:
        """A new user (a User object); ``id``, ``username``, ``language_code`` if you like."""
        return await self.control("POST", "/users", {"first_name": first_name, **fields})

    async def chat(self, kind: str = "private", **fields: Any) -> Json:
        """A new chat: ``id``, ``users``, ``topics`` ...

        Give ``title``, ``user`` or ``users`` (ids), ``topics`` (names; makes a supergroup a forum).
        """
        return await self.control("POST", "/chats", {"type": kind, **fields})

    async def chats(self) -> list[Json]:
        """All chats."""
        return await self.control("GET", "/chats")

    async def topic(self, chat: int, name: str) -> int:
        """A new topic; its ``message_thread_id``."""
        return (await self.control("POST", f"/chats/{chat}/topics", {"name": name}))["message_thread_id"]

    async def set_topic(self, chat: int, topic: int, do: str, name: str = "") -> int | None:
        """``close``, ``reopen``, ``delete`` or ``rename`` a topic, ``hide`` or ``unhide`` General (1); the update."""
        return (await self.control("POST", f"/chats/{chat}/topics/{topic}", {"do": do, "name": name}))["update_id"]

    async def forum(self, chat: int, *, on: bool) -> Json:
        """A supergroup's topics are switched on or off; the chat."""
        return await self.control("POST", f"/chats/{chat}/forum", {"on": on})

    async def member(self, chat: int, status: str, **rights: bool) -> int | None:
        """The bot is ``kicked``, ``left``, ``member``, ``administrator`` or ``restricted`` (``rights``); the update."""
        return (await self.control("POST", f"/chats/{chat}/member", {"status": status, "rights": rights}))["update_id"]

    async def permissions(self, chat: int, **rights: bool) -> Json:
        """What all members of a group may is changed, of which no bot is told; all of it."""
        return await self.control("POST", f"/chats/{chat}/permissions", rights)

    async def admin(self, chat: int, user: int, *, on: bool = True) -> None:
        """A person becomes an admin of a group, or is none any more."""
        await self.control("POST", f"/chats/{chat}/admins", {"user": user, "on": on})

    async def block(self, chat: int) -> int | None:
        """The user of a private chat blocks the bot; the update's id."""
        return await self.member(chat, "kicked")

    async def unblock(self, chat: int) -> int | None:
        """The user of a private chat unblocks the bot; the update's id."""
        return await self.member(chat, "member")

    async def migrate(self, chat: int) -> int:
        """A group becomes a supergroup; the new chat's id."""
        return (await self.control("POST", f"/chats/{chat}/migrate", {}))["chat_id"]

    # -- what people do

    async def say(self, chat: int, text: str | None = None, **fields: Any) -> Said:
        """A person writes a text, or a file (``photo``, ``document``, ``voice`` ...: a file id) with ``caption``.

        Further ``user`` (id; default the chat's first), ``thread`` (topic id), ``reply_to`` (message id), ``quote``
        (a part of that message's text).
        """
        given = {key: value for key, value in {"text": text, **fields}.items() if value is not None}
        return Said(**await self.control("POST", f"/chats/{chat}/messages", given))

    async def file(
        self, data: bytes, name: str, *, mime: str | None = None, kind: str = "document", size: int | None = None
    ) -> str:
        """Upload what a person will send as ``kind``; its file id. ``size`` pretends that the file is this big."""
        return (await self.upload(data, name=name, kind=kind, mime=mime, size=size))["file_id"]

    async def album(self, chat: int, *items: Json, **fields: Any) -> list[Json]:
        """A person sends several files as one album; the messages."""
        return (await self.control("POST", f"/chats/{chat}/album", {"items": items, **fields}))["messages"]

    async def react(self, chat: int, message_id: int, *emoji: str) -> int | None:
        """A person reacts (without emoji: takes the reactions back); the update's id."""
        return (await self.control("POST", f"/chats/{chat}/messages/{message_id}/react", {"emoji": emoji}))["update_id"]

    async def stop(self, chat: int, draft_id: int) -> int | None:
        """A person presses Stop on a streaming draft; the update's id."""
        return (await self.control("POST", f"/chats/{chat}/stop", {"draft_id": draft_id}))["update_id"]

    async def edit(self, chat: int, message_id: int, text: str) -> Said:
        """A person edits a message of theirs."""
        return Said(**await self.control("POST", f"/chats/{chat}/messages/{message_id}/edit", {"text": text}))

    async def delete(self, chat: int, message_id: int, *, user: int | None = None) -> int | None:
        """A person deletes a message for all; the update's id, where the bot is told (a business account's chat)."""
        return (await self.control("POST", f"/chats/{chat}/messages/{message_id}/delete", {"user": user}))["update_id"]

    async def forward(self, chat: int, message_id: int, to: int, **fields: Any) -> Said:
        """A person forwards a message into the chat ``to``; ``user``, ``thread`` there."""
        return Said(**await self.control("POST", f"/chats/{chat}/messages/{message_id}/forward", {"to": to, **fields}))

    async def press(self, chat: int, message_id: int, data: str, *, user: int | None = None) -> Json:
        """A person presses an inline button: ``callback_query_id``, ``update_id``."""
        return await self.control("POST", f"/chats/{chat}/messages/{message_id}/press", {"data": data, "user": user})

    async def press_answer(self, callback_query_id: str, timeout: float = HELD) -> Json | None:  # noqa: ASYNC109 - sent to the server
        """How the bot answered a press, waiting for it; None if it did not."""
        return (await self.control("GET", f"/presses/{callback_query_id}", timeout=timeout))["answer"]

    async def bulk(
        self, messages: int, chats: int = 1, text: str = "message {n}", *, into: list[int] | None = None
    ) -> Bulk:
        """Many messages over new private chats (or ``into`` given ones); ``text`` may hold ``{n}`` and ``{chat}``."""
        given: Json = {"messages": messages, "chats": chats, "text": text, "into": into or []}
        return Bulk(**await self.control("POST", "/bulk", given))

    async def inject(self, *updates: Any, bare: bool = False) -> list[int]:
        """Raw updates, malformed ones too; objects get their ``update_id`` unless ``bare``."""
        return (await self.control("POST", "/updates", {"updates": list(updates), "bare": bare}))["update_ids"]

    async def redeliver(self, count: int) -> int:
        """Deliver the newest confirmed updates again; gives their number."""
        return (await self.control("POST", "/redeliver", {"count": count}))["count"]

    # -- reading

    async def messages(self, chat: int, *, thread: int | None = None) -> list[Json]:
        """The messages of a chat (of a topic), oldest first."""
        return (await self.control("GET", f"/chats/{chat}/messages", thread=thread))["messages"]

    async def bot_messages(self, chat: int, *, thread: int | None = None) -> list[Json]:
        """The bot's messages of a chat, oldest first."""
        return [message for message in await self.messages(chat, thread=thread) if by_bot(message)]

    async def wait_for(
        self,
        chat: int,
        wanted: Predicate | int,
        *,
        thread: int | None = None,
        timeout: float = HELD,  # noqa: ASYNC109 - spread over several requests
    ) -> list[Json]:
        """Wait until ``wanted`` holds of the bot's messages in a chat, or until there are that many; gives them.

        Raises:
            TimeoutError: it did not come true in time; the message holds the last texts.
        """
        clock = _loop_time()
        deadline = clock() + timeout
        after = -1
        while True:
            held = max(min(deadline - clock(), HELD), 0)
            seen = await self.control("GET", f"/chats/{chat}/messages", thread=thread, after=after, timeout=held)
            ours = [message for message in seen["messages"] if by_bot(message)]
            if len(ours) >= wanted if isinstance(wanted, int) else wanted(ours):
                return ours
            if clock() >= deadline:
                texts = [message.get("text", "(no text)")[:80] for message in ours[-5:]]
                raise TimeoutError(f"chat {chat}: {len(ours)} bot messages, the last are {texts}")
            after = seen["version"]

    async def set_info(self, **info: Any) -> Json:
        """What the page's bar shows: ``model``, ``links`` (each ``label`` and ``url``)."""
        return await self.control("POST", "/info", info)

    async def queue(self) -> Json:
        """``pending``, ``next_id``, ``webhook``, ``polls`` (getUpdates calls so far), ``waiting`` (long polls now)."""
        return await self.control("GET", "/queue")

    async def wait_polling(self, timeout: float = HELD) -> None:  # noqa: ASYNC109 - sent to the server
        """Wait until a bot waits for updates.

        Raises:
            TimeoutError: none did.
        """
        if not (await self.control("GET", "/queue", waiting=1, timeout=timeout))["waiting"]:
            raise TimeoutError("no bot is polling")

    async def wait_confirmed(self, timeout: float = HELD) -> None:  # noqa: ASYNC109 - sent to the server
        """Wait until every update is confirmed.

        Raises:
            TimeoutError: some are not.
        """
        left = (await self.control("GET", "/queue", pending=0, timeout=timeout))["pending"]
        if left:
            raise TimeoutError(f"{left} updates are not confirmed")

    # -- the journal

    async def journal(self, after: int = 0, **query: Any) -> list[Json]:
        """All entries after a number.

        Filters: ``method``, ``except`` (a method), ``chat``, ``code``, each a list by commas; ``fault`` (any value).

        Raises:
            LookupError: entries in between are dropped already.
        """
        entries: list[Json] = []
        while True:
            page = await self.control("GET", "/journal", after=after, **query)
            if page["first"] > after + 1 and page["entries"] and after:
                raise LookupError(f"the journal starts at {page['first']} by now, you are at {after}")
            entries += page["entries"]
            if page["next"] <= after or page["next"] >= page["last"]:
                return entries
            after = page["next"]

    async def wait_journal(self, count: int = 1, *, after: int = 0, timeout: float = HELD, **query: Any) -> list[Json]:  # noqa: ASYNC109
        """Wait for ``count`` entries that pass the filters.

        Raises:
            TimeoutError: there were fewer in time.
        """
        clock = _loop_time()
        deadline = clock() + timeout
        entries: list[Json] = []
        while len(entries) < count:
            held = min(deadline - clock(), HELD)
            if held <= 0:
                raise TimeoutError(f"{len(entries)} of {count} journal entries for {query}")
            page = await self.control("GET", "/journal", after=after, timeout=held, **query)
            entries += page["entries"]
            after = page["next"]
        return entries

    # -- faults

    async def fault(
        self, kind: str, method: str = "*", *, times: int = 1, chat: int | None = None, **fields: Any
    ) -> Json:
        """Inject a fault into the next ``times`` matching calls.

        ``429`` (``retry_after``), ``500``, ``502``, ``error`` (``code``, ``description``), ``cut_before``,
        ``cut_after``, ``delay`` (``seconds``), ``garbage``; ``skip`` lets some pass first. See ``InjectedFault``.
        """
        given: Json = {"kind": kind, "method": method, "times": times, "chat": chat, **fields}
        return await self.control("POST", "/faults", given)

    async def clear_faults(self) -> None:
        """Remove all injected faults."""
        await self.control("DELETE", "/faults")

    async def flood(self, on: bool = True, **limits: int) -> Json:  # noqa: FBT001, FBT002 - reads well at the call
        """Flood limits: ``overall``, ``per_chat`` a second, ``per_group`` a minute; counts what it ``refused``."""
        return await self.control("POST", "/flood", {"on": on, **limits})

    async def reset(self) -> None:
        """Drop everything but webhook, commands and numbering."""
        await self.control("POST", "/reset", {})


def _loop_time() -> Callable[[], float]:
    return asyncio.get_running_loop().time
