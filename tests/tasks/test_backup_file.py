"""The file of a backup: what is damaged is told in one line, and what cannot be written leaves nothing."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from ops.commands.backup import file as backup_file
from tasks.errors import Misconfigured
from tasks.store import Store
from tasks.store.backup import dump
from tests.tasks.test_backup import CLOCK, filled


def _newer(text: bytes) -> bytes:
    return gzip.compress(gzip.decompress(text).replace(b'"cohort-backup":1', b'"cohort-backup":2'))


def _changed(text: bytes) -> bytes:
    return gzip.compress(gzip.decompress(text).replace(b'"type":"list"', b'"type":"hash"', 1))


def _without_a_line(text: bytes) -> bytes:
    lines = gzip.decompress(text).splitlines(keepends=True)
    return gzip.compress(b"".join(lines[:3] + lines[4:]))


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "no gzip": lambda _: b"hello",
    "another gzip": lambda _: gzip.compress(b"hello\n"),
    "another JSON": lambda _: gzip.compress(b"[1]\n"),
    "a number": lambda _: gzip.compress(b"7\n"),
    "a head alone": lambda _: gzip.compress(b'{"cohort-backup":1,"made":1.0}\n'),
    "a damaged head": lambda _: gzip.compress(b'{"cohort-backup":null,"made":1.0}\n'),
    "half of it": lambda text: text[: len(text) // 2],
    "its last byte missing": lambda text: text[:-1],
    "a bit flipped": lambda text: text[:100] + bytes([text[100] ^ 1]) + text[101:],
    "one word changed": _changed,
    "a line missing": _without_a_line,
    "a newer form": _newer,
}


@pytest.mark.promise("backup")
@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_damaged_backup_is_one_clear_line(store: Store, redis_url: str, tmp_path: Path, damage: str) -> None:
    await filled(store)
    file = tmp_path / "backup"
    async with Redis.from_url(redis_url) as source:
        await backup_file.write(file, dump(source, CLOCK), made=5.0, release="1")
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    with pytest.raises(Misconfigured, match=r"^[^\n]+backup: [^\n]+$") as told:
        backup_file.check(file)
    assert damage not in ("empty", "no gzip", "another JSON") or "not a backup" in str(told.value)


@pytest.mark.promise("backup")
async def test_a_backup_that_is_cut_or_changed_anywhere_is_refused_with_the_line(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    await filled(store)
    file = tmp_path / "backup"
    async with Redis.from_url(redis_url) as source:
        await backup_file.write(file, dump(source, CLOCK), made=5.0, release="1")
    whole, lines = file.read_bytes(), gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    for size in range(30, len(whole), 97):
        file.write_bytes(whole[:size])
        with pytest.raises(Misconfigured, match=r"not a backup|damaged at its line \d+|not whole"):
            backup_file.check(file)
    for place in range(2, len(lines)):
        file.write_bytes(gzip.compress(b"".join([*lines[: place - 1], b"{rubbish}\n", *lines[place:]])))
        with pytest.raises(Misconfigured, match=f"damaged at its line {place}$"):
            backup_file.check(file)


@pytest.mark.promise("backup")
async def test_a_file_that_cannot_be_written_is_one_clear_line_and_leaves_nothing(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    async with Redis.from_url(redis_url) as source:
        for wrong in (tmp_path / "missing" / "file", tmp_path, Path("/dev/full/file")):
            with pytest.raises(Misconfigured, match="cannot be written"):
                await backup_file.write(wrong, dump(source, CLOCK), made=1.0, release="1")
    assert os.listdir(tmp_path) == []  # noqa: PTH208
