"""What kind of file something is: by its content, by its name, and last by what the sender's app says (pure)."""

import mimetypes
import re
from collections.abc import Callable
from pathlib import Path

from tasks.envelope import Media
from tasks.phrases import phrase, sentences
from workers.runtime.conversation.text_encoding import is_binary, reads_as_text

UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
HEAD_BYTES = 8192
"""The beginning of a file, by which its kind is told."""

_DEFAULT_MIME = {
    "photo": "image/jpeg",
    "sticker": "image/webp",
    "voice": "audio/ogg",
    "audio": "audio/mpeg",
    "video": "video/mp4",
    "video_note": "video/mp4",
    "animation": "video/mp4",
}
_RECORDINGS = frozenset({"voice", "audio", "video_note"})
_SUFFIXES = """
    .cfg .conf .csv .env .go .ini .java .js .json .jsonl .kt .log .lua .md .php .properties .py .rb .rs .rst .sh .sql
    .srt .tex .toml .ts .tsv .txt .vtt .xml .yaml .yml
"""
_TEXT_SUFFIXES = frozenset(_SUFFIXES.split())
"""What the system's table of types does not know everywhere."""
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
ZIP = "application/zip"
DOCUMENT_MIMES = {
    **dict.fromkeys((".docx", ".docm", ".dotx"), f"{_OFFICE}wordprocessingml.document"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx"), f"{_OFFICE}spreadsheetml.sheet"),
    **dict.fromkeys((".pptx", ".pptm", ".ppsx"), f"{_OFFICE}presentationml.presentation"),
    ".epub": "application/epub+zip",
    ".odt": f"{_OPEN}text",
    ".ods": f"{_OPEN}spreadsheet",
    ".odp": f"{_OPEN}presentation",
    ".rtf": "application/rtf",
    ".eml": "message/rfc822",
    ".ipynb": "application/x-ipynb+json",
    ".zip": ZIP,
}
"""The files that are read without their model's help; systems differ in which of them they know."""
_SAME_MIME = {
    "audio/opus": "audio/ogg",
    "application/ogg": "audio/ogg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/mp4a-latm": "audio/mp4",
    "audio/x-flac": "audio/flac",
    "text/rtf": "application/rtf",
    "application/x-zip-compressed": ZIP,
}
"""Names that senders give what Telegram's own apps call differently."""
_DRAWING = "image/svg+xml"
"""A picture that is text."""
_MIME = re.compile(r"[a-z0-9][a-z0-9.+_-]{0,63}/[a-z0-9][a-z0-9.+_-]{0,99}")
"""A MIME type. The sender's app chooses it, so it may be any text."""
_TEXT_MIME = frozenset({"application/json", "application/xml", "application/x-yaml", "application/javascript"})

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftyphev", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"%PDF", "application/pdf"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"PK\3\4", ZIP),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xfa", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf2", "audio/mpeg"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\xff\xf9", "audio/aac"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"fLaC", "audio/flac"),
    (8, b"WAVE", "audio/wav"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
)
"""(offset, bytes, type) of what models read, and of what phones send in its place. The first that fits holds.

The kept library puremagic takes 0.9 ms a file and takes AVIF for a video and any ZIP for a Word document.
"""
_CONTAINERS: dict[str, frozenset[str]] = {
    "video/mp4": frozenset({"mp4", "x-m4v", "3gpp", "3gpp2", "quicktime"}),
    "video/webm": frozenset({"webm", "x-matroska"}),
    "audio/ogg": frozenset({"ogg"}),
}
"""Formats that hold sound as well as pictures: which, the name or the app says, if it means this format."""

_BINARIES = """
    pdf zip gzip x-gzip x-tar x-bzip2 x-xz x-7z-compressed x-rar-compressed vnd.rar zstd java-archive x-msdownload
    vnd.android.package-archive x-apple-diskimage x-iso9660-image vnd.debian.binary-package x-sqlite3 vnd.sqlite3 msword
    vnd.ms-excel vnd.ms-powerpoint vnd.ms-outlook wasm x-shockwave-flash x-bittorrent
"""
"""Types that are never text, so that no file of them is fetched in vain."""
_NAMES = {
    "image/heic": "HEIC",
    "image/heif": "HEIC",
    "image/avif": "AVIF",
    "image/tiff": "TIFF",
    "image/bmp": "BMP",
    _DRAWING: "SVG",
    "image/gif": "GIF",
    "image/webp": "WebP",
    "audio/ogg": "OGG",
    "audio/mp4": "M4A",
    "audio/flac": "FLAC",
    "video/quicktime": "MOV",
    "video/webm": "WebM",
    "application/pdf": "PDF",
    "application/zip": "ZIP",
    "application/epub+zip": "EPUB",
    "application/msword": "DOC",
    "application/vnd.ms-excel": "XLS",
    "application/vnd.ms-powerpoint": "PPT",
}
_PACKED = frozenset({*DOCUMENT_MIMES.values(), *(f"application/{name}" for name in _BINARIES.split())})
_COMMON = {"image": ("image/jpeg", "image/png"), "audio": ("audio/mpeg", "audio/wav"), "video": ("video/mp4",)}
"""A model that reads one of these reads the kind, though perhaps not this format of it."""


def is_text(mime: str) -> bool:
    """Whether a file of this type reaches the model as text."""
    return mime.startswith("text/") or mime in _TEXT_MIME


def may_be_text(mime: str) -> bool:
    """Whether a file of this type is opened to see what it is: names and apps call many texts ``application/...``."""
    kind = mime.partition("/")[0]
    return mime == _DRAWING or (kind in ("application", "message", "model", "x-world") and mime not in _PACKED)


def is_recording(media: Media, mime: str) -> bool:
    """Whether a file is there for what is said in it."""
    return media.kind in _RECORDINGS or mime.startswith("audio/")


def mime_of(media: Media) -> str:
    """The type that a file has by its name, else by what the sender's app says, else by its kind."""
    name = (media.name or "").lower()
    suffix = Path(name).suffix
    if suffix in _TEXT_SUFFIXES:
        return TEXT
    guess = DOCUMENT_MIMES.get(suffix) or mimetypes.guess_type(name)[0]
    # "audio/ogg; codecs=opus" is audio/ogg, too.
    said = (media.mime or "").partition(";")[0].strip().lower()
    said = said if _MIME.fullmatch(said) and said != UNKNOWN else ""
    found = guess or said or _DEFAULT_MIME.get(media.kind, UNKNOWN)
    return _SAME_MIME.get(found, found)


def mime_by_content(head: bytes, told: str) -> str:
    """The type that a file has by its content.

    Args:
        head: Its first ``HEAD_BYTES``.
        told: What its name or its sender's app says.
    """
    found = next((mime for place, mark, mime in _SIGNATURES if head[place : place + len(mark)] == mark), None)
    if found == ZIP and told.startswith("application/") and told not in (UNKNOWN, "application/pdf"):
        # Of what it is an archive, the name says.
        return told
    if found not in ("application/pdf", "application/rtf") and is_text(told) and b"\0" not in head:
        # "BMW is a car" begins like a picture, and "ID3 tags" like a song.
        return told
    if found is not None:
        return _in_container(found, told)
    if is_text(told):
        return UNKNOWN if is_binary(head) else told
    return TEXT if may_be_text(told) and head and reads_as_text(head) else told


def _in_container(found: str, told: str) -> str:
    """A type by content; of one that holds sound or pictures, the one that name or app tell."""
    kind, _, form = told.partition("/")
    if found not in _CONTAINERS or kind not in ("audio", "video"):
        return found
    return told if form in _CONTAINERS[found] else f"{kind}/{found.partition('/')[2]}"


_INSTEAD: dict[str, tuple[str, ...]] = {
    "image": ("JPEG", "PNG"),
    "audio": ("MP3", "WAV"),
    "video": ("MP4",),
    "application/msword": ("DOCX",),
    "application/vnd.ms-excel": ("XLSX",),
    "application/vnd.ms-powerpoint": ("PPTX",),
}


def cannot(media: Media, mime: str, reads: Callable[[str], bool]) -> str:
    """Tell the user what the model does not read: this format, and which it does; or anything of its kind."""
    kind = mime.partition("/")[0]
    if kind in _COMMON and not any(map(reads, _COMMON[kind])):
        match kind:
            case "image":
                return phrase("cannot-image")
            case "audio":
                return phrase("cannot-voice") if media.kind == "voice" else phrase("cannot-audio")
            case _:
                return phrase("cannot-video")
    if media.kind == "voice":
        # "OGG" means nothing to a person who held a button and spoke.
        said = phrase("cannot-voice")
    else:
        said = phrase("cannot-format", format=_NAMES[mime]) if mime in _NAMES else _unnamed(kind)
    instead = _INSTEAD.get(mime) or _INSTEAD.get(kind)
    if not instead:
        return said
    either = phrase("send-as-either", first=instead[0], second=instead[1]) if instead[1:] else ""
    return sentences(said, either or phrase("send-as", format=instead[0]))


def _unnamed(kind: str) -> str:
    match kind:
        case "image":
            return phrase("cannot-image-kind")
        case "audio":
            return phrase("cannot-audio-kind")
        case "video":
            return phrase("cannot-video-kind")
        case _:
            return phrase("cannot-file")
