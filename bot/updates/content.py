"""What a Telegram message contains: its text, files, quoted text, and words for what is neither (pure)."""

from collections.abc import Callable
from typing import cast

from bot.updates import rich
from bot.updates.raw import Json, clean, hint, hint_number, maybe_part, maybe_text, parts, text
from tasks.envelope import Media, MediaKind

QUOTE_CHARACTERS = 2000
"""More of a quoted message is seldom what is asked about, and it would stand in the history for ever."""

_FILES: tuple[MediaKind, ...] = ("animation", "audio", "document", "sticker", "video", "video_note", "voice")

_SERVICE = """
    new_chat_members left_chat_member chat_owner_left chat_owner_changed new_chat_title new_chat_photo delete_chat_photo
    group_chat_created supergroup_chat_created channel_chat_created message_auto_delete_timer_changed pinned_message
    invoice successful_payment refunded_payment users_shared chat_shared user_shared gift unique_gift gift_upgrade_sent
    connected_website write_access_allowed passport_data proximity_alert_triggered boost_added chat_background_set
    checklist_tasks_done checklist_tasks_added direct_message_price_changed forum_topic_created forum_topic_edited
    forum_topic_closed forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden giveaway_created
    giveaway giveaway_winners giveaway_completed managed_bot_created paid_message_price_changed poll_option_added
    poll_option_deleted suggested_post_approved suggested_post_approval_failed suggested_post_declined
    suggested_post_paid suggested_post_refunded video_chat_scheduled video_chat_started video_chat_ended
    video_chat_participants_invited web_app_data community_chat_added community_chat_removed community_chat_joined
"""
SERVICE = frozenset(_SERVICE.split())
"""Fields of ``Message`` (Bot API 10.3) that tell of an event in the chat; such a message holds no words."""


def media_of(message: Json) -> tuple[Media, ...]:
    """The message's file, if it has one; of a photo the largest size.

    Raises:
        Malformed: it has one, without an id.
    """
    sizes = parts(message, "photo")
    if sizes:
        best = max(sizes, key=lambda size: (hint_number(size, "width") or 0) * (hint_number(size, "height") or 0))
        return (_media("photo", best),)
    for kind in _FILES:
        file = maybe_part(message, kind)
        # An animation is there a second time as `document`, for bots that know no animations; it comes first here.
        if file is not None:
            return (_media(kind, file),)
    return ()


def _media(kind: MediaKind, file: Json) -> Media:
    return Media(
        kind=kind,
        file_id=text(file, "file_id"),
        unique_id=hint(file, "file_unique_id") or "",
        size_bytes=hint_number(file, "file_size"),
        mime=hint(file, "mime_type"),
        name=hint(file, "file_name"),
        duration_s=hint_number(file, "duration"),
    )


def text_of(message: Json) -> str:
    """The message's text or caption, as typed.

    Raises:
        Malformed: it is no text.
    """
    return maybe_text(message, "text") or maybe_text(message, "caption") or ""


def quote_of(message: Json) -> str | None:
    """The text that the message answers: the part its author marked, else the whole; None when there is none."""
    marked = maybe_part(message, "quote")
    if marked is not None and (words := hint(marked, "text")):
        return words[:QUOTE_CHARACTERS]
    answered = answered_by(message)
    if answered is None:
        return None
    words = hint(answered, "text") or hint(answered, "caption") or describe(answered)
    return words[:QUOTE_CHARACTERS] if words else None


def answered_by(message: Json) -> Json | None:
    """The message that this one answers.

    All messages of a topic "answer" the service message that opened the topic; that is no answer.
    """
    answered = maybe_part(message, "reply_to_message")
    return None if answered is None or "forum_topic_created" in answered else answered


def describe(message: Json) -> str:
    """Words for what is neither text nor file; empty when there is nothing of the kind that we know."""
    for kind, words in _WORDS.items():
        found = message.get(kind)
        if isinstance(found, dict):
            return words(cast("Json", found))
    return next((f"[{words}]" for kind, words in _OPAQUE.items() if kind in message), "")


def _location(of: Json) -> str:
    where = f"{_plain(of, 'latitude')}, {_plain(of, 'longitude')}"
    return f"[live location: {where}]" if of.get("live_period") else f"[location: {where}]"


def _venue(of: Json) -> str:
    place = maybe_part(of, "location") or {}
    named = ", ".join(words for words in (hint(of, "title"), hint(of, "address")) if words)
    return f"[place: {named} ({_plain(place, 'latitude')}, {_plain(place, 'longitude')})]"


def _contact(of: Json) -> str:
    name = " ".join(words for words in (hint(of, "first_name"), hint(of, "last_name")) if words)
    return f"[contact: {name}, {_plain(of, 'phone_number')}]"


def _poll(of: Json) -> str:
    options = "".join(f"\n- {hint(option, 'text') or ''}" for option in parts(of, "options"))
    return f"[poll: {hint(of, 'question') or ''}{options}]"


def _checklist(of: Json) -> str:
    tasks = "".join(
        f"\n- [{'x' if task.get('completion_date') else ' '}] {hint(task, 'text') or ''}" for task in parts(of, "tasks")
    )
    return f"[checklist: {hint(of, 'title') or ''}{tasks}]"


def _plain(of: Json, name: str) -> str:
    found = of.get(name)
    return clean(str(found)) if isinstance(found, str | int | float) else "?"


def _dice(of: Json) -> str:
    return f"[{_plain(of, 'emoji')} shows {_plain(of, 'value')}]"


def _game(of: Json) -> str:
    return f"[game: {_plain(of, 'title')}]"


def _sticker(of: Json) -> str:
    return f"[sticker: {_plain(of, 'emoji')}]"


_WORDS: dict[str, Callable[[Json], str]] = {
    "venue": _venue,
    "location": _location,
    "contact": _contact,
    "poll": _poll,
    "dice": _dice,
    "checklist": _checklist,
    "rich_message": rich.plain,
    "game": _game,
    "sticker": _sticker,
}
"""Venue before location: a venue comes with its location a second time."""

_OPAQUE = {"story": "a story", "paid_media": "paid media"}
"""What bots may know of, but not see."""
