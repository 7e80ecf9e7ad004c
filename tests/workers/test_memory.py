"""A worker above its memory limit drains; one that goes on growing meanwhile ends at once."""

import asyncio
from collections.abc import Iterator

import pytest

from workers.process import memory


@pytest.mark.promise("recycled")
async def test_a_worker_that_grows_on_while_it_drains_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_EVERY_S", 0.0)
    monkeypatch.setattr(memory, "_SOON_S", 0.0)
    sizes: Iterator[float] = iter([300, 400, 410, 700, 800, 810, 5_000])
    told: list[str] = []
    await memory.recycle(
        400, resident=lambda: next(sizes), end=lambda: told.append("end"), kill=lambda: told.append("kill")
    )
    assert (told, next(sizes)) == (["end", "kill"], 5_000)


async def test_one_that_stays_below_that_drains_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_SOON_S", 0.0)
    told: list[str] = []

    def kill() -> None:
        told.append("kill")

    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            memory.recycle(400, resident=lambda: 800.0, end=lambda: told.append("end"), kill=kill), name="recycle"
        )
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
    assert told == ["end"]
