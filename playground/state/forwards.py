"""What people do with a message that stands already: pass it on, quote a part of it, delete it."""

from playground import Json
from playground.errors import ControlError
from playground.state.chats import Chat
from playground.state.people import message_in, say, speaker
from playground.state.posts import remove
from playground.state.text import utf16
from playground.state.world import State

MAX_QUOTE = 1024
"""UTF-16 units of a quoted part (Bot API, ReplyParameters)."""
_OF_THIS_CHAT = {
    "message_id", "message_thread_id", "is_topic_message", "from", "chat", "date", "edit_date", "reply_to_message",
    "external_reply", "quote", "reply_markup", "media_group_id", "via_bot", "forward_origin", "business_connection_id",
    "sender_business_bot",
}  # fmt: skip
"""What a message does not take along when it is forwarded."""
_CONTENTS = ("text", "caption", "photo", "document", "voice", "audio", "video", "video_note", "animation", "sticker")


def forward(  # noqa: PLR0913 - the fields of a forward
    state: State, chat: Chat, message_id: object, to: Chat, *, user: object = None, thread: object = None
) -> tuple[Json, int | None]:
    """A person forwards a message into a chat.

    Returns:
        The new message and the id of its update.

    Raises:
        ControlError: there is no such message, chat, user or topic, or it holds nothing that can be forwarded.
    """
    message = message_in(chat, message_id)
    content = {key: value for key, value in message.items() if key not in _OF_THIS_CHAT}
    if not any(kind in content for kind in (*_CONTENTS, "rich_message")):
        raise ControlError("Telegram forwards no notices about a chat")
    # Of the buttons those go along that open a page.
    rows = [[one for one in row if "url" in one] for row in message.get("reply_markup", {}).get("inline_keyboard", [])]
    if any(rows):
        content["reply_markup"] = {"inline_keyboard": [row for row in rows if row]}
    first = {"type": "user", "sender_user": message["from"], "date": message["date"]}
    content["forward_origin"] = message.get("forward_origin", first)
    return say(state, to, content, user=user, thread=thread)


def quoted_part(chat: Chat, reply_to: object, part: object) -> Json:
    """The field of an answer that quotes a part of the message that it answers.

    Raises:
        ControlError: the message does not say this.
    """
    if part is None:
        return {}
    given = part if isinstance(part, dict) else {"text": part}
    text, hint = given.get("text"), given.get("position", 0)
    if reply_to is None or not isinstance(text, str) or not text.strip() or not isinstance(hint, int):
        raise ControlError("a quote has a text, and stands in a reply (reply_to)")
    if utf16(text) > MAX_QUOTE:
        raise ControlError(f"a quote has {MAX_QUOTE} UTF-16 units at most")
    message = message_in(chat, reply_to)
    whole = message.get("text", message.get("caption", ""))
    found = [at for at in range(len(whole)) if whole.startswith(text, at)]
    if not found:
        raise ControlError(f"message {reply_to} does not say {text!r}")
    at = min((utf16(whole[:one]) for one in found), key=lambda one: abs(one - hint))
    return {"quote": {"text": text, "position": at, "is_manual": True}}


def delete(state: State, chat: Chat, message_id: object, *, user: object = None) -> int | None:
    """A person deletes a message for all. Telegram tells bots nothing of it, but of business accounts.

    Returns:
        The update's id.

    Raises:
        ControlError: there is no such message, or it is another one's.
    """
    message, who = message_in(chat, message_id), speaker(state, chat, user)
    maker = chat.members[0]
    if chat.kind != "private" and who["id"] not in (message["from"]["id"], maker):
        raise ControlError("in a group its maker deletes any message, others their own")
    remove(state, chat, message["message_id"])
    account = state.business.of(chat)
    if account is None or not account.enabled:
        return None
    gone: Json = {"business_connection_id": account.id, "chat": chat.info, "message_ids": [message["message_id"]]}
    return state.bot.queue.add("deleted_business_messages", gone, chat.id)
