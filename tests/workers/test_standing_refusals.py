"""What is true of each further message, too, is said once of those of a person that come in a row."""

import pytest

from tests.support.redis_of import redis_of
from tests.workers.pool import Pool, Worker, session
from workers.sessions.turns.refusals import QUIET_FOR_S

ONE = session(1)
BLIND = "This model can't read images, so I skipped yours."
DEAF = "This model can't listen to voice messages, so I skipped yours."


@pytest.fixture(autouse=True)
def refused(pool: Pool) -> None:
    pool.model.standing = {"picture": BLIND, "voice": DEAF}


async def told(pool: Pool, worker: Worker, text: str, **fields: object) -> list[str]:
    """The refusals below the answer to a message."""
    await pool.say(1, text, **fields)
    await worker.answer(ONE)
    said = pool.telegram.texts(ONE)[-1]
    assert said.startswith(f"answer to {text}")
    return [words for words in (BLIND, DEAF) if words in said]


@pytest.mark.promise("refused-once")
async def test_pictures_in_a_row_are_refused_once_also_by_the_heir_of_their_worker(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    said = [await told(pool, worker, f"picture {number}") for number in range(3)]
    await worker.kill()
    said += [await told(pool, await pool.worker("w-two"), "picture 4")]
    assert said == [[BLIND], [], [], []]


async def test_another_kind_of_file_another_person_and_another_choice_are_told(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    assert await told(pool, worker, "picture", sender={"id": 7}) == [BLIND]
    assert await told(pool, worker, "picture and voice", sender={"id": 7}) == [DEAF]
    assert await told(pool, worker, "picture", sender={"id": 8}) == [BLIND]
    assert await told(pool, worker, "picture", sender={"id": 7}) == [], "another person's turn ends no row"
    assert await told(pool, worker, "voice", sender={"id": 7}) == [DEAF], "a row of pictures is over"
    await pool.say(1, kind="choose", choice={"model": "other"})
    await worker.answer(ONE)
    assert await told(pool, worker, "voice", sender={"id": 7}) == [DEAF]


async def test_a_turn_that_is_refused_nothing_ends_the_row_and_leaves_no_field(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    said = [await told(pool, worker, text) for text in ("picture", "words", "picture")]
    assert said == [[BLIND], [], [BLIND]]
    await told(pool, worker, "words")
    assert "standing" not in await pool.state(ONE)


async def test_it_is_said_again_after_an_hour_and_in_a_new_conversation(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    said = list[list[str]]()
    for pause in (0, 1800, 1799, 1, QUIET_FOR_S - 1):
        pool.clock.advance(pause)
        said.append(await told(pool, worker, "picture"))
    assert said == [[BLIND], [], [], [BLIND], []]
    await pool.say(1, kind="new")
    await worker.answer(ONE)
    assert await told(pool, worker, "picture") == [BLIND]


async def test_a_damaged_note_of_it_is_none_and_a_retry_has_all_that_belongs_to_its_answer(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await told(pool, worker, "picture")
    await redis_of(pool.store).hset(f"cohort:s:{ONE}:state", "standing", b"\xff:: x:y")
    assert await told(pool, worker, "picture") == [BLIND]
    pool.model.standing = {"": BLIND}
    await pool.say(1, kind="retry", last=True)
    await worker.answer(ONE)
    assert BLIND in pool.telegram.texts(ONE)[-1]
