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

from botapi.transport import sent


class Refusal(Enum):
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
TABLE: tuple[tuple[str, Refusal], ...] = (
    ("message is not modified", Refusal.DONE),
    ("message to be replied not found", Refusal.NO_REPLY),
    ("message to reply not found", Refusal.NO_REPLY),
    ("replied message not found", Refusal.NO_REPLY),
    ("reply_message_id_invalid", Refusal.NO_REPLY),
    ("message to edit not found", Refusal.NEW),
    ("message can't be edited", Refusal.NEW),
    ("message_id_invalid", Refusal.NEW),
    ("message identifier is not specified", Refusal.NEW),
    ("message_edit_time_expired", Refusal.NEW),
    ("message_author_required", Refusal.NEW),
    ("there is no text in the message to edit", Refusal.NEW),
    ("can't parse entities", Refusal.PLAIN),
    ("can't parse messageentity", Refusal.PLAIN),
    ("entity begins after", Refusal.PLAIN),
    ("entity beginning at", Refusal.PLAIN),
    ("receive an entity with incorrect", Refusal.PLAIN),
    ("entity_", Refusal.PLAIN),
    ("entities_too_long", Refusal.PLAIN),
    ("wrong url", Refusal.PLAIN),
    ("button_data_invalid", Refusal.NO_BUTTONS),
    ("inline keyboard", Refusal.NO_BUTTONS),
    ("reply markup", Refusal.NO_BUTTONS),
    ("reply_markup", Refusal.NO_BUTTONS),
    ("topic_closed", Refusal.NO_TOPIC),
    ("topic_deleted", Refusal.NO_TOPIC),
    ("message thread not found", Refusal.NO_TOPIC),
    ("not enough rights to send documents", Refusal.NO_FILE),
    ("chat_send_docs_forbidden", Refusal.NO_FILE),
    ("file is too big", Refusal.NO_FILE),
    ("message is too long", Refusal.SHORTER),
    ("message_too_long", Refusal.SHORTER),
    ("message caption is too long", Refusal.SHORTER),
    ("media_caption_too_long", Refusal.SHORTER),
    ("message text is empty", Refusal.WORDS),
    ("text must be non-empty", Refusal.WORDS),
    ("message_empty", Refusal.WORDS),
    ("chat not found", Refusal.GONE),
    ("chat_id is empty", Refusal.GONE),
    ("chat_id_invalid", Refusal.GONE),
    ("peer_id_invalid", Refusal.GONE),
    ("user not found", Refusal.GONE),
    ("user_deactivated", Refusal.GONE),
    ("user_is_blocked", Refusal.GONE),
    ("you_blocked_user", Refusal.GONE),
    ("group chat was deactivated", Refusal.GONE),
    ("group is deactivated", Refusal.GONE),
    ("not enough rights", Refusal.GONE),
    ("have no rights to send", Refusal.GONE),
    ("need administrator rights", Refusal.GONE),
    ("chat_write_forbidden", Refusal.GONE),
    ("chat_send_plain_forbidden", Refusal.GONE),
    ("chat_restricted", Refusal.GONE),
    ("chat_admin_required", Refusal.GONE),
    ("channel_private", Refusal.GONE),
    ("business_connection", Refusal.GONE),
    ("business connection", Refusal.GONE),
    ("business_peer", Refusal.GONE),
    ("payment_required", Refusal.GONE),
)


def classify(error: TelegramError) -> Refusal:
    """What to do about a refused call."""
    match error:
        case RetryAfter():
            return Refusal.FLOOD
        case ChatMigrated():
            return Refusal.MOVED
        case InvalidToken() | EndPointNotFound():
            return Refusal.OPERATOR
        case Forbidden():
            return Refusal.GONE
        case BadRequest():
            said = error.message.lower()
            return next((verdict for phrase, verdict in TABLE if phrase in said), Refusal.UNKNOWN)
        case NetworkError() if "request entity too large" in error.message.lower():
            return Refusal.NO_FILE
        case _:
            return Refusal.AGAIN


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
