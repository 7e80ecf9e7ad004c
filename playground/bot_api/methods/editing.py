"""Methods that change or remove what the bot sent."""

from playground import Json, by_bot
from playground.bot_api.call import ApiCall
from playground.bot_api.methods.markup import inline_keyboard
from playground.bot_api.methods.rich import rich_content
from playground.bot_api.methods.sending import no_parse_mode
from playground.errors import ApiError, bad_request
from playground.state.chats import Chat
from playground.state.posts import remove, replace
from playground.state.text import MAX_TEXT, formatted, utf16

_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content"
    " and reply markup of the message"
)
_WORDS = ("text", "entities", "rich_message")
_TWO_DAYS = 48 * 3600
"""Seconds after which a message cannot be deleted (Bot API, deleteMessage)."""


def _own(call: ApiCall, chat: Chat) -> Json:
    """The bot's message that is to be edited.

    Raises:
        ApiError: it does not exist, or is not the bot's.
    """
    message = chat.messages.get(call.number("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if not by_bot(message):
        raise bad_request("message can't be edited")
    return message


def _named(call: ApiCall) -> tuple[Chat, Json]:
    """The message that is to be edited: by its chat and number, or as an inline one.

    Raises:
        ApiError: it does not exist, or is not the bot's.
    """
    if inline := call.text("inline_message_id"):
        return call.state.elsewhere.message(inline)
    chat = call.chat()
    return chat, _own(call, chat)


def _told(call: ApiCall, message: Json) -> Json | bool:
    """Of an inline message the bot sees nothing."""
    return True if call.text("inline_message_id") else message


def _same(message: Json, fields: Json, names: tuple[str, ...]) -> bool:
    return all(message.get(name) == fields.get(name) for name in names)


def _edit(call: ApiCall, chat: Chat, message: Json, fields: Json, names: tuple[str, ...]) -> Json:
    """``names`` are the fields that the method sets, or removes where ``fields`` lacks them."""
    fields |= inline_keyboard(call)
    names += ("reply_markup",)
    if not chat.allowed["can_send_messages"]:
        raise ApiError(403, "Forbidden: CHAT_WRITE_FORBIDDEN")
    # An identical edit counts against the flood limit like any other.
    call.state.flood.check(chat.id)
    if _same(message, fields, names):
        raise bad_request(_NOT_MODIFIED)
    message = replace(call.state, chat, message, {"edit_date": call.state.now()} | fields, drop=names)
    call.note = {"message_id": message["message_id"]}
    return message


def edit_message_text(call: ApiCall) -> Json | bool:
    """https://core.telegram.org/bots/api#editmessagetext"""
    no_parse_mode(call)
    rich = rich_content(call) if "rich_message" in call.params else None
    raw = call.text("text")
    if rich is None and not raw:
        raise bad_request("message text is empty")
    chat, message = _named(call)
    if "text" not in message and "rich_message" not in message:
        raise bad_request("there is no text in the message to edit")
    if rich is not None:
        return _told(call, _edit(call, chat, message, rich, _WORDS))
    text, entities = formatted(raw, call.params.get("entities"))
    if utf16(text) > MAX_TEXT:
        raise bad_request("MESSAGE_TOO_LONG")
    fields: Json = {"text": text}
    if entities:
        fields["entities"] = entities
    return _told(call, _edit(call, chat, message, fields, _WORDS))


def edit_message_reply_markup(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#editmessagereplymarkup"""
    chat = call.chat()
    return _edit(call, chat, _own(call, chat), {}, ())


def delete_message(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#deletemessage"""
    chat = call.chat()
    message = chat.messages.get(call.number("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    own = message["from"]["id"] == call.bot.id
    if not own and chat.kind != "private" and chat.bot_status != "administrator":
        raise bad_request("message can't be deleted")
    if call.state.now() - message["date"] > _TWO_DAYS:
        raise bad_request("message can't be deleted")
    remove(call.state, chat, message["message_id"])
    return True
