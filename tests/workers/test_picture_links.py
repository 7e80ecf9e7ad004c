"""Pictures that an answer shows by their addresses follow it as photos."""

import pytest

from tests.workers.pool import Pool, session

ONE = session(1)
HOST = "https://pictures.example.com"


def linked(pool: Pool) -> list[list[str]]:
    return [[file.url for file in reply.files] for _, reply in pool.telegram.delivered]


@pytest.mark.promise("files-out")
async def test_pictures_that_an_answer_shows_by_public_addresses_follow_it_as_one_album(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    update = await pool.say(1, f"![A cat]({HOST}/cat.png) and ![]({HOST}/dog.png), `![x]({HOST}/code.png)`")
    await worker.answer(ONE)
    assert linked(pool) == [[], [f"{HOST}/cat.png", f"{HOST}/dog.png"]]
    (_, said), (_, album) = pool.telegram.delivered
    assert "🖼 A cat" in said.text
    assert [file.caption for file in album.files] == ["A cat", ""]
    assert pool.telegram.answered(ONE) == [update] * 2


@pytest.mark.promise("files-out")
async def test_an_operator_has_the_addresses_of_pictures_stay_links(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_PICTURE_LINKS="off")
    await pool.say(1, f"![A cat]({HOST}/cat.png)")
    await worker.answer(ONE)
    assert linked(pool) == [[]]
