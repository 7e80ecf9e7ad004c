"""Commands about the last exchange and their buttons, on their way to the worker."""

import pytest

from tests.bot.conftest import BotUnderTest
from tests.bot.updates import BOT, message, pressed, said

ANNS = "4242:700"


async def test_retry_means_the_last_message_and_its_button_those_of_an_outage(bot: BotUnderTest) -> None:
    button = pressed("retry", message("sorry", sender=BOT), update_id=2)
    await bot.intake.take([said("/retry", update_id=1), button])
    assert [(entry.kind, entry.last) for entry in await bot.inbox(ANNS)] == [("retry", True), ("retry", False)]


async def test_undo_given_twice_by_telegram_is_taken_once_and_left_alone_by_older_workers(bot: BotUnderTest) -> None:
    for _ in range(2):
        await bot.intake.take([said("/undo", update_id=1)])
    (undo,) = await bot.inbox(ANNS)
    assert (undo.kind, undo.v) == ("undo", 3)


@pytest.mark.parametrize("word", ["retry", "undo"])
async def test_a_button_below_a_stopped_turn_names_its_exchange_and_goes_when_it_is_used(
    bot: BotUnderTest, word: str
) -> None:
    under = message("Stopped.", sender=BOT)
    await bot.intake.take([pressed(f"{word}:0123456789abcdef", under)])
    await bot.followed()
    (entry,) = await bot.inbox(ANNS)
    assert (entry.kind, entry.exchange, entry.last, entry.v) == (word, "0123456789abcdef", word == "retry", 4)
    assert [place for _, place in bot.signs.used] == [under.message_id]


@pytest.mark.parametrize("data", ["undo", "undo:", "undo:x", "undo:0123456789ABCDEF", "undo:0123456789abcdef0"])
async def test_an_undo_that_names_no_exchange_is_no_button_of_ours(bot: BotUnderTest, data: str) -> None:
    await bot.intake.take([pressed(data, message("Stopped.", sender=BOT))])
    assert await bot.inbox(ANNS) == []
