"""Where a live location has moved to begins no turn; the next message of its chat takes the newest place along."""

from typing import Any

from aiogram import types as tg

from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import BEN, BOT, GROUP, message, said
from tests.support.redis_of import redis_of

PRIVATE, GROUPS = "4242:700", "4242:-55"


def place(number: int, latitude: float, *, live: bool = True, first: bool = False, **fields: Any) -> dict[str, Any]:
    where = tg.Location(latitude=latitude, longitude=13.4, live_period=3600 if live else None)
    kind = "message" if first else "edited_message"
    return said(None, update_id=number, kind=kind, location=where, **{"message_id": 1, **fields})


async def taken(bot: BotUnderTest, session: str = PRIVATE) -> list[tuple[str, list[str]]]:
    """(text, context) of each message that waits."""
    return [(entry.text, [one.text for one in entry.overheard]) for entry in await bot.inbox(session)]


async def test_the_next_message_takes_the_newest_place_along_once_and_an_update_that_comes_again_too(
    bot: BotUnderTest,
) -> None:
    await bot.intake.take([place(1, 52.5, first=True), place(2, 52.6), place(3, 52.7)])
    assert await taken(bot) == [("[live location: 52.5, 13.4]", [])]
    ask = said("where am I now?", update_id=4, message_id=2)
    await bot.intake.take([ask, said("and now?", update_id=5, message_id=3)])
    await bot.intake.take([ask])
    await bot.intake.take([place(6, 52.8, live=False), said("at the end?", update_id=7, message_id=4)])
    assert await taken(bot) == [
        ("[live location: 52.5, 13.4]", []),
        ("where am I now?", ["[live location: 52.7, 13.4]"]),
        ("and now?", []),
        ("at the end?", ["[location: 52.8, 13.4]"]),
    ]


async def test_who_shares_several_has_the_newest_place_of_each_of_the_last_five(bot: BotUnderTest) -> None:
    await bot.intake.take([place(number, 50 + number, message_id=number) for number in range(1, 8)])
    await bot.intake.take([place(8, 70, message_id=7), said("which is nearer?", update_id=9, message_id=9)])
    places = [f"[live location: {where}.0, 13.4]" for where in (53, 54, 55, 56, 70)]
    assert await taken(bot) == [("which is nearer?", places)]


async def test_in_a_group_it_is_context_as_words_are_whomever_the_message_answers(bot: BotUnderTest) -> None:
    to_the_bot = {"reply_to_message": message("?", chat=GROUP, sender=BOT, message_id=8)}
    await bot.intake.take([place(1, 52.5, first=True, chat=GROUP, sender=BEN)])
    await bot.intake.take(
        [place(2, 52.6, chat=GROUP, sender=BEN), place(3, 52.7, chat=GROUP, sender=BEN, **to_the_bot)]
    )
    await bot.intake.take([said("@cohort_bot where is Ben?", chat=GROUP, update_id=4, message_id=2)])
    assert await taken(bot, GROUPS) == [("where is Ben?", ["[live location: 52.7, 13.4]"])]


async def test_a_stranger_s_place_is_not_kept(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset({BEN.id})))
    await bot.intake.take([place(1, 52.5)])
    assert await redis_of(store).keys("*overheard*") == []
    assert await bot.lines_to_strangers() == []
