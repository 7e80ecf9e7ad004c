"""How many pixels a picture has, by its header, and whether Telegram takes it as a photo (pure).

Nothing is decoded: a library that opens a WebP makes room for all of its pixels, which a hostile header says are many.
"""

import base64
from collections.abc import Iterator

type Pixels = tuple[int, int]
"""Width and height."""

PICTURE_MARK = "🖼 "
"""Before the link to a picture, in the text of an answer."""
MOST_PIXELS = 10_000
"""Width and height of a photo together (Bot API, sendPhoto)."""
MOST_RATIO = 20
"""Of a photo's longer side to its shorter one (Bot API, sendPhoto)."""

_HEADER = 30
"""Bytes that a PNG's or a WebP's size is found in; a whole picture has more."""
_SEGMENTS = 1000
"""Of a JPEG that are looked at: a camera writes some tens before the size."""
_MOVES = 0x02
"""The bit of an extended WebP that says so (RFC 9649)."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG behind which its size stands (ITU T.81, table B.1)."""


def picture_bytes(picture: bytes | str) -> bytes:
    """A picture's bytes, which may be given as Base64; some servers write that in lines.

    Raises:
        ValueError: it is no Base64.
    """
    return picture if isinstance(picture, bytes) else base64.b64decode("".join(picture.split()), validate=True)


def is_photo(pixels: Pixels | None) -> bool:
    """Whether Telegram takes a picture of this size as a photo. Of one that hides its size, Telegram judges itself."""
    if pixels is None or 0 in pixels:
        return True
    return sum(pixels) <= MOST_PIXELS and max(pixels) <= MOST_RATIO * min(pixels)


def pixels_of(body: bytes) -> Pixels | None:
    """A picture's size; None where its header does not tell."""
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return (_big(body, 16, 4), _big(body, 20, 4)) if body[12:16] == b"IHDR" and len(body) >= _HEADER else None
    if body.startswith(b"\xff\xd8"):
        return next(_sizes_of_jpeg(body), None)
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return _of_webp(body) if len(body) >= _HEADER else None
    return None


def moves(body: bytes) -> bool:
    """Whether it is an animated WebP or PNG: of such a photo Telegram shows the first picture alone."""
    if body[:4] == b"RIFF" and body[8:16] == b"WEBPVP8X":
        return bool(body[20:21]) and bool(body[20] & _MOVES)
    return body.startswith(b"\x89PNG\r\n\x1a\n") and b"acTL" in _chunks_of_png(body)


def _chunks_of_png(body: bytes) -> Iterator[bytes]:
    """The names of those before the picture itself."""
    at = 8
    for _ in range(_SEGMENTS):
        name = body[at + 4 : at + 8]
        if len(name) < 4 or name == b"IDAT":  # noqa: PLR2004 - characters of a name
            return
        yield name
        at += 12 + _big(body, at, 4)


def _sizes_of_jpeg(body: bytes) -> Iterator[Pixels]:
    at = 2
    for _ in range(_SEGMENTS):
        if body[at : at + 2] == b"\xff\xff":
            # A fill byte before a marker.
            at += 1
            continue
        if len(body) < at + 9 or body[at : at + 1] != b"\xff":
            return
        if body[at + 1] in _FRAMES:
            yield _big(body, at + 7, 2), _big(body, at + 5, 2)
        at += 2 + _big(body, at + 2, 2)


def _of_webp(body: bytes) -> Pixels | None:
    match body[12:16]:
        case b"VP8X":
            return _little(body, 24, 3) + 1, _little(body, 27, 3) + 1
        case b"VP8L" if body[20:21] == b"\x2f":
            both = _little(body, 21, 4)
            return (both & 0x3FFF) + 1, (both >> 14 & 0x3FFF) + 1
        case b"VP8 " if body[23:26] == b"\x9d\x01\x2a":
            return _little(body, 26, 2) & 0x3FFF, _little(body, 28, 2) & 0x3FFF
        case _:
            return None


def _big(body: bytes, at: int, count: int) -> int:
    return int.from_bytes(body[at : at + count], "big")


def _little(body: bytes, at: int, count: int) -> int:
    return int.from_bytes(body[at : at + count], "little")
