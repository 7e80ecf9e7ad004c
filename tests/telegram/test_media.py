"""Files of Telegram for the runtime."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from tasks.envelope import Media
from tests.telegram.conftest import World
from workers.interfaces import MediaUnavailable
from workers.telegram.media import Cache, MediaUnreachable

MIB = 1024 * 1024


async def media(world: World, data: bytes = b"hello", name: str = "note.txt", **fields: object) -> Media:
    file_id = await world.pg.file(data, name)
    given = {"kind": "document", "file_id": file_id, "unique_id": f"unique-{file_id}", "name": name}
    return Media(**given | fields)


async def test_a_file_is_fetched_once_and_kept(world: World) -> None:
    wanted = await media(world)
    path = await world.media.fetch(wanted)
    assert path.read_bytes() == b"hello"
    assert path.suffix == ".txt"
    assert path.parent == world.settings.home / "media"
    assert await world.media.fetch(wanted) == path
    assert len(await world.pg.journal(method="getFile")) == 1


async def test_many_who_want_the_same_file_fetch_it_once(world: World) -> None:
    wanted = await media(world)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(world.media.fetch(wanted), name=f"fetch {n}") for n in range(20)]
    assert len({task.result() for task in tasks}) == 1
    assert len(await world.pg.journal(method="getFile")) == 1
    assert world.media._locks == {}


async def test_a_file_said_to_be_too_large_is_not_even_asked_for(world: World) -> None:
    with pytest.raises(MediaUnavailable, match=r"too large .*up to 2 MB"):
        await world.media.fetch(await media(world, size_bytes=3 * MIB))
    assert await world.pg.journal(method="getFile") == []


async def test_a_file_that_turns_out_too_large_is_refused_in_plain_words(world: World) -> None:
    with pytest.raises(MediaUnavailable, match="too large"):
        await world.media.fetch(await media(world, b"x" * (2 * MIB + 1)))
    assert list(world.settings.home.rglob("*.*")) == []


async def test_what_telegram_does_not_hand_out_is_refused_in_plain_words(world: World) -> None:
    huge = await world.pg.file(b"x", "film.mp4", size=30 * MIB)
    with pytest.raises(MediaUnavailable, match="too large"):
        await world.media.fetch(Media(kind="document", file_id=huge))


async def test_a_file_that_is_gone_is_asked_for_again(world: World) -> None:
    with pytest.raises(MediaUnavailable, match="send it again"):
        await world.media.fetch(Media(kind="photo", file_id="AgACAgQAAx"))


@pytest.mark.parametrize("kind", ["500", "cut_before", "garbage", "429"])
async def test_an_outage_is_a_reason_to_try_again_later(world: World, kind: str) -> None:
    wanted = await media(world)
    await world.pg.fault(kind, "getFile")
    with pytest.raises(MediaUnreachable):
        await world.media.fetch(wanted)
    assert (await world.media.fetch(wanted)).read_bytes() == b"hello"


async def test_neither_token_nor_address_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    wanted = await media(world)
    await world.pg.fault("cut_before", "getFile")
    with pytest.raises(MediaUnreachable):
        await world.media.fetch(wanted)
    await world.media.fetch(wanted)
    told = "\n".join(
        f"{record.message} {vars(record)}" for record in caplog.records if record.name.startswith("cohort")
    )
    assert "media.unreachable" in told
    assert world.settings.token not in told


@pytest.mark.parametrize(
    ("kind", "name", "suffix"),
    [
        ("photo", None, ".jpg"),
        ("voice", None, ".ogg"),
        ("document", None, ".bin"),
        ("document", "Report.PDF", ".pdf"),
        ("document", "../../etc/passwd", ".bin"),
        ("document", "x.sh;rm -rf", ".bin"),
    ],
)
async def test_a_file_s_name_in_the_cache_is_a_hash_and_its_kind(
    world: World, kind: str, name: str | None, suffix: str
) -> None:
    path = await world.media.fetch((await media(world)).model_copy(update={"kind": kind, "name": name}))
    assert path.parent == world.settings.home / "media"
    assert path.suffix == suffix
    assert path.stem.isalnum()


@pytest.mark.parametrize("why", [errno.ENOSPC, errno.EROFS, errno.EACCES])
async def test_a_disk_that_takes_no_file_costs_the_file_and_is_told_once(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, why: int
) -> None:
    first, second = await media(world), await media(world)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError(why, os.strerror(why))))
        for wanted in (first, second):
            with pytest.raises(MediaUnavailable, match="no room to open files"):
                await world.media.fetch(wanted)
    assert (await world.media.fetch(first)).read_bytes() == b"hello"
    said = [record.getMessage() for record in caplog.records if record.name == "cohort.media"]
    assert said == ["media.not_kept", "media.kept_again"]


def test_on_a_full_disk_what_no_turn_uses_goes_first(
    tmp_path: Path,
    clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = Cache(tmp_path, most=100, keep=600, clock=clock)
    writes = Path.write_bytes

    def write(path: Path, data: bytes) -> int:
        if sum(file.stat().st_size for file in tmp_path.iterdir()) + len(data) > 50:
            raise OSError(errno.ENOSPC, "No space left on device")
        return writes(path, data)

    monkeypatch.setattr(Path, "write_bytes", write)
    old = cache.store("old", b"x" * 30)
    clock.advance(700)
    assert cache.store("new", b"y" * 30).read_bytes() == b"y" * 30
    assert not old.exists()
    with pytest.raises(OSError, match="No space"):
        cache.store("third", b"z" * 30)
    assert cache.find("new") is not None


async def test_the_least_recently_used_files_go_first(world: World) -> None:
    wanted = [await media(world, bytes([n]) * (MIB // 3), f"{n}.txt") for n in range(4)]
    paths = []
    for one in wanted[:3]:
        paths.append(await world.media.fetch(one))
        world.clock.advance(3600)
    await world.media.fetch(wanted[0])
    world.clock.advance(3600)
    paths.append(await world.media.fetch(wanted[3]))
    assert [path.exists() for path in paths] == [True, False, True, True]


def test_files_that_a_turn_may_be_using_stay_until_the_cache_is_twice_too_large(tmp_path: Path, clock) -> None:
    cache = Cache(tmp_path, most=100, keep=600, clock=clock)
    paths = []
    for number in range(5):
        paths.append(cache.store(f"{number}.bin", b"x" * 45))
        clock.advance(1)
    assert [path.exists() for path in paths] == [False, True, True, True, True]
    clock.advance(600)
    last = cache.store("5.bin", b"x" * 45)
    assert [path.exists() for path in [*paths, last]] == [False, False, False, False, True, True]


def test_a_file_larger_than_the_cache_is_kept_for_its_turn(tmp_path: Path, clock) -> None:
    cache = Cache(tmp_path, most=10, keep=0, clock=clock)
    assert cache.store("a.bin", b"x" * 50).exists()


def test_what_a_dead_process_left_unfinished_is_swept_away(tmp_path: Path, clock) -> None:
    cache = Cache(tmp_path, most=100, keep=600, clock=clock)
    cache.store("a.bin", b"x").rename(tmp_path / "b.part")
    cache.store("c.bin", b"x")
    assert (tmp_path / "b.part").exists()
    clock.advance(4000)
    cache.store("d.bin", b"x")
    assert not (tmp_path / "b.part").exists()
