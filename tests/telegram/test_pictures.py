"""What a picture's header says of its size, and what it is sent as by that."""

import struct
from pathlib import Path

import pytest

from tests.telegram.test_files_out import png
from workers.outgoing import kind_of
from workers.pictures import Pixels, moves, pixels_of
from workers.runtime.tools.files_out import FilesOut

APP1 = b"\xff\xe1" + struct.pack(">H", 6) + b"Exif"


def jpeg(width: int, height: int, before: bytes = APP1) -> bytes:
    return b"\xff\xd8" + before + b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\0" * 9


def webp(kind: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 12) + b"WEBP" + kind + struct.pack("<I", len(body)) + body


def extended(width: int, height: int) -> bytes:
    return webp(b"VP8X", b"\0" * 4 + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))


def lossless(width: int, height: int) -> bytes:
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14) + b"\0" * 8)


def lossy(width: int, height: int) -> bytes:
    return webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width | 0x4000, height))


@pytest.mark.promise("files-out")
@pytest.mark.parametrize(
    ("width", "height", "kind"),
    [
        (5000, 5000, "photo"),
        (5001, 5000, "document"),
        (2000, 100, "photo"),
        (100, 2001, "document"),
        (2001, 100, "document"),
    ],
)
@pytest.mark.parametrize("made", [png, jpeg, extended, lossless, lossy], ids=lambda made: made.__name__)
def test_a_picture_that_is_too_large_or_too_long_for_a_photo_is_a_document_at_once(
    made: type, width: int, height: int, kind: str
) -> None:
    body = made(width, height)
    mime = {b"\x89P": "image/png", b"\xff\xd8": "image/jpeg"}.get(body[:2], "image/webp")
    assert pixels_of(body) == (width, height)
    assert kind_of(mime, len(body), pixels_of(body)) == kind


@pytest.mark.parametrize(
    ("body", "pixels"),
    [
        (b"", None),
        (b"\x89PNG\r\n\x1a\n", None),
        (png(9999, 9999)[:20], None),
        (b"\xff\xd8" + b"\xff" * 100_000, None),
        (b"\xff\xd8" + b"\xff\xe1\0\0" * 100_000, None),
        (jpeg(30, 40)[:14], None),
        (jpeg(30, 40, APP1 * 2 + b"\xff\xff"), (30, 40)),
        (webp(b"VP8L", b"\0" * 20), None),
        (webp(b"VP8 ", b"\0" * 20), None),
        (webp(b"ALPH", b"\0" * 20), None),
        (extended(1, 1)[:29], None),
        (b"GIF89a\x01\0\x01\0", None),
    ],
)
def test_of_a_damaged_picture_no_size_is_known_and_telegram_judges(body: bytes, pixels: Pixels | None) -> None:
    assert pixels_of(body) == pixels
    assert kind_of("image/png", len(body), pixels) == "photo"


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + name + body + bytes(4)


def chunks(*names: bytes) -> bytes:
    about = struct.pack(">IIBBBBB", 30, 30, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", about) + b"".join(map(chunk, names)) + chunk(b"IEND")


STILL, MOVING = extended(30, 30), extended(30, 30)[:20] + b"\x12" + extended(30, 30)[21:]


@pytest.mark.promise("files-out")
@pytest.mark.parametrize(
    ("still", "moving"), [(chunks(b"IDAT", b"acTL"), chunks(b"gAMA", b"acTL", b"IDAT")), (STILL, MOVING)]
)
def test_a_picture_that_moves_is_a_document_and_one_that_stands_still_is_a_photo(
    still: bytes, moving: bytes, tmp_path: Path
) -> None:
    out = FilesOut(tmp_path)
    assert [out.keep(body, "x").kind for body in (moving, still)] == ["document", "photo"]
    assert not any(moves(moving[:end]) for end in range(20))
    # A damaged one ends the search.
    assert not moves(chunks()[:33] + b"\0" * 100_000)
    assert not moves(chunks()[:8] + b"\xff" * 100)
