"""Methods with files: sendDocument, sendPhoto, sendMediaGroup and the like, getFile."""

from typing import Any, cast

from playground import Json
from playground.bot_api.call import ApiCall
from playground.bot_api.methods.sending import no_parse_mode, send
from playground.errors import ApiError, bad_request
from playground.state.files import DOWNLOAD_LIMIT, UPLOAD_LIMIT, Stored
from playground.state.rights import refused
from playground.state.text import MAX_CAPTION, formatted, utf16
from playground.state.uploads import media

PHOTO_LIMIT = 10 * 1024 * 1024
"""Bytes of a photo (Bot API, sendPhoto)."""
_ALBUM = range(2, 11)
_IN_ALBUM = ("photo", "video", "audio", "document")
_FOLDERS = {"photo": "photos", "voice": "voice", "audio": "music", "video": "videos", "animation": "animations"}
_GIF = b"GIF8"
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8", _GIF, b"RIFF")


def _file(call: ApiCall, field: str, named: str) -> Stored:
    """The file that a call brings: uploaded, or known by its id.

    Raises:
        ApiError: there is none, it is empty or too large.
    """
    upload = call.uploads.get(named.removeprefix("attach://") if named.startswith("attach://") else field)
    if upload is not None:
        if not upload.data:
            raise bad_request("file must be non-empty")
        if len(upload.data) > UPLOAD_LIMIT:
            raise ApiError(413, "Request Entity Too Large")
        folder = _FOLDERS.get(field, "documents")
        return call.state.files.add(upload.data, name=upload.name, mime=upload.mime, folder=folder)
    if not named or named.startswith("attach://"):
        raise bad_request(f"there is no {field} in the request")
    if "://" in named:
        # The playground makes no requests to other machines.
        raise bad_request("failed to get HTTP URL content")
    return call.state.files.get(named)


def _caption(said: str, given: object) -> Json:
    text, entities = formatted(said, given, empty=None)
    if utf16(text) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    fields: Json = {"caption": text} if text else {}
    return fields | ({"caption_entities": entities} if entities else {})


def _content(call: ApiCall, field: str, named: str, shown_as: str = "") -> Json:
    """The media field of a message.

    Raises:
        ApiError: the file is not what the field says, or too large.
    """
    stored = _file(call, field, named)
    if field == "photo" and stored.data and not stored.data.startswith(_PICTURES):
        raise bad_request("IMAGE_PROCESS_FAILED")
    if field == "photo" and stored.size > PHOTO_LIMIT:
        size = f'file "{stored.name}" of size {stored.size} bytes is too big for a photo'
        raise bad_request(f"{size}; the maximum size is {PHOTO_LIMIT} bytes")
    return media(shown_as or field, stored, {})


def _send(call: ApiCall, field: str, *, shown_as: str = "") -> Json:
    no_parse_mode(call)
    chat = call.chat()
    caption = _caption(call.text("caption"), call.params.get("caption_entities"))
    return send(call, chat, _content(call, field, call.text(field), shown_as) | caption)


def send_document(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#senddocument"""
    upload = call.uploads.get("document")
    looked_into = upload is not None and not call.flag("disable_content_type_detection")
    # Telegram shows a GIF as what it is, unless it is told not to look.
    moves = looked_into and upload is not None and upload.data.startswith(_GIF)
    return _send(call, "document", shown_as="animation" if moves else "")


def send_photo(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#sendphoto"""
    return _send(call, "photo")


def send_audio(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#sendaudio"""
    return _send(call, "audio")


def send_voice(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#sendvoice"""
    return _send(call, "voice")


def send_video(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#sendvideo"""
    return _send(call, "video")


def send_animation(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#sendanimation"""
    return _send(call, "animation")


def send_media_group(call: ApiCall) -> list[Json]:
    """https://core.telegram.org/bots/api#sendmediagroup"""
    chat = call.chat()
    given: Any = call.params.get("media")
    if not isinstance(given, list) or len(cast("list[Any]", given)) not in _ALBUM:
        raise bad_request("there must be 2 to 10 items in an album")
    items = [item for item in cast("list[Any]", given) if isinstance(item, dict) and item.get("type") in _IN_ALBUM]
    if len(items) != len(cast("list[Any]", given)):
        raise bad_request("can't parse media: unsupported type of an item")
    group = str(call.state.random.randrange(10**16, 10**17))
    # All of them are looked at before the first is sent.
    contents = [
        _content(call, item["type"], str(item.get("media", "")))
        | _caption(str(item.get("caption") or ""), item.get("caption_entities"))
        for item in items
    ]
    for content in contents:
        if (said := refused(content, chat.allowed)) is not None:
            raise bad_request(said)
    counted = [len(contents), *[0] * (len(contents) - 1)]
    sent = [
        send(call, chat, {"media_group_id": group} | content, messages=messages)
        for content, messages in zip(contents, counted, strict=True)
    ]
    call.note = {"message_ids": [message["message_id"] for message in sent]}
    return sent


def get_file(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#getfile"""
    stored = call.state.files.get(call.text("file_id"))
    if stored.size > DOWNLOAD_LIMIT:
        raise bad_request("file is too big")
    return {
        "file_id": stored.file_id,
        "file_unique_id": stored.unique_id,
        "file_size": stored.size,
        "file_path": stored.path,
    }
