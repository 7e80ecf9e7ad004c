"""Methods about business accounts: getBusinessConnection, readBusinessMessage, deleteBusinessMessages."""

from playground import Json, by_bot
from playground.bot_api.call import ApiCall
from playground.errors import bad_request
from playground.state.posts import remove

_MOST = 100
"""Messages that one call deletes (Bot API, deleteBusinessMessages)."""


def get_business_connection(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#getbusinessconnection"""
    return call.state.business.named(call.text("business_connection_id")).wire()


def read_business_message(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#readbusinessmessage; the page shows nothing of it."""
    connection = call.state.business.named(call.text("business_connection_id"))
    connection.needs("can_read_messages")
    if call.number("message_id") not in connection.chat_with(call.chat_id(), call.state.now()).messages:
        raise bad_request("MESSAGE_ID_INVALID")
    return True


def delete_business_messages(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#deletebusinessmessages; all of one chat."""
    connection = call.state.business.named(call.text("business_connection_id"))
    numbers = call.params.get("message_ids")
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= _MOST:
        raise bad_request("message identifiers are not specified")
    connection.needs("can_delete_sent_messages", "can_delete_all_messages")
    found = [(chat, number) for chat in connection.chats.values() for number in numbers if number in chat.messages]
    if any(chat is not found[0][0] for chat, _ in found):
        raise bad_request("all messages must be of one chat")
    if not all(by_bot(chat.messages[number]) for chat, number in found):
        connection.needs("can_delete_all_messages")
    for chat, number in found:
        remove(call.state, chat, number)
    return True
