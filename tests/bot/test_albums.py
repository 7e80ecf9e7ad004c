"""An album in a group: one part has the caption that names the bot, and it is not always the first."""

import pytest

from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.errors import StoreUnavailable
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.stand_ins import AwaySometimes
from tests.bot.updates import GROUP, said, size
from tests.support.redis_of import redis_of


def part(number: int, caption: str | None = None, *, album: str = "g"):
    """A part of an album in a group."""
    photo = [size(f"p{number}", 9, 9)]
    return said(chat=GROUP, photo=photo, media_group_id=album, caption=caption, update_id=number, message_id=number)


@pytest.mark.parametrize("batches", [[[1, 2], [3]], [[1], [2], [3]], [[1, 2, 3]]])
async def test_all_parts_of_an_album_come_along_when_one_names_the_bot(
    bot: BotUnderTest, batches: list[list[int]]
) -> None:
    """A poll brings them together, a webhook one by one."""
    for batch in batches:
        await bot.intake.take([part(number, "@cohort_bot these?" if number == 2 else None) for number in batch])
    assert [entry.message_id for entry in await bot.inbox("4242:-55")] == [1, 2, 3]


async def test_the_parts_before_come_along_once_and_of_no_other_album_and_of_none_long_ago(bot: BotUnderTest) -> None:
    await bot.intake.take([part(1, "a view", album="old")])
    (old,) = await redis_of(bot.store).keys("cohort:bot:4242:album:*")
    assert 0 < await redis_of(bot.store).ttl(old) <= 60
    await redis_of(bot.store).delete(old)  # as Redis does it then
    for number, album in ((2, "other"), (3, "g"), (3, "g")):
        await bot.intake.take([part(number, album=album)])
    named = part(4, "@cohort_bot what is this?")
    await bot.intake.take([named])
    await bot.intake.take([named])
    await bot.intake.take([part(5, "@cohort_bot and this?", album="old")])
    entries = await bot.inbox("4242:-55")
    assert [entry.message_id for entry in entries] == [3, 4, 5]
    assert [[said.text for said in entry.overheard] for entry in entries] == [["[photo] a view", "[photo]"], [], []]


async def test_a_flood_of_parts_without_an_end_is_let_pass_but_for_ten_of_an_album(bot: BotUnderTest) -> None:
    for number in range(1, 31):
        await bot.intake.take([part(number)])
    await bot.intake.take([part(40, "@cohort_bot what are these?")])
    assert [entry.message_id for entry in await bot.inbox("4242:-55")] == [*range(1, 11), 40]


async def test_each_process_of_the_bot_has_the_parts_that_another_one_heard(settings: Settings, store: Store) -> None:
    """With a webhook each part comes to whichever process is free."""
    one, other = make_bot(settings, store), make_bot(settings, store)
    await one.intake.take([part(1)])
    await other.intake.take([part(2, "@cohort_bot these?")])
    await one.intake.take([part(3)])
    assert [entry.message_id for entry in await one.inbox("4242:-55")] == [1, 2, 3]


async def test_a_part_that_comes_again_with_the_one_that_names_the_bot_is_taken_once(
    settings: Settings, store: Store
) -> None:
    """Its update was not confirmed, because Redis went away behind it."""
    away = AwaySometimes(store)
    bot = make_bot(settings, store, intake=away)
    away.away = True
    with pytest.raises(StoreUnavailable):
        await bot.intake.take([part(1)])
    away.away = False
    for _ in range(2):
        await bot.intake.take([part(1), part(2, "@cohort_bot these?")])
    assert [entry.message_id for entry in await bot.inbox("4242:-55")] == [1, 2]


async def test_strangers_albums_are_not_kept(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset()))
    await bot.intake.take([part(1), part(2, "@cohort_bot these?")])
    assert await redis_of(store).keys("cohort:bot:4242:album:*") == []
