"""What people do: write, edit, press buttons, leave, come back. Each action becomes an update for the bot."""

from playground import Json, by_bot
from playground.errors import ControlError
from playground.state.chats import Chat
from playground.state.posts import post, replace, told
from playground.state.reactions import checked, react
from playground.state.rights import ALL, administrator, changed
from playground.state.text import MAX_CAPTION, MAX_TEXT, find_entities, utf16
from playground.state.world import Press, State


def speaker(state: State, chat: Chat, user: object) -> Json:
    """The user with this id, by default the chat's first member. A user who speaks in a group joins it."""
    if user is None:
        if not chat.members:
            chat.members.append(state.book.add_user()["id"])
        return state.book.users[chat.members[0]]
    person = state.book.user(user)
    if person["id"] not in chat.members:
        if chat.kind == "private":
            raise ControlError(f"user {person['id']} is not the user of private chat {chat.id}")
        chat.members.append(person["id"])
        state.events.tell("chat", chat=chat.id)
    return person


def message_in(chat: Chat, message_id: object) -> Json:
    """A message of a chat.

    Raises:
        ControlError: it does not exist.
    """
    try:
        return chat.messages[int(str(message_id))]
    except (ValueError, KeyError):
        raise ControlError(f"no message {message_id!r} in chat {chat.id}", 404) from None


def topic_in(chat: Chat, thread: object) -> int | None:
    """The id of a topic of a chat; None is none.

    Raises:
        ControlError: it does not exist.
    """
    if thread is None:
        return None
    try:
        if chat.has_topics:
            return chat.topics[int(str(thread))].id
    except (ValueError, KeyError):
        pass
    raise ControlError(f"no topic {thread!r} in chat {chat.id}", 404)


def texts(text: str, *, caption: bool, entities: list[Json] | None = None) -> Json:
    """The fields of a user's text or caption; commands, links and mentions are found.

    Raises:
        ControlError: it is too long.
    """
    limit = MAX_CAPTION if caption else MAX_TEXT
    if utf16(text) > limit:
        raise ControlError(f"Telegram's apps let people write {limit} UTF-16 units at most")
    name = "caption" if caption else "text"
    fields: Json = {name: text}
    found = (entities or []) + find_entities(text)
    if found:
        fields["caption_entities" if caption else "entities"] = found
    return fields


def say(  # noqa: PLR0913 - the fields of a message
    state: State,
    chat: Chat,
    content: Json,
    *,
    user: object = None,
    thread: object = None,
    reply_to: object = None,
) -> tuple[Json, int | None]:
    """A person posts a message.

    Returns:
        The message and the id of its update; None if the bot does not take part in the chat or wants no messages.

    Raises:
        ControlError: the chat was migrated, or there is no such user, topic or message.
    """
    if chat.migrated_to is not None:
        raise ControlError(f"chat {chat.id} was upgraded to {chat.migrated_to}")
    sender = speaker(state, chat, user)
    topic = topic_in(chat, thread)
    answered = message_in(chat, reply_to) if reply_to is not None else None
    if chat.kind == "private" and chat.bot_status == "kicked":
        set_membership(state, chat, "member", user=sender["id"])
    message = post(state, chat, sender, content, thread=topic, reply_to=answered)
    return message, told(state, chat, "message", message)


def edit(state: State, chat: Chat, message_id: object, text: str) -> tuple[Json, int | None]:
    """A person edits what they wrote.

    Returns:
        The message and the id of its update.

    Raises:
        ControlError: it does not exist, or is the bot's.
    """
    message = message_in(chat, message_id)
    if by_bot(message):
        raise ControlError("this is the bot's message")
    caption = "text" not in message
    drop = ("caption", "caption_entities") if caption else ("text", "entities")
    fields = {"edit_date": state.now()} | texts(text, caption=caption)
    message = replace(state, chat, message, fields, drop=drop)
    return message, told(state, chat, "edited_message", message)


def press(state: State, chat: Chat, message_id: object, data: str, *, user: object = None) -> tuple[str, int | None]:
    """A person presses an inline button.

    Returns:
        The callback query's id and the id of its update.

    Raises:
        ControlError: no such message, or it has no button with this data.
    """
    message = message_in(chat, message_id)
    rows: list[list[Json]] = message.get("reply_markup", {}).get("inline_keyboard", [])
    if not any(button.get("callback_data") == data for row in rows for button in row):
        raise ControlError(f"message {message_id} has no button with data {data!r}")
    sender = speaker(state, chat, user)
    number = str(state.random.randrange(10**17, 10**18))
    state.bot.remember_press(number, Press(state.clock.now()))
    inline = state.elsewhere.id_of(chat, message["message_id"])
    query: Json = {
        "id": number,
        "from": sender,
        **({"message": message} if inline is None else {"inline_message_id": inline}),
        "chat_instance": str(-abs(chat.id) * 7919),
        "data": data,
    }
    return number, state.bot.queue.add("callback_query", query, ("press", sender["id"]))


def _member(state: State, chat: Chat) -> Json:
    """What the bot is in a chat."""
    bot, status = state.bot.user, chat.bot_status
    match status:
        case "administrator":
            return administrator(bot)
        case "restricted":
            return {"status": status, "user": bot, "is_member": True, "until_date": 0, **chat.bot_rights}
        case "kicked":
            return {"status": status, "user": bot, "until_date": 0}
        case _:
            return {"status": status, "user": bot}


def set_membership(state: State, chat: Chat, status: str, *, user: object = None, rights: object = None) -> int | None:
    """The bot is blocked, unblocked, added, removed, restricted or promoted by a person.

    Args:
        state: All there is.
        chat: Where.
        status: What the bot becomes.
        user: Who does it.
        rights: Of a restricted bot what it may or may not; it may all else.

    Returns:
        The id of the update.

    Raises:
        ControlError: the bot cannot be that there.
    """
    if chat.business is not None:
        raise ControlError("the bot is no member of a business account's chat: its owner ends the connection")
    if chat.kind == "private" and status not in ("member", "kicked"):
        raise ControlError("in a private chat the bot is a member, or kicked (blocked)")
    if status not in ("member", "administrator", "restricted", "left", "kicked"):
        raise ControlError("status must be member, administrator, restricted, left or kicked")
    if status == "restricted" and chat.kind != "supergroup":
        raise ControlError("only supergroups restrict a member; a group restricts all, see permissions")
    change: Json = {
        "chat": chat.info,
        "from": speaker(state, chat, user),
        "date": state.now(),
        "old_chat_member": _member(state, chat),
    }
    chat.bot_rights = changed(ALL, rights or {}) if status == "restricted" else ALL
    chat.bot_status = status
    change["new_chat_member"] = _member(state, chat)
    chat.changed()
    state.events.tell("chat", chat=chat.id)
    return state.bot.queue.add("my_chat_member", change, ("member", chat.id))


def stop(state: State, chat: Chat, draft_id: object) -> int | None:
    """A person presses Stop on a draft that the bot is streaming.

    Returns:
        The id of the update.

    Raises:
        ControlError: there is no such draft, or it has no Stop button.
    """
    try:
        draft = chat.drafts[int(str(draft_id))]
    except (ValueError, KeyError):
        raise ControlError(f"no draft {draft_id!r} in chat {chat.id}", 404) from None
    if not draft["can_stop"]:
        raise ControlError("this draft has no Stop button (can_stop)")
    if not draft["keep_on_stop"]:
        chat.drafts.clear()
        state.events.tell("draft", chat=chat.id, draft=None)
    chat.changed()
    stopped: Json = {"chat": chat.info, "draft_id": draft["draft_id"]}
    if draft["thread"] is not None:
        stopped["message_thread_id"] = draft["thread"]
    return state.bot.queue.add("stopped_message_generation", stopped, ("stop", chat.id))


def react_as(state: State, chat: Chat, message_id: object, emoji: list[str], *, user: object = None) -> int | None:
    """A person leaves reactions on a message (none: takes them back).

    Returns:
        The id of the update; None unless the bot asked for reactions.
    """
    message, who = message_in(chat, message_id), speaker(state, chat, user)
    wanted = checked([{"type": "emoji", "emoji": one} for one in emoji])
    before = react(state, chat, message["message_id"], who["id"], wanted)
    change: Json = {
        "chat": chat.info,
        "message_id": message["message_id"],
        "user": who,
        "date": state.now(),
        "old_reaction": before,
        "new_reaction": wanted,
    }
    if chat.business is not None:
        return None  # there is no such update of business accounts
    return state.bot.queue.add("message_reaction", change, ("reaction", chat.id))
