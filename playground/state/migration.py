"""A group becomes a supergroup: a new id, two service messages, and errors for calls that use the old id."""

from playground.errors import ControlError
from playground.state.chats import Chat
from playground.state.people import speaker
from playground.state.posts import post
from playground.state.world import State


def migrate(state: State, chat: Chat) -> tuple[Chat, list[int | None]]:
    """Upgrade a group.

    Returns:
        The supergroup, and the ids of the updates that tell of it (old chat first, as Telegram sends them).

    Raises:
        ControlError: it is no group, or was upgraded before.
    """
    if chat.kind != "group" or chat.migrated_to is not None:
        raise ControlError("only a group that was not upgraded yet can be")
    sender = speaker(state, chat, None)
    new = state.book.add_chat("supergroup", title=chat.info["title"])
    new.members = list(chat.members)
    new.admins, new.permissions = list(chat.admins), chat.permissions
    new.bot_status = chat.bot_status
    left = post(state, chat, sender, {"migrate_to_chat_id": new.id})
    chat.migrated_to = new.id
    came = post(state, new, sender, {"migrate_from_chat_id": chat.id})
    state.events.tell("chat", chat=chat.id)
    state.events.tell("chat", chat=new.id)
    queue = state.bot.queue
    return new, [queue.add("message", left, chat.id), queue.add("message", came, new.id)]
