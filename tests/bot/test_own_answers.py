"""What the bot answers itself: as durable as messages, and chosen from what there is."""

from datetime import UTC, datetime, timedelta

import pytest
from aiogram import types as tg

from bot import texts
from tasks import keys
from tasks.config.settings import load
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store import Store
from tests.bot.conftest import OURS, BotUnderTest, make_bot
from tests.bot.test_update_intake import ANNS
from tests.bot.updates import ANN, BEN, BOT, FORUM, GROUP, message, pressed, said
from tests.conftest import TOKEN
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of

# -- what the bot answers itself


async def test_the_bots_own_answers_are_as_durable_as_messages(bot: BotUnderTest) -> None:
    assert await bot.intake.take([said("/help"), said("/whoami", update_id=2)])
    assert await bot.said() == [(ANNS, texts.help_text(OURS, group=False)), (ANNS, "Your ID is 700.")]
    assert await bot.inbox(ANNS) == []
    assert await bot.doorbells() == []
    await bot.intake.take([said("/help")])
    assert len(await bot.said()) == 2, "a redelivered question is answered once"


async def test_in_a_topic_whoami_tells_all_three_ids(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/whoami", chat=FORUM, message_thread_id=8, is_topic_message=True)])
    session = "4242:-1001234:t8"
    told = "Your ID is 700.\nThis chat's ID is -1001234.\nThis topic's ID is 8."
    assert await bot.said() == [(session, told)]
    ((_, reply),) = await own_replies(bot.store, 4242)
    assert reply.reply_to == 10


async def test_status_tells_what_waits(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/status", update_id=1)])
    await bot.intake.take([said("a", update_id=2), said("b", update_id=3, message_id=11)])
    await bot.intake.take([said("/queue steer", update_id=5)])
    bot.clock.time += 90
    await bot.intake.take([said("/status", update_id=4)])
    first, *_, second = [text for _, text in await bot.said()]
    assert first.startswith("Ready.")
    assert second.startswith("2 messages have been waiting, the oldest for 90 seconds.\nI haven't started yet.")


@pytest.mark.parametrize("before", [("/language de", "/language en"), ("old", "/stop"), ("/title Plans",)])
async def test_status_tells_how_long_a_message_waits_not_a_choice_before_it(
    bot: BotUnderTest, before: tuple[str, ...]
) -> None:
    for number, word in enumerate(before, 1):
        await bot.intake.take([said(word, update_id=number, message_id=number)])
    bot.clock.time += 600
    await bot.intake.take([said("/status", update_id=11)])
    await bot.intake.take([said("a", update_id=12, message_id=50)])
    bot.clock.time += 90
    await bot.intake.take([said("/status", update_id=13)])
    first, second = [text for _, text in await bot.said()][-2:]
    assert first.startswith("Ready.")
    assert second.startswith("1 message has been waiting for 90 seconds.")


async def test_models_are_chosen_from_those_that_are_allowed(redis_url: str, store: Store) -> None:
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_MODELS": "haiku,sonnet"}
    bot = make_bot(load(given), store)
    await bot.intake.take([said("/model", update_id=1), said("/model gpt", update_id=2)])
    await bot.intake.take([said("/model haiku", update_id=3), said("/model default", update_id=4)])
    assert [entry.choice for entry in await bot.inbox(ANNS)] == [{"model": "haiku"}, {"model": ""}]
    shown, refused = await own_replies(store, 4242)
    assert [button.data for row in shown[1].buttons for button in row] == ["model:haiku", "model:sonnet"]
    assert refused[1].text == texts.no_such("model", "gpt", ("haiku", "sonnet"))


async def test_without_allowed_models_there_is_nothing_to_choose(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/model haiku"), said("/model", update_id=2)])
    assert [text for _, text in await bot.said()] == [
        phrase("model-fixed"),
        f"This conversation uses the default model. {phrase('model-fixed')}",
    ]
    assert await bot.inbox(ANNS) == []


async def test_agents_are_chosen_from_those_that_the_workers_have(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/agent poet", update_id=1), said("/agent chef", update_id=2)])
    bot.agents.names = ()
    await bot.intake.take([said("/agent chef", update_id=3)])
    assert [entry.choice for entry in await bot.inbox(ANNS)] == [{"agent": "poet"}, {"agent": "chef"}]
    assert await bot.said() == [(ANNS, texts.no_such("agent", "chef", ("assistant", "poet")))]


async def test_an_agent_is_chosen_by_its_name_as_its_card_has_it(bot: BotUnderTest) -> None:
    bot.agents.names = ("sea_captain",)
    await bot.intake.take([said("/agent sea captain", update_id=1), said("/agent sea_captain", update_id=2)])
    assert [entry.choice for entry in await bot.inbox(ANNS)] == [{"agent": "sea_captain"}] * 2


async def test_a_pressed_choice_is_taken_and_its_button_answered(bot: BotUnderTest) -> None:
    await bot.intake.take([pressed("agent:poet", message("choose", sender=BOT))])
    await bot.followed()
    assert [entry.choice for entry in await bot.inbox(ANNS)] == [{"agent": "poet"}]
    assert bot.signs.pressed == [("99", "Switched to poet.")]


@pytest.mark.parametrize(("data", "goes"), [("stop", True), ("retry", True), ("agent:poet", False)])
async def test_a_button_that_asks_for_something_once_goes_when_it_was_used(
    bot: BotUnderTest, data: str, goes: bool
) -> None:
    on = message("so far", sender=BOT)
    await bot.intake.take([pressed(data, on)])
    await bot.followed()
    assert bot.signs.used == [(SessionKey.parse(ANNS), on.message_id)] * goes


async def test_a_session_with_a_full_inbox_hears_so_at_most_once_a_minute(redis_url: str, store: Store) -> None:
    from tasks.store import connect

    given = load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_INBOX_CAP": "2"})
    async with connect(given) as small:
        bot = make_bot(given, small)
        await bot.intake.take([said(f"{number}", update_id=number) for number in range(1, 6)])
        await bot.intake.take([said("6", update_id=6)])
        assert [entry.text for entry in await bot.inbox(ANNS)] == ["1", "2"]
        assert await bot.said() == [(ANNS, phrase("inbox-full"))]
        bot.clock.time += 61
        await bot.intake.take([said("7", update_id=7), said("/stop", update_id=8)])
        assert len(await bot.said()) == 2
        assert [entry.kind for entry in await bot.inbox(ANNS)][-1] == "stop", "a control word is always taken"


@pytest.mark.promise("budgets")
@pytest.mark.parametrize("midnight", ["2026-12-01", "2027-01-01", "2028-03-01", "2026-10-26"])
async def test_usage_begins_again_at_midnight_utc_for_each_person_of_a_group_and_follows_the_limits(
    redis_url: str, store: Store, midnight: str
) -> None:
    new_day = datetime.fromisoformat(midnight).replace(tzinfo=UTC)
    old = (new_day - timedelta(seconds=1)).date().isoformat()
    counts = {f"user:{ANN.id}": 1200, f"user:{BEN.id}": 30, f"chat:{GROUP.id}": 1230}
    for scope, count in counts.items():
        for day, used in ((old, count), (midnight, count // 10)):
            await redis_of(store).hset(keys.usage(f"4242:{scope}", day), "input_tokens", used)
            await redis_of(store).expire(keys.usage(f"4242:{scope}", day), 60)

    async def lines(user: str, chat: str, at: datetime, update_id: int, sender: tg.User) -> list[str]:
        given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN}
        bot = make_bot(load({**given, "COHORT_BUDGET_USER": user, "COHORT_BUDGET_CHAT": chat}), store)
        bot.clock.time = at.timestamp()
        await bot.intake.take([said("/usage", update_id=update_id, chat=GROUP, sender=sender)])
        return (await bot.said())[-1][1].splitlines()[1:]

    before = new_day - timedelta(seconds=1)
    assert await lines("5000", "0", before, 1, ANN) == [phrase("usage-you", used="1,200", allowed="5,000")]
    assert await lines("5000", "0", before, 2, BEN) == [phrase("usage-you", used="30", allowed="5,000")]
    # Lowered below what is used, and raised again, by a bot that started again.
    assert await lines("100", "900", before, 3, ANN) == [
        phrase("usage-you", used="1,200", allowed="100"),
        phrase("usage-chat", used="1,230", allowed="900"),
    ]
    assert await lines("100", "9000", new_day, 4, ANN) == [
        phrase("usage-you", used="120", allowed="100"),
        phrase("usage-chat", used="123", allowed="9,000"),
    ]
    assert await lines("0", "0", new_day, 5, ANN) == []
