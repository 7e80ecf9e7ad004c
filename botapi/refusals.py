"""What each of Telegram's refusals means for a call (pure); docs/telegram-errors.md is the same table for people."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from enum import Enum, auto

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from botapi.errors import Flooded, NoSuchMethod, OtherPoller, Refused, TelegramAway
from botapi.transport import sent
from tasks.errors import CohortError, Misconfigured

# python-telegram-bot's switch to the form it will have in future; without it every flood is a deprecation warning.
os.environ.setdefault("PTB_TIMEDELTA", "true")


class Refusal(Enum):
    """What is done about a refused call."""

    DONE = auto()
    """Nothing: what the call asks for is there already."""
    AGAIN = auto()
    """The fault passes: the same call again, after a pause."""
    FLOOD = auto()
    """The same call again, after the time that Telegram names."""
    NEW = auto()
    """A new message is sent instead of the edit."""
    NOT_RICH = auto()
    """The rich message is refused: the same with entities."""
    PLAIN = auto()
    """The message goes out without formatting."""
    NO_BUTTONS = auto()
    """The message goes out without buttons."""
    NO_REPLY = auto()
    """The message no longer names the one that it answers."""
    NO_TOPIC = auto()
    """The message goes out outside of its topic."""
    LOST_TOPIC = auto()
    """The same, with no reply into the topic: what was said there is gone, too."""
    NO_PHOTO = auto()
    """A picture, sound or film goes out as a document."""
    NO_RIGHT = auto()
    """The chat takes no such files: pictures, sounds and films go out as documents; of documents, a line names them."""
    NO_FILE = auto()
    """The file's text goes out as messages; of any other file, a line that says what is missing."""
    SHORTER = auto()
    """The text goes out in several messages."""
    WORDS = auto()
    """The message goes out with visible words in it."""
    MOVED = auto()
    """The chat has a new id."""
    GONE = auto()
    """This chat never takes the message."""
    OPERATOR = auto()
    """An operator has to put the token right first."""
    UNKNOWN = auto()
    """The refusal is not in the table: nothing but the text is tried once, then the message is given up."""


# What a 400 says (in part, lower case) -> what is done. The first row that fits counts.
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
    ("rich message", Refusal.NOT_RICH),
    ("rich_message", Refusal.NOT_RICH),
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
    ("topic_deleted", Refusal.LOST_TOPIC),
    ("message thread not found", Refusal.LOST_TOPIC),
    ("image_process_failed", Refusal.NO_PHOTO),
    ("photo_invalid_dimensions", Refusal.NO_PHOTO),
    ("photo_save_file_invalid", Refusal.NO_PHOTO),
    ("photo_ext_invalid", Refusal.NO_PHOTO),
    ("photo_invalid", Refusal.NO_PHOTO),
    ("http url", Refusal.NO_PHOTO),
    ("wrong type of the web page content", Refusal.NO_PHOTO),
    ("webpage_curl_failed", Refusal.NO_PHOTO),
    ("webpage_media_empty", Refusal.NO_PHOTO),
    ("too big for a photo", Refusal.NO_PHOTO),
    ("video_file_invalid", Refusal.NO_PHOTO),
    ("video_content_type_invalid", Refusal.NO_PHOTO),
    ("media_invalid", Refusal.NO_PHOTO),
    ("voice_messages_forbidden", Refusal.NO_RIGHT),
    ("chat_send_photos_forbidden", Refusal.NO_RIGHT),
    ("chat_send_videos_forbidden", Refusal.NO_RIGHT),
    ("chat_send_audios_forbidden", Refusal.NO_RIGHT),
    ("chat_send_voices_forbidden", Refusal.NO_RIGHT),
    ("chat_send_gifs_forbidden", Refusal.NO_RIGHT),
    ("chat_send_docs_forbidden", Refusal.NO_RIGHT),
    ("chat_send_media_forbidden", Refusal.NO_RIGHT),
    ("not enough rights to send text", Refusal.GONE),
    ("not enough rights to send", Refusal.NO_RIGHT),
    ("file must be non-empty", Refusal.NO_FILE),
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
    ("have no write access", Refusal.GONE),
    ("need administrator rights", Refusal.GONE),
    ("chat_write_forbidden", Refusal.GONE),
    ("chat_send_plain_forbidden", Refusal.GONE),
    ("chat_restricted", Refusal.GONE),
    ("user_banned_in_channel", Refusal.GONE),
    ("chat_admin_required", Refusal.GONE),
    ("channel_private", Refusal.GONE),
    ("business_connection", Refusal.GONE),
    ("business connection", Refusal.GONE),
    ("business_peer", Refusal.GONE),
    ("payment_required", Refusal.GONE),
)


def classify(error: TelegramError) -> Refusal:
    """What is done about a refused call."""
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
            return next((refusal for phrase, refusal in TABLE if phrase in said), Refusal.UNKNOWN)
        case NetworkError() if "request entity too large" in error.message.lower():
            return Refusal.NO_FILE
        case _:
            return Refusal.AGAIN


def as_ours(error: TelegramError) -> CohortError:
    """A refusal as an error of ours, which says who must act; its text never holds the token or an address."""
    match classify(error):
        case Refusal.FLOOD if isinstance(error, RetryAfter):
            return Flooded("flood", seconds(error))
        case Refusal.OPERATOR:
            # One error for 401 and 404. Telegram's words tell them apart; `do_api_request` hides those in the cause.
            told = error.__cause__ if isinstance(error.__cause__, InvalidToken) else error
            if "unauthorized" in told.message.lower():
                return Misconfigured("TELEGRAM_BOT_TOKEN is wrong: Telegram answered 401")
            return NoSuchMethod("Telegram answered 404")
        case Refusal.AGAIN:
            # The error's own text may hold a URL.
            return OtherPoller(error.message) if isinstance(error, Conflict) else TelegramAway(type(error).__name__)
        case _:
            return Refused(error.message)


@contextmanager
def errors_as_ours() -> Generator[None]:
    """Errors of python-telegram-bot, raised as ours.

    Raises:
        Misconfigured: 401, the token is wrong.
        OtherPoller: 409.
        Flooded: 429.
        Refused: 400, 403, or Telegram made the call but its answer cannot be read.
        TelegramAway: all other faults.
    """
    try:
        yield
    except TelegramError as error:
        raise as_ours(error) from None
    except TimeoutError:
        raise TelegramAway("no answer in time") from None
    except UNREADABLE as problem:
        raise Refused(f"an answer that cannot be read ({type(problem).__name__})") from problem


UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
"""What python-telegram-bot raises when an answer lacks what it expects. Telegram has made such a call."""


def seconds(flood: RetryAfter) -> float:
    """What Telegram asks to wait; python-telegram-bot gives a number or a timedelta, as its environment says."""
    after = flood.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else float(after)


def perhaps_done(error: TelegramError) -> bool:
    """Whether Telegram may have made this call although it failed, because only the answer was lost."""
    if isinstance(error, BadRequest | Forbidden | InvalidToken | RetryAfter | ChatMigrated):
        return False
    return error.__cause__ is not None and sent(error.__cause__)


def said(error: TelegramError) -> str:
    """What may be logged of an error: Telegram's words up to the first that it quotes, else the kind of error."""
    if isinstance(error, BadRequest | Forbidden):
        return error.message.split('"')[0].split(" '")[0]
    return type(error).__name__
