"""A turn's files are committed with its answer, delivered behind it, and survive their worker as text does."""

import pytest

from tasks.envelope import OutFile
from tests.workers.mishaps import at, next_worker
from tests.workers.pool import Pool, session

ONE = session(1)
CHART, DATA = OutFile(kind="photo", name="chart.png", data="eA=="), OutFile(name="data.csv", data="eA==")


def names(pool: Pool) -> list[list[str]]:
    return [[file.name for file in reply.files] for _, reply in pool.telegram.delivered]


@pytest.mark.promise("files-out")
async def test_files_come_behind_the_answer_and_are_dropped_when_they_are_delivered(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.files["sales"] = (CHART, DATA)
    update = await pool.say(1, "sales")
    await worker.answer(ONE)
    assert names(pool) == [[], ["chart.png"], ["data.csv"]]
    assert pool.telegram.answered(ONE) == [update] * 3
    assert worker.delivery.dropped == ["chart.png", "data.csv"]


@pytest.mark.promise("files-out")
async def test_files_of_a_committed_turn_are_delivered_by_its_heir(pool: Pool) -> None:
    one = await pool.worker("w-one")
    pool.model.files["sales"] = (CHART, DATA)
    one.at_step = at("committed")
    await pool.say(1, "sales")
    one.doorbell(ONE)
    two = await next_worker(pool, one, "w-two")
    await two.answer(ONE)
    assert len(pool.model.calls) == 1
    assert names(pool) == [[], ["chart.png"], ["data.csv"]]
    assert await pool.idle(ONE)


@pytest.mark.promise("answers-are-spoken")
async def test_what_is_spoken_is_committed_behind_the_answer_and_said_by_its_heir(pool: Pool) -> None:
    one = await pool.worker("w-one", COHORT_VOICE="tts")
    one.at_step = at("committed")
    await pool.say(1, "hello", media=[{"kind": "voice", "file_id": "v"}])
    one.doorbell(ONE)
    two = await next_worker(pool, one, "w-two")
    await two.answer(ONE)
    (_, text), (_, spoken) = pool.telegram.delivered
    assert (len(pool.model.calls), text.files, spoken.v) == (1, (), 3)
    assert [file.speak for file in spoken.files] == [text.text]
    await pool.say(1, "typed")
    await two.answer(ONE)
    assert len(pool.telegram.delivered) == 3
