"""The Bot API methods that the playground knows, by group."""

from collections.abc import Callable
from typing import Any

from playground.bot_api.call import ApiCall
from playground.bot_api.methods import account, business, chats, editing, elsewhere, files, rich, sending, webhooks

type Method = Callable[[ApiCall], Any]

_METHODS: dict[str, Method] = {
    "getMe": account.get_me,
    "setMyCommands": account.set_my_commands,
    "getMyCommands": account.get_my_commands,
    "deleteMyCommands": account.delete_my_commands,
    "setMyDescription": account.set_my_description,
    "getMyDescription": account.get_my_description,
    "setMyShortDescription": account.set_my_short_description,
    "getMyShortDescription": account.get_my_short_description,
    "setWebhook": webhooks.set_webhook,
    "deleteWebhook": webhooks.delete_webhook,
    "getWebhookInfo": webhooks.get_webhook_info,
    "close": account.leave_server,
    "logOut": account.leave_server,
    "sendMessage": sending.send_message,
    "sendChatAction": sending.send_chat_action,
    "sendMessageDraft": sending.send_message_draft,
    "sendRichMessage": rich.send_rich_message,
    "sendDocument": files.send_document,
    "sendPhoto": files.send_photo,
    "sendAudio": files.send_audio,
    "sendVoice": files.send_voice,
    "sendVideo": files.send_video,
    "sendAnimation": files.send_animation,
    "sendMediaGroup": files.send_media_group,
    "getFile": files.get_file,
    "getChat": chats.get_chat,
    "getChatAdministrators": chats.get_chat_administrators,
    "answerCallbackQuery": chats.answer_callback_query,
    "editForumTopic": chats.edit_forum_topic,
    "setMessageReaction": chats.set_message_reaction,
    "editMessageText": editing.edit_message_text,
    "editMessageReplyMarkup": editing.edit_message_reply_markup,
    "deleteMessage": editing.delete_message,
    "getBusinessConnection": business.get_business_connection,
    "readBusinessMessage": business.read_business_message,
    "deleteBusinessMessages": business.delete_business_messages,
    "answerInlineQuery": elsewhere.answer_inline_query,
    "answerGuestQuery": elsewhere.answer_guest_query,
}

METHODS: dict[str, tuple[str, Method]] = {name.lower(): (name, method) for name, method in _METHODS.items()}
"""Lower-case name -> (name as documented, what it does). The Bot API takes names in any case."""
