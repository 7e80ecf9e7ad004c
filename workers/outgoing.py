"""Files on their way to a chat: what each is sent as, where its bytes stand, and the replies that bring them."""

import base64
import mimetypes
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import batched, groupby
from pathlib import Path
from threading import Lock
from uuid import uuid4

from tasks.envelope import OutFile, OutKind, Reply
from tasks.http.addresses import is_public
from tasks.whole_file import write_whole
from workers.pictures import PICTURE_MARK, Pixels, is_photo

_MIB = 1024 * 1024
LARGEST = 50 * _MIB
"""Bytes of a file that a bot may send (Bot API, "Sending files")."""
LARGEST_PHOTO = 10 * _MIB
INLINE = 48 * 1024
"""Bytes of a turn's files that stand in its replies: 64 KiB as Base64. So they are there on every machine."""
MOST = 10
"""Files of one turn; an album holds no more, and a tool in a loop must not fill a chat."""
MOST_LINKED = 4
"""Pictures of one answer that are sent by their addresses."""
ALBUM = 10
_NAME = 64
_ENDING = 12
_NAMELESS = ("application/octet-stream", "text/plain")
"""A file of these types may well have a name without an ending: ``Makefile``."""
_LONGEST_ALT = 200
_MARK = PICTURE_MARK.encode("utf-16-le")
_OPUS, _FIRST_PAGE = b"OpusHead", 512
"""The first packet of an Ogg file says what it holds."""
_RESERVED = frozenset('<>:"|?*$`')
"""Characters that a name cannot have on some systems, or that a shell acts on within quotes."""
_JOINED = "\u200c\u200d"
"""Characters of the form of scripts and of emoji."""

_KINDS: dict[str, OutKind] = {
    "image/png": "photo",
    "image/jpeg": "photo",
    "image/webp": "photo",
    "image/gif": "animation",
    "audio/ogg": "voice",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    "video/mp4": "video",
}
"""What Telegram shows by itself; all else is a document."""
_SHELVES: dict[OutKind, str] = {"photo": "seen", "video": "seen", "audio": "heard", "document": "kept"}
"""What may stand in one album (Bot API, sendMediaGroup)."""


def is_opus(body: bytes) -> bool:
    """Whether an Ogg file is what Telegram plays as a voice message; Vorbis and FLAC stand in Ogg, too (RFC 7845)."""
    return _OPUS in body[:_FIRST_PAGE]


def kind_of(mime: str, size: int, pixels: Pixels | None = None, *, moving: bool = False, opus: bool = True) -> OutKind:
    """What a file of so many bytes is sent as.

    A picture that Telegram refuses as a photo, or that would not move any more, is a document at once, and so is an Ogg
    file that is no Opus.
    """
    kind = _KINDS.get(mime, "document")
    if kind == "voice" and not opus:
        return "document"
    whole = size <= LARGEST_PHOTO and is_photo(pixels) and not moving
    return "document" if kind == "photo" and not whole else kind


def name_of(given: str, mime: str, number: int) -> str:
    """A name that a person can read and any system can store."""
    last = re.split(r"[/\\]", given)[-1]
    plain = "".join(letter if _is_harmless(letter) else "_" for letter in " ".join(last.split())).strip(" .")
    if plain and not Path(plain).suffix and mime not in _NAMELESS:
        # A phone opens a file by its ending.
        plain += mimetypes.guess_extension(mime) or ""
    ending = Path(plain).suffix[:_ENDING]
    plain = f"{plain.removesuffix(ending)[: _NAME - len(ending)].rstrip()}{ending}"
    return plain or f"file-{number}{mimetypes.guess_extension(mime) or ''}"


def _is_harmless(letter: str) -> bool:
    """Whether a name may have it. Many scripts write vowels as marks, which are no letters of their own."""
    return letter in _JOINED or (letter.isprintable() and letter not in _RESERVED)


class RoomInReplies:
    """How many bytes of one turn's files may yet stand in replies, which Redis holds. Used from several threads."""

    def __init__(self) -> None:
        self._left = INLINE
        self._counted = Counter[str]()
        self._lock = Lock()

    def keep(self, folder: Path, body: bytes, file: OutFile) -> OutFile:
        """Keep a file's bytes, in its entry while there is room. Blocking.

        Raises:
            OSError: the disk is full, or the folder cannot be written.
        """
        size = -3 * (-len(body) // 3)  # Base64 is written in threes
        with self._lock:
            small = size <= self._left
            self._left -= size if small else 0
        done = kept(folder, body, file, small=small)
        if done.data is not None:
            self._counted[done.data] += 1
        return done

    def taken(self, folder: Path, file: OutFile) -> OutFile:
        """A file that joins the turn's: one that an earlier try kept takes its room now. Blocking.

        Raises:
            OSError: it goes to the disk now, which is full.
        """
        if file.data is None:
            return file
        if not self._counted[file.data]:
            file = self.keep(folder, read(folder, file) or b"", file.model_copy(update={"data": None}))
        if file.data is not None:
            self._counted[file.data] -= 1
        return file


def kept(folder: Path, body: bytes, file: OutFile, *, small: bool | None = None) -> OutFile:
    """Keep a file's bytes, in the file's own entry or in ``folder``. Blocking.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    if len(body) <= INLINE if small is None else small:
        return file.model_copy(update={"data": base64.b64encode(body).decode(), "size_bytes": len(body)})
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = uuid4().hex
    write_whole(folder / name, body)
    return file.model_copy(update={"stored": name, "size_bytes": len(body)})


def read(folder: Path, file: OutFile) -> bytes | None:
    """A file's bytes; None when they are not here. Blocking."""
    with suppress(OSError, ValueError):
        if file.data is not None:
            return base64.b64decode(file.data)
        if file.stored is not None and file.stored.isalnum():
            return (folder / file.stored).read_bytes()
    return None


def remove(folder: Path, files: Iterable[OutFile]) -> None:
    """Remove what is kept of files."""
    for file in files:
        if file.stored is not None and file.stored.isalnum():
            with suppress(OSError):
                (folder / file.stored).unlink(missing_ok=True)


def linked_pictures(replies: Iterable[Reply]) -> list[OutFile]:
    """The pictures that an answer shows by addresses which Telegram may fetch; code holds no links."""
    found: dict[str, OutFile] = {}
    for reply in replies:
        units = reply.text.encode("utf-16-le")
        for entity in reply.entities:
            url, start = entity.get("url"), 2 * int(entity.get("offset", 0))
            if entity.get("type") != "text_link" or not units[:start].endswith(_MARK) or not is_public(str(url)):
                continue
            label = units[start : start + 2 * int(entity["length"])].decode("utf-16-le", "replace").strip()
            caption = "" if label == url else label[:_LONGEST_ALT]
            found.setdefault(str(url), OutFile(kind="photo", name="picture", caption=caption, url=str(url)))
    return list(found.values())[:MOST_LINKED]


def with_files(said: tuple[Reply, ...], files: Sequence[OutFile]) -> tuple[Reply, ...]:
    """An answer and, behind it, its files."""
    return (*said, *replies_of(files, said[0].answers)) if files else said


def replies_of(files: Sequence[OutFile], answers: tuple[int, ...]) -> tuple[Reply, ...]:
    """The messages that bring files: those in a row that Telegram shows together are an album, others come singly."""
    replies: list[Reply] = []
    for (shelf, _), row in groupby(files, lambda file: (_SHELVES.get(file.kind), bool(file.url))):
        for some in batched(row, ALBUM if shelf else 1):
            caption = some[0].caption if len(some) == 1 else ""
            replies.append(Reply(v=2, text=caption, files=some, answers=answers))
    return tuple(replies)
