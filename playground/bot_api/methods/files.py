"""Methods with files: sendDocument, sendPhoto, getFile."""

from playground import Json
from playground.bot_api.call import ApiCall
from playground.bot_api.methods.sending import no_parse_mode, send
from playground.errors import ApiError, bad_request
from playground.state.files import DOWNLOAD_LIMIT, UPLOAD_LIMIT, Stored
from playground.state.text import MAX_CAPTION, formatted, utf16
from playground.state.uploads import media

PHOTO_LIMIT = 10 * 1024 * 1024
"""Bytes of a photo (Bot API, sendPhoto)."""
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"GIF8", b"RIFF")


def _file(call: ApiCall, field: str) -> Stored:
    """The file that a call brings: uploaded, or known by its id.

    Raises:
        ApiError: there is none, it is empty or too large.
    """
    named = call.text(field)
    upload = call.uploads.get(named.removeprefix("attach://") if named.startswith("attach://") else field)
    if upload is not None:
        if not upload.data:
            raise bad_request("file must be non-empty")
        if len(upload.data) > UPLOAD_LIMIT:
            raise ApiError(413, "Request Entity Too Large")
        folder = "photos" if field == "photo" else "documents"
        return call.state.files.add(upload.data, name=upload.name, mime=upload.mime, folder=folder)
    if not named or named.startswith("attach://"):
        raise bad_request(f"there is no {field} in the request")
    if "://" in named:
        # The playground makes no requests to other machines.
        raise bad_request("failed to get HTTP URL content")
    return call.state.files.get(named)


def _caption(call: ApiCall) -> Json:
    no_parse_mode(call)
    text, entities = formatted(call.text("caption"), call.params.get("caption_entities"), empty=None)
    if utf16(text) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    fields: Json = {"caption": text} if text else {}
    return fields | ({"caption_entities": entities} if entities else {})


def _send(call: ApiCall, field: str) -> Json:
    chat = call.chat()
    caption = _caption(call)
    stored = _file(call, field)
    if field == "photo" and stored.data and not stored.data.startswith(_PICTURES):
        raise bad_request("IMAGE_PROCESS_FAILED")
    if field == "photo" and stored.size > PHOTO_LIMIT:
        size = f'file "{stored.name}" of size {stored.size} bytes is too big for a photo'
        raise bad_request(f"{size}; the maximum size is {PHOTO_LIMIT} bytes")
    return send(call, chat, media(field, stored, {}) | caption)


def send_document(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#senddocument"""
    return _send(call, "document")


def send_photo(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#sendphoto"""
    return _send(call, "photo")


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
