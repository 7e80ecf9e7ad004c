"""``cohort up`` beside the playground has changed agent cards read as they are saved."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from ops.up.card_watch import CardWatch, look, stand_ins
from ops.up.plan import Plan, make_plan
from tasks.config.settings import load
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tests.conftest import TOKEN

SOON = 0.01


@pytest.mark.parametrize(
    ("environ", "reloads"),
    [
        ({}, True),
        ({"COHORT_CARDS_RELOAD": "off"}, False),
        ({"TELEGRAM_BOT_TOKEN": TOKEN}, False),
        ({"TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_CARDS_RELOAD": "on"}, True),
    ],
)
def test_cards_are_read_as_they_are_saved_beside_the_playground_or_where_it_is_asked_for(
    environ: Mapping[str, str], *, reloads: bool
) -> None:
    ports = {"COHORT_PLAYGROUND_PORT": "0", "FLOWER_PORT": "0", "COHORT_CONSOLE_PORT": "0"}
    given = {**ports, **environ}
    assert make_plan(load(given), given, {}).reloads is reloads


def test_the_command_that_reads_them_has_the_systems_own_settings() -> None:
    spec = Plan(load({}), {"REDIS_URL": "redis://127.0.0.1:1/0"}).reload()
    assert spec.command[-3:] == ("ops.entry", "cards", "reload")
    assert (spec.env["REDIS_URL"], spec.once, spec.vital) == ("redis://127.0.0.1:1/0", True, False)


def test_what_editors_and_python_write_beside_the_cards_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text("---\n---\n")
    before = look(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    for name in (".one.md.swp", "one.md~", "#one.md#", "__pycache__/tools.cpython-313.pyc", ".one.md.1234"):
        (tmp_path / name).write_text("x")
    (tmp_path / "away.md").symlink_to("nowhere")
    assert look(tmp_path) == before
    assert look(tmp_path / "none") == frozenset()


async def test_each_change_has_the_cards_read_and_what_stood_there_before_has_not(tmp_path: Path) -> None:
    read = asyncio.Queue[set[str]]()
    (tmp_path / "one.md").write_text("---\n---\n")

    async def reading() -> None:
        await read.put({Path(path).name for path, _, _ in look(tmp_path)})

    watch = CardWatch(tmp_path, reading, every=SOON)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        following = group.create_task(watch.follow(), name="cards")
        (tmp_path / "two.md").write_text("---\n---\n")
        assert await read.get() == {"one.md", "two.md"}
        (tmp_path / "one.md").unlink()
        assert await read.get() == {"two.md"}
        following.cancel()
    assert read.empty()


async def test_the_banner_warns_of_workers_that_go_on_with_the_agents_of_before(store: Store) -> None:
    minute = timedelta(minutes=1)
    await store.members.beat("w-well", WorkerStatus(), minute, member=True)
    assert await stand_ins(store) == ()
    for name in ("w-one", "w-two"):
        await store.members.beat(name, WorkerStatus(cards_kept="cards/a.md:3: no such tool"), minute, member=True)
    assert await stand_ins(store) == ("the agents of before answer: cards/a.md:3: no such tool",)
