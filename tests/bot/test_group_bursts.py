"""In a group, what an app sends right behind a message to the bot belongs to it, though it names no one."""

from datetime import timedelta
from typing import Any

import pytest
from aiogram import types as tg

from tasks.config.settings import Settings
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import ANN, BEN, GROUP, SOME_DAY, said, size

GROUPS = "4242:-55"
FORWARD = {"forward_origin": tg.MessageOriginUser(date=SOME_DAY, sender_user=BEN)}
PIECE = "@cohort_bot " + "x" * 4_050


async def taken(bot: BotUnderTest, *written: tuple[str | None, dict[str, Any]]) -> list[str]:
    """The texts that wait for the agent, or the kinds of their files, after a batch for each that was written."""
    for number, (text, fields) in enumerate(written, 1):
        given: dict[str, Any] = {"message_id": number, "update_id": number, **fields}
        await bot.intake.take([said(text, chat=GROUP, **given)])
    return [one.text[:20] or one.media[0].kind for one in await bot.inbox(GROUPS)]


@pytest.mark.promise("bursts")
@pytest.mark.parametrize(
    ("first", "next_one", "joins"),
    [
        ("@cohort_bot look at this:", ("the news", FORWARD), True),
        ("@cohort_bot look", ("the news", FORWARD), True),
        ("@cohort_bot look", (None, {"photo": [size("p1", 90, 90)]}), True),
        (PIECE, ("the end of it", {}), True),
        ("@cohort_bot look", ("said to the others", {}), False),
        ("@cohort_bot look at this:", ("the news", {"sender": BEN, **FORWARD}), False),
        ("@cohort_bot look", ("the news", {"date": SOME_DAY + timedelta(seconds=2), **FORWARD}), False),
        ("look at this:", ("the news", FORWARD), False),
        ("@cohort_bot look at this:", ("the news", {"kind": "edited_message", **FORWARD}), False),
    ],
)
async def test_what_goes_on_with_a_message_to_the_bot_is_for_the_bot(
    bot: BotUnderTest, first: str, next_one: tuple[str | None, dict[str, Any]], joins: bool
) -> None:
    named = first.startswith("@cohort_bot")
    assert len(await taken(bot, (first, {}), next_one)) == named + joins


async def test_several_forwards_and_an_album_go_on_one_after_the_other(bot: BotUnderTest) -> None:
    album = {"media_group_id": "a"}
    written = [("@cohort_bot compare", {}), ("one", FORWARD), ("two", FORWARD)]
    parts = [(None, {"photo": [size(name, 90, 90)], **album}) for name in ("p1", "p2")]
    assert await taken(bot, *written, *parts) == ["compare", "one", "two", "photo", "photo"]


async def test_what_comes_again_waits_once(bot: BotUnderTest) -> None:
    again = ("the news", {"update_id": 2, "message_id": 2, **FORWARD})
    assert await taken(bot, ("@cohort_bot look:", {}), again, again) == ["look:", "the news"]


async def test_without_a_quiet_time_nothing_belongs_together(settings: Settings, store: Store) -> None:
    bot = make_bot(settings.model_copy(update={"burst": timedelta(0)}), store)
    assert await taken(bot, ("@cohort_bot look at this:", {"sender": ANN}), ("the news", FORWARD)) == ["look at this:"]
