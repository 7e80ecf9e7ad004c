"""Notes which chats take no messages of the bot: people block it, groups remove or mute it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, cast

from tasks.chats.closed import Why
from tasks.store.chats.closed_chats import ClosedChatStore

type Take = Callable[[Sequence[object]], Awaitable[bool]]
type _Change = tuple[int, Why | Literal["open", "topics"]]
_TOPICS_OPEN = {"forum_topic_reopened", "general_forum_topic_unhidden"}


def noting(take: Take, bot: int, store: ClosedChatStore) -> Take:
    """``take``, and note before what the updates say of the bot's place in chats.

    It may be said twice, so an update that comes again changes nothing.
    """

    async def noted(updates: Sequence[object]) -> bool:
        for update in updates:
            change = change_in(update)
            if change is not None:
                chat, now = change
                if now == "topics":
                    await store.open(bot, chat, only="shut")
                else:
                    await (store.open(bot, chat) if now == "open" else store.close(bot, chat, now))
        return await take(updates)

    return noted


def change_in(update: object) -> _Change | None:
    """The chat of which an update says whether it takes the bot's messages, and what it says (pure).

    Whatever is not as the Bot API has it says nothing here; the intake makes a dead letter of it.
    """
    if not isinstance(update, dict):
        return None
    found = cast("dict[str, Any]", update)
    member, message = found.get("my_chat_member"), found.get("message")
    if isinstance(member, dict):
        chat, now = _number(member, "chat"), cast("dict[str, Any]", member).get("new_chat_member")
        return (
            None if chat is None or not isinstance(now, dict) else (chat, _standing(cast("dict[str, Any]", now), chat))
        )
    if isinstance(message, dict) and type(cast("dict[str, Any]", message).get("migrate_to_chat_id")) is int:
        chat = _number(message, "chat")
        return None if chat is None else (chat, "migrated")
    if isinstance(message, dict) and _TOPICS_OPEN & cast("dict[str, Any]", message).keys():
        chat = _number(message, "chat")
        return None if chat is None else (chat, "topics")
    return None


def _number(holder: object, name: str) -> int | None:
    held = cast("dict[str, Any]", holder).get(name)
    number = cast("dict[str, Any]", held).get("id") if isinstance(held, dict) else None
    return number if type(number) is int and abs(number) < 2**53 else None


def _standing(member: dict[str, Any], chat: int) -> Why | Literal["open"]:
    match member.get("status"):
        case "left" | "kicked":
            return "blocked" if chat > 0 else "removed"
        case "restricted" if member.get("is_member") is False:
            return "removed"
        case "restricted" if member.get("can_send_messages") is False:
            return "muted"
        case _:
            return "open"
