"""Inline queries and guest messages: what is answered at once, and what becomes a session of one message."""

from typing import Any

import pytest
from aiogram import types as tg

from bot.api import client
from bot.updates.meaning import BotIdentity, Ignored, Malformed
from bot.updates.understand import GUEST_UPDATES, INLINE_UPDATES, understand
from botapi.errors import TelegramAway
from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store import Store
from tests.bot.conftest import BOT, BotUnderTest, make_bot
from tests.bot.updates import ANN, BEN, GROUP, SOME_DAY, message, raw, size
from tests.bot.updates import BOT as BOT_USER
from tests.conftest import TOKEN
from tests.support.redis_of import redis_of

ME = BotIdentity.of(BOT, "cohort_bot", inline=True, guests=True)
IN_MESSAGE = "4242:700:b~AAQ-7"
GUEST = "4242:700:b~AAQ-g1"


def typed(words: str, *, update_id: int = 1, offset: str = "") -> dict[str, Any]:
    query = tg.InlineQuery(id="q1", from_user=ANN, query=words, offset=offset)
    return raw(tg.Update(update_id=update_id, inline_query=query))


def sent(words: str, inline: str | None = "AAQ-7", *, update_id: int = 1) -> dict[str, Any]:
    result = tg.ChosenInlineResult(result_id="waits", from_user=ANN, query=words, inline_message_id=inline)
    return raw(tg.Update(update_id=update_id, chosen_inline_result=result))


def press(
    data: str, *, sender: tg.User = ANN, inline: str | None = "AAQ-7", update_id: int = 9, callback: str = "c1"
) -> dict[str, Any]:
    query = tg.CallbackQuery(id=callback, from_user=sender, chat_instance="1", inline_message_id=inline, data=data)
    return raw(tg.Update(update_id=update_id, callback_query=query))


async def offered(bot: BotUnderTest, words: str = "how warm is it", *, update_id: int = 1) -> str:
    """Ann types; the data of the button below what she is offered."""
    await bot.intake.take([typed(words, update_id=update_id)])
    await bot.followed()
    article = bot.signs.offered[-1][1]
    assert article is not None
    return article.data


def called(words: str | None, *, sender: tg.User = ANN, update_id: int = 1, **fields: Any) -> dict[str, Any]:
    given = {"guest_query_id": "g1", **fields}
    return raw(tg.Update(update_id=update_id, guest_message=message(words, chat=GROUP, sender=sender, **given)))


@pytest.fixture
def bot(settings: Settings, store: Store) -> BotUnderTest:
    return make_bot(settings, store, me=ME)


async def test_who_types_is_offered_one_message_and_begins_no_turn(bot: BotUnderTest) -> None:
    await bot.intake.take([typed("how warm is it"), typed("  ", update_id=2)])
    await bot.followed()
    (_, article), nothing = bot.signs.offered
    assert article is not None
    assert article.text.startswith("how warm is it")
    assert article.button
    assert nothing == ("q1", None)
    assert (await redis_of(bot.store).keys("cohort:s:*"), await bot.doorbells()) == ([], [])


async def test_a_page_behind_the_one_article_is_empty(bot: BotUnderTest, store: Store) -> None:
    await bot.intake.take([typed("how warm is it"), typed("how warm is it", update_id=2, offset="50")])
    await bot.followed()
    (_, first), second = bot.signs.offered
    assert first is not None
    assert second == ("q1", None)
    (kept,) = await redis_of(store).keys("cohort:bot:*:typed:*")
    assert await redis_of(store).llen(kept) == 1


@pytest.mark.promise("inline-messages")
async def test_a_message_that_was_sent_is_a_session_of_its_own_that_older_workers_leave(bot: BotUnderTest) -> None:
    await bot.intake.take([sent("how warm is it", update_id=5), sent("how warm is it", update_id=5)])
    await bot.followed()
    (entry,) = await bot.inbox(IN_MESSAGE)
    assert (entry.v, entry.text, entry.person, entry.chat_type) == (6, "how warm is it", 700, "private")
    assert await bot.doorbells() == [(SessionKey(BOT, 700, inline="AAQ-7"), 5)]
    # The person's own chat with the bot knows nothing of it.
    assert await bot.inbox("4242:700") == []
    assert bot.signs.typed == []


async def test_a_guest_says_first_words_and_its_question_waits_in_that_message(bot: BotUnderTest) -> None:
    answered = tg.Message(message_id=3, date=SOME_DAY, chat=GROUP, from_user=BEN, text="It is 12 degrees.")
    update = called("@cohort_bot is that warm?", reply_to_message=answered, update_id=8)
    await bot.intake.take([update])
    await bot.intake.take([update])
    (entry,) = await bot.inbox(GUEST)
    assert (entry.text, entry.quote) == ("is that warm?", "It is 12 degrees.")
    assert entry.quoted is not None
    assert entry.quoted.name == "Ben" or (entry.quoted.sender is not None and entry.quoted.sender.name == "Ben")
    assert bot.signs.guest_of == ["g1"]
    assert not entry.quoted.guest, "everybody may talk here"


async def test_a_guest_is_asked_about_the_file_with_the_question_or_about_the_answered_one(bot: BotUnderTest) -> None:
    photo = [size("p", 90, 60)]
    answered = tg.Message(message_id=3, date=SOME_DAY, chat=GROUP, from_user=BEN, photo=photo)
    mine = tg.Message(message_id=4, date=SOME_DAY, chat=GROUP, from_user=BOT_USER, photo=photo)
    for number, fields in enumerate(
        (
            {"caption": "@cohort_bot what is this?", "photo": photo},
            {"reply_to_message": answered},
            {"reply_to_message": mine},
        ),
        1,
    ):
        words = None if "caption" in fields else "@cohort_bot what is this?"
        await bot.intake.take([called(words, update_id=number, guest_query_id=f"g{number}", **fields)])
    found = [(await bot.inbox(f"4242:700:b~AAQ-g{number}"))[0] for number in (1, 2, 3)]
    assert [entry.text for entry in found] == ["what is this?"] * 3
    assert [[media.file_id for media in entry.media] for entry in found] == [["p"], ["p"], ["p"]]


@pytest.mark.promise("guests-words")
async def test_what_a_stranger_said_before_a_guest_was_called_is_marked(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, me=ME, access=Access(everybody=False, allow=frozenset({ANN.id})))
    answered = tg.Message(message_id=3, date=SOME_DAY, chat=GROUP, from_user=BEN, text="It is 12 degrees.")
    await bot.intake.take([called("@cohort_bot is that warm?", reply_to_message=answered, update_id=8)])
    (entry,) = await bot.inbox(GUEST)
    assert entry.quoted is not None
    assert entry.quoted.guest


async def test_who_presses_the_button_of_a_message_that_waits_is_asked_for_patience(bot: BotUnderTest) -> None:
    query = tg.CallbackQuery(id="c1", from_user=BEN, chat_instance="1", inline_message_id="AAQ-7", data="waits")
    await bot.intake.take([raw(tg.Update(update_id=6, callback_query=query))])
    await bot.followed()
    assert bot.signs.pressed == [("c1", phrase("inline-waits"))]


async def test_strangers_are_offered_nothing_and_told_nothing_elsewhere(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, me=ME, access=Access(everybody=False, allow=frozenset({1})))
    await bot.intake.take([typed("hello"), called("@cohort_bot hello", update_id=2)])
    await bot.followed()
    assert (bot.signs.offered, bot.signs.guest_of) == ([("q1", None)], [])
    assert (await bot.said(), await bot.lines_to_strangers()) == ([], [])
    assert await redis_of(store).keys("cohort:s:*") == []


async def test_a_guest_whose_first_words_are_refused_leaves_nothing(bot: BotUnderTest) -> None:
    bot.signs.refuses = TelegramAway("flood", 30.0)
    await bot.intake.take([called("@cohort_bot hello")])
    assert await redis_of(bot.store).keys("cohort:s:*") == []


async def test_a_person_calls_a_guest_twenty_times_a_minute_at_most(
    bot: BotUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(1, 31):
        await bot.intake.take([called("@cohort_bot x", guest_query_id=f"g{number}", update_id=number)])
    assert len(bot.signs.guest_of) == 20
    assert caplog.messages.count("guest.too_many") == 1


@pytest.mark.parametrize("inline", ["a:b", "a b", "x" * 129, "", "ü"])
def test_an_inline_message_whose_id_is_none_is_malformed(inline: str) -> None:
    assert isinstance(understand(sent("hello", inline), ME, 1.0), Malformed)


@pytest.mark.parametrize("update", [sent("hello", None), sent("  "), called(None), called("hi", guest_query_id=None)])
def test_what_leads_to_no_answer_elsewhere_is_ignored(update: dict[str, Any]) -> None:
    assert isinstance(understand(update, ME, 1.0), Ignored)


@pytest.mark.parametrize("update", [typed("hello"), sent("hello"), called("@cohort_bot hello")])
def test_where_it_is_not_switched_on_nothing_is_answered_elsewhere(update: dict[str, Any]) -> None:
    assert isinstance(understand(update, BotIdentity.of(BOT, "cohort_bot"), 1.0), Ignored)


async def test_telegram_is_asked_for_these_updates_only_where_they_are_wanted() -> None:
    for wants, kinds in (({}, ()), ({"inline": True}, INLINE_UPDATES), ({"guests": True}, GUEST_UPDATES)):
        async with client(TOKEN, "http://127.0.0.1:9", **wants) as telegram:  # pyright: ignore[reportArgumentType]
            asked = {kind for kind in telegram.kinds if kind in (*INLINE_UPDATES, *GUEST_UPDATES)}
        assert asked == set(kinds)


@pytest.mark.promise("inline-button")
@pytest.mark.parametrize("first", ["the press", "Telegram's word", "both in one batch"])
async def test_a_press_of_its_author_begins_the_turn_that_telegrams_word_would_and_never_a_second_one(
    bot: BotUnderTest, settings: Settings, store: Store, first: str
) -> None:
    data = await offered(bot)
    assert len(data.encode()) <= 64
    told, pressed = sent("how warm is it", update_id=5), press(data, update_id=6)
    order = [told, pressed] if first == "Telegram's word" else [pressed, told]
    if first == "both in one batch":
        await bot.intake.take(order)
    else:
        await bot.intake.take(order[:1])
        # Another process of the bot, or the same one after a restart.
        await make_bot(settings, store, me=ME).intake.take([*order[1:], press(data, update_id=7, callback="c2")])
    (entry,) = await bot.inbox(IN_MESSAGE)
    assert (entry.v, entry.text, entry.person, entry.chat_type) == (6, "how warm is it", 700, "private")
    assert entry.message_id is None, "the question stays above its answer"
    await bot.followed()
    assert len(await bot.doorbells()) == 1


@pytest.mark.promise("inline-button")
async def test_who_did_not_ask_and_who_presses_too_late_reads_why_and_begins_no_turn(bot: BotUnderTest) -> None:
    data = await offered(bot)
    await bot.intake.take([press(data, sender=BEN)])
    # Ben has no such question, whatever the data say.
    await bot.intake.take([press(data.replace("700", "701"), sender=BEN, update_id=10, callback="c2")])
    await redis_of(bot.store).delete("cohort:bot:4242:typed:700")
    await bot.intake.take([press(data, update_id=11, callback="c3")])
    await bot.followed()
    assert bot.signs.pressed == [
        ("c1", phrase("inline-not-yours")),
        ("c2", phrase("inline-expired")),
        ("c3", phrase("inline-expired")),
    ]
    assert await redis_of(bot.store).keys("cohort:s:*") == []


async def test_a_press_counts_after_telegrams_word_was_one_message_too_many(settings: Settings, store: Store) -> None:
    bot = make_bot(settings.model_copy(update={"rate": 1}), store, me=ME)
    data = await offered(bot)
    await bot.intake.take([sent("one", "AAQ-1", update_id=2), sent("how warm is it", update_id=3)])
    assert await bot.inbox(IN_MESSAGE) == []
    bot.clock.time += 61
    await bot.intake.take([press(data)])
    assert [entry.text for entry in await bot.inbox(IN_MESSAGE)] == ["how warm is it"]


async def test_a_hundred_questions_of_a_person_are_kept_for_a_day_and_go_when_they_are_forgotten(
    bot: BotUnderTest,
) -> None:
    first = await offered(bot, "q0")
    for number in range(1, 102):
        await offered(bot, f"q{number}", update_id=1 + number)
    again = await offered(bot, "q101", update_id=200)
    key = "cohort:bot:4242:typed:700"
    assert (await redis_of(bot.store).llen(key), await redis_of(bot.store).ttl(key)) == (100, 86_400)
    await bot.intake.take([press(first, update_id=300), press(again, update_id=301, inline="AAQ-8")])
    assert await bot.inbox(IN_MESSAGE) == []
    assert [entry.text for entry in await bot.inbox("4242:700:b~AAQ-8")] == ["q101"]
    assert await bot.store.typed.forget(700) == 100
    assert await redis_of(bot.store).exists(key) == 0


@pytest.mark.parametrize(
    ("data", "inline"),
    [("waits", "AAQ-7"), ("waits:700", "AAQ-7"), ("waits:700:zz", "AAQ-7"), ("waits:-7:0123456789abcdef", "AAQ-7")],
)
def test_a_button_that_names_no_question_only_waits(data: str, inline: str) -> None:
    meaning = understand(press(data, inline=inline), ME, 1.0)
    assert isinstance(meaning, Ignored)
    assert meaning.waits


def test_a_press_below_no_inline_message_or_where_it_is_not_switched_on_only_waits() -> None:
    data = "waits:700:0123456789abcdef"
    message_less = press(data, inline=None)
    off = BotIdentity.of(BOT, "cohort_bot")
    for meaning in (understand(message_less, ME, 1.0), understand(press(data), off, 1.0)):
        assert isinstance(meaning, Ignored)
        assert meaning.waits
    assert isinstance(understand(press(data, inline="a b"), ME, 1.0), Malformed)
