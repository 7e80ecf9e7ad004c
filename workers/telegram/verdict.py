"""What each of Telegram's refusals means for a message (pure); docs/telegram-errors.md is the same table for people."""

from enum import Enum, auto

from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from botapi.http import sent


class Verdict(Enum):
    """What to do."""

    DONE = auto()
    """It is there already."""
    AGAIN = auto()
    """A passing fault: the same again, after a pause."""
    FLOOD = auto()
    """The same again, when Telegram says."""
    NEW = auto()
    """Send a new message instead of the edit."""
    PLAIN = auto()
    """Without formatting."""
    NO_BUTTONS = auto()
    """Without buttons."""
    NO_REPLY = auto()
    """Without saying which message it answers."""
    NO_TOPIC = auto()
    """Outside of its topic."""
    NO_FILE = auto()
    """The file's text as messages."""
    SHORTER = auto()
    """In several messages."""
    WORDS = auto()
    """With something visible in it."""
    MOVED = auto()
    """The chat has a new id."""
    GONE = auto()
    """Never, in this chat."""
    OPERATOR = auto()
    """Not before an operator puts the token right."""
    UNKNOWN = auto()
    """A refusal that is not in the table: as bare as possible, then never."""


# What a 400 says (in part, lower case) -> what to do. The first that fits counts.
TABLE: tuple[tuple[str, Verdict], ...] = (
    ("message is not modified", Verdict.DONE),
    ("message to be replied not found", Verdict.NO_REPLY),
    ("message to reply not found", Verdict.NO_REPLY),
    ("replied message not found", Verdict.NO_REPLY),
    ("reply_message_id_invalid", Verdict.NO_REPLY),
    ("message to edit not found", Verdict.NEW),
    ("message can't be edited", Verdict.NEW),
    ("message_id_invalid", Verdict.NEW),
    ("message identifier is not specified", Verdict.NEW),
    ("message_edit_time_expired", Verdict.NEW),
    ("message_author_required", Verdict.NEW),
    ("there is no text in the message to edit", Verdict.NEW),
    ("can't parse entities", Verdict.PLAIN),
    ("can't parse messageentity", Verdict.PLAIN),
    ("entity begins after", Verdict.PLAIN),
    ("entity beginning at", Verdict.PLAIN),
    ("receive an entity with incorrect", Verdict.PLAIN),
    ("entity_", Verdict.PLAIN),
    ("entities_too_long", Verdict.PLAIN),
    ("wrong url", Verdict.PLAIN),
    ("button_data_invalid", Verdict.NO_BUTTONS),
    ("inline keyboard", Verdict.NO_BUTTONS),
    ("reply markup", Verdict.NO_BUTTONS),
    ("reply_markup", Verdict.NO_BUTTONS),
    ("topic_closed", Verdict.NO_TOPIC),
    ("topic_deleted", Verdict.NO_TOPIC),
    ("message thread not found", Verdict.NO_TOPIC),
    ("not enough rights to send documents", Verdict.NO_FILE),
    ("chat_send_docs_forbidden", Verdict.NO_FILE),
    ("file is too big", Verdict.NO_FILE),
    ("message is too long", Verdict.SHORTER),
    ("message_too_long", Verdict.SHORTER),
    ("message caption is too long", Verdict.SHORTER),
    ("media_caption_too_long", Verdict.SHORTER),
    ("message text is empty", Verdict.WORDS),
    ("text must be non-empty", Verdict.WORDS),
    ("message_empty", Verdict.WORDS),
    ("chat not found", Verdict.GONE),
    ("chat_id is empty", Verdict.GONE),
    ("chat_id_invalid", Verdict.GONE),
    ("peer_id_invalid", Verdict.GONE),
    ("user not found", Verdict.GONE),
    ("user_deactivated", Verdict.GONE),
    ("user_is_blocked", Verdict.GONE),
    ("you_blocked_user", Verdict.GONE),
    ("group chat was deactivated", Verdict.GONE),
    ("group is deactivated", Verdict.GONE),
    ("not enough rights", Verdict.GONE),
    ("have no rights to send", Verdict.GONE),
    ("need administrator rights", Verdict.GONE),
    ("chat_write_forbidden", Verdict.GONE),
    ("chat_send_plain_forbidden", Verdict.GONE),
    ("chat_restricted", Verdict.GONE),
    ("chat_admin_required", Verdict.GONE),
    ("channel_private", Verdict.GONE),
    ("business_connection", Verdict.GONE),
    ("business connection", Verdict.GONE),
    ("business_peer", Verdict.GONE),
    ("payment_required", Verdict.GONE),
)


def judge(error: TelegramError) -> Verdict:
    """What to do about a refused call."""
    match error:
        case RetryAfter():
            return Verdict.FLOOD
        case ChatMigrated():
            return Verdict.MOVED
        case InvalidToken() | EndPointNotFound():
            return Verdict.OPERATOR
        case Forbidden():
            return Verdict.GONE
        case BadRequest():
            said = error.message.lower()
            return next((verdict for phrase, verdict in TABLE if phrase in said), Verdict.UNKNOWN)
        case NetworkError() if "request entity too large" in error.message.lower():
            return Verdict.NO_FILE
        case _:
            return Verdict.AGAIN


def perhaps_done(error: TelegramError) -> bool:
    """Whether Telegram may have done what this call asked, although it failed: the answer was lost."""
    if isinstance(error, BadRequest | Forbidden | InvalidToken | RetryAfter | ChatMigrated):
        return False
    return error.__cause__ is not None and sent(error.__cause__)


def said(error: TelegramError) -> str:
    """What may be logged of it: Telegram's words up to the first that it quotes, else the kind of error."""
    if isinstance(error, BadRequest | Forbidden):
        return error.message.split('"')[0].split(" '")[0]
    return type(error).__name__
