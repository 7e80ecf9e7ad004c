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
        lambda: 400, resident=lambda: next(sizes), end=lambda: told.append("end"), kill=lambda: told.append("kill")
    )
    assert (told, next(sizes)) == (["end", "kill"], 5_000)


@pytest.mark.promise("recycled")
@pytest.mark.parametrize(
    ("total", "workers", "ready", "limit"),
    [
        (24_000.0, 1, 150.0, 9_600),
        (24_000.0, 2, 150.0, 6_400),
        (8_000.0, 4, 150.0, 1_280),
        (8_000.0, 64, 150.0, 512),  # never so little that well-behaved workers are replaced
        (8_000.0, 64, 400.0, 800),  # nor what a worker passes by being ready
        (24_000.0, 0, 150.0, 9_600),
        (None, 2, 150.0, 0),
        (8_000.0, 2, 0.0, 0),
    ],
)
def test_without_a_setting_the_limit_is_a_share_of_the_machine(
    total: float | None, workers: int, ready: float, limit: int
) -> None:
    assert memory.default_limit_mib(total, workers, ready) == limit


@pytest.mark.promise("recycled")
async def test_the_limit_follows_the_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_EVERY_S", 0.0)
    monkeypatch.setattr(memory, "_SOON_S", 0.0)
    limits: Iterator[int] = iter([0, 900, 900, 450])
    told: list[str] = []

    def kill() -> None:
        told.append("kill")

    sizes: Iterator[float] = iter([500.0, 500.0, 500.0, 500.0, 901.0])
    await memory.recycle(lambda: next(limits), resident=lambda: next(sizes), end=lambda: told.append("end"), kill=kill)
    assert told == ["end", "kill"]
    assert memory.limit_of(700, lambda: 3)() == 700
    assert memory.limit_of(0, lambda: 3)() == 0
    assert memory.limit_of(None, lambda: 3)() >= 512


async def test_one_that_stays_below_that_drains_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_SOON_S", 0.0)
    told: list[str] = []

    def kill() -> None:
        told.append("kill")

    async with asyncio.TaskGroup() as group:
        work = memory.recycle(lambda: 400, resident=lambda: 800.0, end=lambda: told.append("end"), kill=kill)
        task = group.create_task(work, name="recycle")
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
    assert told == ["end"]
