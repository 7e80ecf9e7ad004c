"""Methods that put something into a chat: sendMessage, sendChatAction, sendMessageDraft."""

from playground import Json
from playground.bot_api.call import ApiCall
from playground.bot_api.methods.markup import inline_keyboard
from playground.errors import bad_request
from playground.state.chats import Chat
from playground.state.posts import post
from playground.state.rights import refused
from playground.state.text import MAX_TEXT, formatted, utf16

_ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)
DRAFT_SECONDS = 30
"""A draft is a preview of this length (Bot API, sendMessageDraft)."""
ACTION_SECONDS = 5
"""A chat action shows for this long at most (Bot API, sendChatAction)."""


def no_parse_mode(call: ApiCall) -> None:
    """The playground supports entities only.

    Raises:
        ApiError: the call wants its text parsed.
    """
    if call.text("parse_mode").lower() not in ("", "none"):
        raise bad_request("the playground parses no text; send entities instead of parse_mode")


def reply_target(call: ApiCall, chat: Chat) -> tuple[Json | None, bool]:
    """The message that is answered, and whether it is named as one of another chat or topic.

    Raises:
        ApiError: it is not there and the call insists on it.
    """
    wanted = call.params.get("reply_parameters")
    if not isinstance(wanted, dict):
        wanted = {
            "message_id": call.number("reply_to_message_id"),
            "allow_sending_without_reply": call.flag("allow_sending_without_reply"),
        }
    try:
        message = chat.messages.get(int(wanted.get("message_id") or 0))
    except (TypeError, ValueError):
        raise bad_request('can\'t parse reply parameters: field "message_id" must be of type Number') from None
    across = wanted.get("chat_id") is not None
    if message is None and wanted.get("message_id") and (across or not wanted.get("allow_sending_without_reply")):
        raise bad_request("message to be replied not found")
    return message, across


def _external(chat: Chat, answered: Json) -> Json:
    """How a reply tells of a message of another topic (Bot API, ExternalReplyInfo)."""
    author, said = answered["from"], answered.get("text") or answered.get("caption") or ""
    origin = {"type": "user", "date": answered["date"], "sender_user": author}
    external: Json = {"origin": origin, "chat": chat.info, "message_id": answered["message_id"]}
    return {"external_reply": external, **({"quote": {"text": said, "position": 0}} if said else {})}


def send(call: ApiCall, chat: Chat, content: Json, *, messages: int = 1) -> Json:
    """Post for the bot: the topic, the answered message and the keyboard are the call's.

    ``messages``: how many count with it; 0: it was counted.
    """
    if (said := refused(content, chat.allowed)) is not None:
        raise bad_request(said)
    answered, across = reply_target(call, chat)
    if across and answered is not None:
        thread = call.thread(chat)
        content |= _external(chat, answered)
        answered = None
    else:
        # A reply goes to the topic of the message that it answers.
        thread = call.thread(chat, answered.get("message_thread_id") if answered is not None else None)
    content |= inline_keyboard(call)
    if messages:
        call.state.flood.check(chat.id, messages)
    message = post(call.state, chat, call.bot.user, content, thread=thread, reply_to=answered)
    call.note = {"message_id": message["message_id"]}
    return message


def send_message(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#sendmessage"""
    no_parse_mode(call)
    raw = call.text("text")
    if not raw:
        raise bad_request("message text is empty")
    chat = call.chat()
    text, entities = formatted(raw, call.params.get("entities"))
    if utf16(text) > MAX_TEXT:
        raise bad_request("message is too long")
    content: Json = {"text": text}
    if entities:
        content["entities"] = entities
    return send(call, chat, content)


def send_chat_action(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#sendchataction"""
    action = call.text("action")
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = call.chat()
    chat.action = {"action": action, "until": call.state.clock.now() + ACTION_SECONDS}
    call.state.events.tell("action", chat=chat.id, thread=call.number("message_thread_id") or None, action=action)
    return True


def send_message_draft(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#sendmessagedraft"""
    no_parse_mode(call)
    chat = call.chat()
    if chat.kind != "private":
        raise bad_request("method is available only for private chats")
    number = call.number("draft_id")
    if not number:
        raise bad_request("RANDOM_ID_INVALID")
    thread = call.thread(chat)
    text, entities = formatted(call.text("text"), call.params.get("entities"), empty=None)
    if utf16(text) > MAX_TEXT:
        raise bad_request("message is too long")
    draft: Json = {
        "draft_id": number,
        "text": text,
        "entities": entities,
        "thread": thread,
        "can_stop": call.flag("can_stop"),
        "keep_on_stop": call.flag("keep_on_stop"),
        "until": call.state.clock.now() + DRAFT_SECONDS,
    }
    chat.drafts = {number: draft}
    call.state.events.tell("draft", chat=chat.id, draft=draft)
    return True
