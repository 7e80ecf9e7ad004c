"""A pressed button of a question: whether it counts, and the one line that its person reads."""

import pytest
from aiogram import types as tg

from bot import texts
from tasks import keys
from tasks.chats.access import Person
from tasks.chats.asking import GivenAnswer, OpenQuestion, ParkedTurn
from tasks.chats.roles import Role
from tasks.config.settings import Settings
from tasks.phrases import phrase
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import ANN, BEN, BOT, GROUP, message, pressed, raw, said
from tests.support.redis_of import redis_of

ANNS, GROUPS = "4242:700", "4242:-55"
QUESTION = OpenQuestion(id="q1", key="k/0", kind="approve", about="book", text="May I do this?", scope="a:book")
TURN = ParkedTurn(turn="t", taken=1, ends=2e9, who=(ANN.id,), questions=(QUESTION,))


async def asks(bot: BotUnderTest, turn: ParkedTurn = TURN) -> None:
    await redis_of(bot.store).hset(keys.state(ANNS), "parked", turn.to_json())


async def press(bot: BotUnderTest, *data: str) -> list[str | None]:
    """Press buttons, each in a batch of its own; what is read."""
    for number, one in enumerate(data, 1):
        await bot.intake.take([pressed(one, message("May I?", sender=BOT), update_id=number)])
    await bot.followed()
    return [line for _, line in bot.signs.pressed]


@pytest.mark.promise("ask-answered-once")
async def test_the_first_press_is_stored_and_the_second_one_told(bot: BotUnderTest) -> None:
    await asks(bot)
    assert await press(bot, "ask:q1:once", "ask:q1:no") == [phrase("answer-taken"), phrase("question-answered")]
    (entry,) = await bot.inbox(ANNS)
    assert (entry.kind, entry.v, entry.choice, entry.person) == ("answer", 3, {"ask": "q1", "say": "once"}, ANN.id)
    assert len(await bot.doorbells()) == 1


async def test_two_presses_of_one_batch_count_once(bot: BotUnderTest) -> None:
    await asks(bot)
    on = message("May I?", sender=BOT)
    await bot.intake.take([pressed(f"ask:q1:{verdict}", on, update_id=n) for n, verdict in ((1, "no"), (2, "once"))])
    assert [entry.choice["say"] for entry in await bot.inbox(ANNS)] == ["no"]


@pytest.mark.promise("ask-who")
@pytest.mark.parametrize(
    ("turn", "data", "line"),
    [
        (None, "ask:q1:once", phrase("question-ended")),
        (TURN, "ask:q9:once", phrase("question-ended")),
        (TURN, "ask:q1:seven", phrase("question-ended")),
        (TURN, "ask:q1:", phrase("question-ended")),
        (TURN.model_copy(update={"who": (1,)}), "ask:q1:once", phrase("question-not-yours")),
        (
            TURN.model_copy(update={"given": {"q1": GivenAnswer(verdict="no")}}),
            "ask:q1:once",
            phrase("question-answered"),
        ),
        (TURN, "ask:q1:no", phrase("answer-denied")),
    ],
)
async def test_each_press_is_told_in_one_line_what_became_of_it(
    bot: BotUnderTest, turn: ParkedTurn | None, data: str, line: str
) -> None:
    if turn is not None:
        await asks(bot, turn)
    assert await press(bot, data) == [line]
    assert len(await bot.inbox(ANNS)) == (line == phrase("answer-denied"))


async def test_a_question_in_a_message_that_telegram_no_longer_shows_is_answered(bot: BotUnderTest) -> None:
    await asks(bot)
    gone = tg.InaccessibleMessage(chat=message("x").chat, message_id=10, date=0)
    await bot.intake.take([pressed("ask:q1:once", gone)])
    assert len(await bot.inbox(ANNS)) == 1


async def test_status_names_the_open_question(bot: BotUnderTest) -> None:
    await asks(bot)
    await bot.intake.take([said("/status")])
    ((_, text),) = await bot.said()
    assert text.startswith(texts.asked("book"))


@pytest.mark.parametrize(("more", "told"), [((), []), (("also this",), ["1 message is waiting."])])
async def test_status_does_not_call_the_message_waiting_that_the_question_is_about(
    bot: BotUnderTest, more: tuple[str, ...], told: list[str]
) -> None:
    for number, words in enumerate(("book a table", *more), 1):
        await bot.intake.take([said(words, update_id=number, message_id=number)])
    await asks(bot)
    bot.clock.time += 90
    await bot.intake.take([said("/status", update_id=9, message_id=9)])
    text = [text for _, text in await bot.said()][-1]
    assert text.split("\n") == [texts.asked("book"), *told, text.split("\n")[-1]]
    assert text.split("\n")[-1].startswith("Agent:")


@pytest.mark.promise("ask-who")
@pytest.mark.parametrize(
    ("role", "counts"), [("owner", True), ("admin", True), ("member", False), ("guest", False), (None, False)]
)
async def test_the_bots_owner_and_admins_may_answer_what_others_are_asked(
    bot: BotUnderTest, role: Role | None, *, counts: bool
) -> None:
    if role is not None:
        await bot.store.people.put(4242, BEN.id, Person(role=role, name="Ben"))
    await redis_of(bot.store).hset(keys.state(GROUPS), "parked", TURN.to_json())
    under = message("May I?", sender=BOT, chat=GROUP)
    query = tg.CallbackQuery(id="99", from_user=BEN, chat_instance="1", message=under, data="ask:q1:once")
    await bot.intake.take([raw(tg.Update(update_id=1, callback_query=query))])
    await bot.followed()
    assert [line for _, line in bot.signs.pressed] == [
        phrase("answer-taken") if counts else phrase("question-not-yours")
    ]
    assert [entry.in_charge for entry in await bot.inbox(GROUPS)] == [True] * counts


@pytest.mark.promise("ask-who")
@pytest.mark.parametrize(
    ("who", "admin", "counts"),
    [
        (GROUP.id, True, True),
        (GROUP.id, False, False),
        (ANN.id, True, False),
    ],
)
async def test_a_question_to_an_anonymous_administrator_is_answered_by_each_of_the_groups(
    settings: Settings, store: Store, who: int, *, admin: bool, counts: bool
) -> None:
    async def admins(_chat: int) -> frozenset[int]:
        return frozenset({BEN.id} if admin else ())

    bot = make_bot(settings, store, admins=admins)
    turn = TURN.model_copy(update={"who": (who,)})
    await redis_of(store).hset(keys.state(GROUPS), "parked", turn.to_json())
    under = message("May I?", sender=BOT, chat=GROUP)
    query = tg.CallbackQuery(id="99", from_user=BEN, chat_instance="1", message=under, data="ask:q1:once")
    await bot.intake.take([raw(tg.Update(update_id=1, callback_query=query))])
    await bot.followed()
    said_of_it = phrase("answer-taken") if counts else phrase("question-not-yours")
    assert [line for _, line in bot.signs.pressed] == [said_of_it]
    taken = await bot.inbox(GROUPS)
    assert [turn.refusal(entry, ()) for entry in taken] == [None] * counts, "the worker takes it, too"


async def test_what_an_owner_writes_in_a_group_counts_as_an_answer_and_in_private_is_as_it_was(
    bot: BotUnderTest,
) -> None:
    await bot.store.people.put(4242, ANN.id, Person(role="owner", name="Ann"))
    await bot.intake.take([said("/ask me", update_id=1), said("@cohort_bot Tuesday", chat=GROUP, update_id=2)])
    assert [entry.in_charge for entry in await bot.inbox(ANNS)] == [False]
    assert [entry.in_charge for entry in await bot.inbox(GROUPS)] == [True]
