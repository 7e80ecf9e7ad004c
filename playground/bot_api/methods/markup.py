"""Inline keyboards: checked as far as people can press them here."""

from playground import Json
from playground.bot_api.call import ApiCall
from playground.errors import bad_request

MAX_DATA = 64
"""Bytes of a button's callback data (Bot API, InlineKeyboardButton)."""
_KINDS = frozenset(
    [
        "url",
        "callback_data",
        "web_app",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "copy_text",
        "callback_game",
        "pay",
        "disabled",
    ]
)


def inline_keyboard(call: ApiCall) -> Json:
    """The ``reply_markup`` field of the message; empty when there is none, or one that shows nothing in a message.

    Raises:
        ApiError: it is malformed.
    """
    markup = call.params.get("reply_markup")
    if markup is None or markup == "":
        return {}
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        return {}
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" must be an Array of Arrays')
    for row in rows:
        for button in row:
            _check(button)
    kept = [row for row in rows if row]
    return {"reply_markup": {"inline_keyboard": kept}} if kept else {}


def _check(button: object) -> None:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    if not isinstance(button.get("text"), str) or not button["text"]:
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    if not _KINDS & button.keys():
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= MAX_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
