"""What a Telegram message contains: its text, its files and the message that it answers (pure)."""

from typing import cast

from bot.updates import rich
from bot.updates.markdown import formatted
from bot.updates.models import Answered, Content, Message, Worded
from bot.updates.objects import File, Files
from tasks.envelope import Media, MediaKind

_FILES: tuple[MediaKind, ...] = ("animation", "audio", "document", "sticker", "video", "video_note", "voice")


_MOST = 10
"""Files of a poll, a rich message or the like that are given on: as many as a turn opens."""


def media_of(message: Content) -> tuple[Media, ...]:
    """The message's file, if it has one, of a photo the largest size; those that a poll, a game or the like shows."""
    if own := _file_of(message):
        return own
    found = (
        *(message.poll.shown if message.poll is not None else ()),
        *(one.shown for one in (message.paid_media.paid_media if message.paid_media is not None else ())),
        *((message.game.shown,) if message.game is not None else ()),
    )
    files = [file for holder in found for file in _file_of(holder)]
    if isinstance(message, Worded) and message.rich_message is not None:
        files += (_media(cast("MediaKind", kind), file) for kind, file in rich.files(message.rich_message))
    return tuple(files[:_MOST])


def _file_of(holder: Files) -> tuple[Media, ...]:
    if sizes := holder.sizes:
        return (_media("photo", max(sizes, key=lambda size: (size.width or 0) * (size.height or 0))),)
    for kind in _FILES:
        file: File | None = getattr(holder, kind, None)
        # An animation is there a second time as `document`, for bots that know no animations; it comes first here.
        # A sticker that moves is no picture that a model can see; its emoji says what it says.
        if file is not None and not file.moves:
            return (_media(kind, file),)
    return ()


def _media(kind: MediaKind, file: File) -> Media:
    return Media(
        kind=kind,
        file_id=file.file_id,
        unique_id=file.file_unique_id or "",
        size_bytes=file.file_size,
        mime=file.mime_type,
        name=file.file_name or file.titled,
        duration_s=file.duration,
    )


def text_of(message: Worded) -> str:
    """The message's text or caption, as typed."""
    return message.text or message.caption or ""


def formatted_text_of(message: Worded) -> str:
    """The same with its form as Markdown."""
    if message.text:
        return formatted(message.text, message.entities)
    return formatted(message.caption or "", message.caption_entities)


def answered_by(message: Message) -> Answered | None:
    """The message that this one answers.

    All messages of a topic "answer" the service message that opened the topic; that is no answer. The topic has its
    number, by which it is known where Telegram does not tell what it is.
    """
    answered = message.reply_to_message
    if answered is None or answered.forum_topic_created is not None:
        return None
    return None if message.is_topic_message and answered.message_id == message.message_thread_id else answered


def is_untitled(message: Message) -> bool:
    """Whether it stands in a topic whose name Telegram made up."""
    opened = message.reply_to_message.forum_topic_created if message.reply_to_message is not None else None
    return message.is_topic_message and opened is not None and opened.is_name_implicit
