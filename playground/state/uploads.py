"""Attachments: files become the media fields of people's messages."""

from playground import Json
from playground.errors import ControlError
from playground.state.files import Stored, image_size
from playground.state.people import texts
from playground.state.world import State

KINDS = ("photo", "document", "voice", "audio", "video", "video_note", "animation", "sticker")


def media(kind: str, stored: Stored, given: Json) -> Json:
    """The media field of a message.

    Args:
        kind: one of ``KINDS``.
        stored: the file.
        given: further fields (``duration``, ``width``, ``height``).
    """
    base: Json = {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": stored.size}
    if kind == "photo":
        width, height = image_size(stored.data)
        return {"photo": [base | {"width": width, "height": height}]}
    named = base | {"file_name": stored.name, "mime_type": stored.mime}
    duration = int(given.get("duration", 3))
    sides = {"width": int(given.get("width", 640)), "height": int(given.get("height", 480))}
    match kind:
        case "document":
            return {kind: named}
        case "voice":
            return {kind: base | {"duration": duration, "mime_type": stored.mime}}
        case "audio":
            return {kind: named | {"duration": duration}}
        case "video":
            return {kind: named | sides | {"duration": duration}}
        case "animation":
            # Telegram adds the document for apps without animations.
            return {kind: named | sides | {"duration": duration}, "document": named}
        case "video_note":
            return {kind: base | {"length": sides["width"], "duration": duration}}
        case "sticker":
            flags = {"type": "regular", "is_animated": False, "is_video": False}
            return {kind: base | flags | {"width": 512, "height": 512}}
        case _:
            raise ControlError(f"a message holds one of {', '.join(KINDS)}")


def attachment(state: State, given: object) -> Json:
    """The content of a message that a person sends.

    Raises:
        ControlError: it holds neither text nor a file, or the text is too long.
    """
    if not isinstance(given, dict):
        raise ControlError("a message is a JSON object")
    for kind in KINDS:
        if given.get(kind) is not None:
            content = media(kind, state.files.get(str(given[kind])), given)
            caption = str(given.get("caption") or "")
            return content | (texts(caption, caption=True) if caption else {})
    text = given.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ControlError(f"a message needs a text, or one of {', '.join(KINDS)}")
    return texts(text, caption=False, entities=given.get("entities"))
