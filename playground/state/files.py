"""Files that users and the bot sent, in memory. Above a total size the oldest are dropped."""

import base64
import hashlib
import mimetypes
import struct
from collections import OrderedDict
from dataclasses import dataclass

from playground.errors import bad_request

DOWNLOAD_LIMIT = 20 * 1024 * 1024
"""Bytes a bot can download (Bot API, getFile)."""
UPLOAD_LIMIT = 50 * 1024 * 1024
"""Bytes a bot can upload (Bot API, "Sending files")."""
_GONE = "wrong file_id or the file is temporarily unavailable"


@dataclass(frozen=True, slots=True)
class Stored:
    """A file. ``size`` may exceed ``data``: such a file only pretends to be big."""

    file_id: str
    unique_id: str
    name: str
    mime: str
    data: bytes
    size: int
    path: str


_UNKNOWN_SIZE = (320, 320)
_PNG, _GIF, _JPEG = b"\x89PNG\r\n\x1a\n", b"GIF8", b"\xff\xd8"
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG's segments that hold its size."""
_JPEG_MARK = 0xFF


def image_size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG, GIF or JPEG from its header; 320 x 320 for anything else."""
    try:
        if data.startswith(_PNG):
            return struct.unpack_from(">II", data, 16)
        if data.startswith(_GIF):
            return struct.unpack_from("<HH", data, 6)
        at = 2
        while data.startswith(_JPEG) and data[at] == _JPEG_MARK:
            if data[at + 1] in _JPEG_FRAMES:
                height, width = struct.unpack_from(">HH", data, at + 5)
                return width, height
            at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    except (struct.error, IndexError):
        pass
    return _UNKNOWN_SIZE


class FileStore:
    """Files by id and by download path."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._held = 0
        self._count = 0
        self._by_id: OrderedDict[str, Stored] = OrderedDict()
        self._by_path: dict[str, Stored] = {}

    def add(self, data: bytes, *, name: str | None, mime: str | None, folder: str, size: int | None = None) -> Stored:
        """Keep a file; ``size`` pretends that it is this big."""
        self._count += 1
        name = name or f"file_{self._count}"
        mime = mime or mimetypes.guess_type(name)[0] or "application/octet-stream"
        suffix = "." + name.rpartition(".")[2] if "." in name else mimetypes.guess_extension(mime) or ""
        seed = f"{self._count}:{name}".encode()
        stored = Stored(
            file_id="PG" + base64.urlsafe_b64encode(hashlib.blake2s(seed, digest_size=30).digest()).decode(),
            unique_id="Q" + base64.urlsafe_b64encode(hashlib.blake2s(data or seed, digest_size=9).digest()).decode(),
            name=name,
            mime=mime,
            data=data,
            size=len(data) if size is None else size,
            path=f"{folder}/file_{self._count}{suffix if suffix.isascii() and suffix[1:].isalnum() else ''}",
        )
        self._by_id[stored.file_id] = stored
        self._by_path[stored.path] = stored
        self._held += len(data)
        while self._held > self._cap and len(self._by_id) > 1:
            _, oldest = self._by_id.popitem(last=False)
            del self._by_path[oldest.path]
            self._held -= len(oldest.data)
        return stored

    def get(self, file_id: str) -> Stored:
        """The file with this id.

        Raises:
            ApiError: it does not exist, or was dropped.
        """
        if not file_id:
            raise bad_request("file_id not specified")
        stored = self._by_id.get(file_id)
        if stored is None:
            raise bad_request(_GONE)
        return stored

    def at(self, path: str) -> Stored | None:
        """The file with this download path."""
        return self._by_path.get(path)

    def clear(self) -> None:
        """Drop all files."""
        self._by_id.clear()
        self._by_path.clear()
        self._held = 0
