"""What members of a group may send (Bot API, ChatPermissions), and what Telegram says where they may not."""

from collections.abc import Mapping

from playground import Json
from playground.errors import ControlError

RIGHTS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
    "can_react_to_messages",
    "can_edit_tag",
)
ALL: dict[str, bool] = dict.fromkeys(RIGHTS, True)
_OF_ADMINS = (
    "can_be_edited is_anonymous can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members"
    " can_promote_members can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories"
    " can_send_welcome_messages"
)
# What a message has -> the right that it takes, and what TDLib calls such messages.
_TAKES = {
    "animation": ("can_send_other_messages", "animations"),
    "audio": ("can_send_audios", "music"),
    "document": ("can_send_documents", "documents"),
    "photo": ("can_send_photos", "photos"),
    "rich_message": ("can_send_messages", "the rich message"),
    "text": ("can_send_messages", "text messages"),
    "video": ("can_send_videos", "videos"),
    "voice": ("can_send_voice_notes", "voice notes"),
}


def changed(rights: Mapping[str, bool], given: object) -> dict[str, bool]:
    """Rights with some of them given or taken.

    Raises:
        ControlError: there is no such right.
    """
    if not isinstance(given, dict):
        raise ControlError("rights is an object of names and true or false")
    wanted = {str(name): bool(value) for name, value in given.items()}
    if unknown := sorted(wanted.keys() - ALL.keys()):
        raise ControlError(f"no right is called {', '.join(unknown)}; there are {', '.join(RIGHTS)}")
    return {**rights, **wanted}


def refused(content: Json, rights: Mapping[str, bool]) -> str | None:
    """What the rights lack for a message, as TDLib says it; None where they allow it."""
    # An animation has a document, too.
    takes = next((takes for kind, takes in _TAKES.items() if kind in content), None)
    return f"not enough rights to send {takes[1]} to the chat" if takes and not rights[takes[0]] else None


def administrator(user: Json) -> Json:
    """A person, or the bot, who is an admin without a further right."""
    return (
        {"status": "administrator", "user": user} | dict.fromkeys(_OF_ADMINS.split(), False) | {"can_manage_chat": True}
    )
