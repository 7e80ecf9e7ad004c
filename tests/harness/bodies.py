"""Files as people and tools send them: each holds its name, so no two hold the same.

Plain Python: it stands in the cards' module of tools, too, which imports nothing of the tests.
"""

import base64
import hashlib
import math
import struct
import zlib
from random import Random

PICTURE = ".png"


def body_of(name: str, size: int) -> bytes:
    """A file's bytes, ``size`` of them or a few more: a picture where its name says so, else text."""
    if name.endswith(PICTURE):
        return _picture(name, size)
    line = f"{name} "
    return (line * (size // len(line) + 1)).strip().encode()


def mark_of(body: bytes) -> str:
    """What the playground calls a file by its bytes (``file_unique_id``), told here once more."""
    return "Q" + base64.urlsafe_b64encode(hashlib.blake2s(body, digest_size=9).digest()).decode()


def _picture(name: str, size: int) -> bytes:
    """A square of noise, which does not become smaller when it is packed."""
    side = max(math.ceil(math.sqrt(size / 3)), 16)
    noise = Random(name)
    rows = b"".join(b"\0" + noise.randbytes(3 * side) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows, 1)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
