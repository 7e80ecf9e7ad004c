"""Methods that answer queries from chats that are not the bot's own."""

from typing import cast

from playground import Json
from playground.bot_api.call import ApiCall
from playground.errors import bad_request
from playground.state.inline import placed
from playground.state.text import MAX_TEXT, utf16

_MOST_RESULTS = 50


def _checked(result: object) -> Json:
    """A result that this server can place: an article with words.

    Raises:
        ApiError: it is another one.
    """
    found = cast("Json", result) if isinstance(result, dict) else {}
    words = found.get("input_message_content")
    text = cast("Json", words).get("message_text") if isinstance(words, dict) else None
    if found.get("type") != "article" or not found.get("id") or not found.get("title") or not isinstance(text, str):
        raise bad_request("can't parse inline query result: an article with a text is supported")
    if not text.strip():
        raise bad_request("message text is empty")
    if utf16(text) > MAX_TEXT:
        raise bad_request("MESSAGE_TOO_LONG")
    return found


def answer_inline_query(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#answerinlinequery"""
    query = call.state.elsewhere.query(call.text("inline_query_id"))
    given = call.params.get("results", [])
    if not isinstance(given, list) or len(given) > _MOST_RESULTS:
        raise bad_request("can't parse inline query results")
    query.results = [_checked(result) for result in given]
    query.wakeup.wake_all()
    return True


def answer_guest_query(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#answerguestquery"""
    query = call.state.elsewhere.query(call.text("guest_query_id"))
    if query.summons is None:
        raise bad_request("GUEST_QUERY_INVALID")
    result = _checked(call.params.get("result"))
    query.results = [result]
    _, inline = placed(call.state, query, result, call.bot.user)
    query.wakeup.wake_all()
    return {"inline_message_id": inline}
