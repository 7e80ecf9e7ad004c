"""Thumbs at answers: recorded by answer for people who may talk, changed, taken back, bounded, erased."""

from typing import Any

import pytest
from aiogram import types as tg

from tasks import keys
from tasks.chats.access import Access
from tasks.chats.feedback import Opinion, mark, marked
from tasks.config.settings import Settings
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import ANN, BEN, CHANNEL, FORUM, PRIVATE, SOME_DAY, raw
from tests.support.redis_of import redis_of

UP, DOWN, HEART = (tg.ReactionTypeEmoji(emoji=one) for one in ("👍", "👎", "❤"))
HERS, TOPIC = SessionKey(4242, ANN.id), SessionKey(4242, FORUM.id, 7)
STAR, PAID = tg.ReactionTypeCustomEmoji(custom_emoji_id="5"), tg.ReactionTypePaid()


def reaction(
    update_id: int,
    *now: Any,
    before: tuple[Any, ...] = (),
    chat: tg.Chat = PRIVATE,
    by: tg.User = ANN,
    message: int = 10,
) -> dict[str, Any]:
    change = tg.MessageReactionUpdated(
        chat=chat, message_id=message, user=by, date=SOME_DAY, old_reaction=list(before), new_reaction=list(now)
    )
    return raw(tg.Update(update_id=update_id, message_reaction=change))


@pytest.fixture
async def answered(store: Store) -> None:
    """Message 10 of Ann's chat answers update 5; the same message of a topic answers update 6."""
    for session, update in ((HERS, 5), (TOPIC, 6)):
        await redis_of(store).lpush(keys.answers(session), mark(session, (9, 10), (update,)))
        await redis_of(store).expire(keys.answers(session), 60)


async def kept(store: Store) -> set[tuple[str, int, int, str]]:
    return {(str(one.session), one.update, one.person, one.thumb) for one in await store.feedback.since(0)}


@pytest.mark.promise("feedback")
@pytest.mark.usefixtures("answered")
async def test_a_thumb_at_an_answer_is_kept_changed_and_taken_back(bot: BotUnderTest, store: Store) -> None:
    for _ in range(2):
        await bot.intake.take([reaction(1, UP, HEART), reaction(2, DOWN, chat=FORUM, by=BEN)])
    assert await kept(store) == {("4242:700", 5, 700, "up"), ("4242:-1001234:t7", 6, 701, "down")}
    await bot.intake.take([reaction(3, DOWN, before=(UP,))])
    await bot.intake.take([reaction(4, before=(DOWN,), chat=FORUM, by=BEN)])
    assert await kept(store) == {("4242:700", 5, 700, "down")}
    (opinion,) = await store.feedback.since(0)
    assert opinion.reference == Opinion(HERS, 1, 5, 1, "up").reference


@pytest.mark.promise("feedback")
@pytest.mark.usefixtures("answered")
async def test_what_is_no_thumb_of_an_admitted_person_at_an_answer_is_not_kept(
    settings: Settings, store: Store
) -> None:
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset({ANN.id})))
    await bot.intake.take(
        [
            reaction(1, HEART),
            reaction(2, UP, by=BEN),
            reaction(3, UP, message=11),
            reaction(4, UP, chat=CHANNEL),
        ]
    )
    assert await kept(store) == set()
    assert await bot.said() == await bot.lines_to_strangers() == []


@pytest.mark.promise("feedback")
@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ([((UP,), (UP, DOWN))], "down"),
        ([((UP,), ()), ((), (UP, DOWN))], "down"),
        ([((UP,), ()), ((), (DOWN, UP))], "up"),
        ([((UP,), (UP, DOWN)), ((UP, DOWN), (UP,))], "up"),
        ([((UP,), (UP, DOWN)), ((UP, DOWN), (DOWN, HEART))], "down"),
        ([((UP, DOWN), (HEART,))], None),
        ([((UP,), (UP, HEART)), ((UP, HEART), (UP,))], "up"),
        ([((UP,), (UP, STAR, PAID)), ((UP, STAR, PAID), (STAR, PAID))], None),
    ],
)
async def test_of_several_reactions_the_thumb_that_is_left_counts(
    bot: BotUnderTest, store: Store, changes: list[tuple[tuple[Any, ...], tuple[Any, ...]]], left: str | None
) -> None:
    await bot.intake.take([reaction(1, UP)])
    await bot.intake.take([reaction(n, *now, before=before) for n, (before, now) in enumerate(changes, 2)])
    assert [one.thumb for one in await store.feedback.since(0)] == ([left] if left else [])


@pytest.mark.promise("feedback")
@pytest.mark.usefixtures("answered")
async def test_thumbs_at_several_messages_of_one_answer_are_one_opinion(bot: BotUnderTest, store: Store) -> None:
    await bot.intake.take([reaction(1, UP, message=9), reaction(2, DOWN, message=10)])
    assert len(await store.feedback.since(0)) == 1
    await store.feedback.put(Opinion(TOPIC, 10, 6, BEN.id, "up"))
    assert len(await store.feedback.since(0)) == 2, "another one's is another opinion"


@pytest.mark.promise("feedback")
@pytest.mark.usefixtures("answered")
async def test_the_newest_of_them_counts_and_where_it_goes_the_one_before(bot: BotUnderTest, store: Store) -> None:
    for at, message, thumb in ((1.0, 9, "up"), (2.0, 10, "down")):
        opinion = Opinion(HERS, message, 5, ANN.id, "up" if thumb == "up" else "down")
        await redis_of(store).zadd(keys.feedback(4242), {opinion.written(): at})
    await redis_of(store).expire(keys.feedback(4242), 60)
    assert [one.thumb for one in await store.feedback.since(0)] == ["down"]
    await bot.intake.take([reaction(1, before=(DOWN,), message=10)])
    assert [one.thumb for one in await store.feedback.since(0)] == ["up"]


@pytest.mark.usefixtures("answered")
async def test_one_persons_reactions_are_bounded(bot: BotUnderTest, store: Store) -> None:
    await bot.intake.take([reaction(number, HEART, UP, message=11) for number in range(1, 31)])
    await bot.intake.take([reaction(40, UP)])
    assert await kept(store) == set()
    bot.clock.time += 61
    await bot.intake.take([reaction(41, UP)])
    assert len(await kept(store)) == 1


@pytest.mark.promise("forgotten")
async def test_forgetting_a_person_or_a_session_erases_its_thumbs(store: Store) -> None:
    for session, person in ((HERS, ANN.id), (TOPIC, ANN.id), (TOPIC, BEN.id)):
        await store.feedback.put(Opinion(session, 10, 5, person, "up"))
    assert await store.feedback.forget(ErasureScope(user=ANN.id)) == 2
    assert await kept(store) == {(str(TOPIC), 5, BEN.id, "up")}
    assert await store.feedback.forget(ErasureScope(session=TOPIC)) == 1


def test_a_message_is_found_among_marks_and_rubbish_is_passed_over() -> None:
    marks = ["", "x:1:", "10:5", "14,15,16:7:3", "17,x:8:", "11:6:7", "12:-3:", "10:9:"]
    assert marked(1, 2, 10, marks) == (SessionKey(1, 2), 5)
    assert marked(1, 2, 11, marks) == (SessionKey(1, 2, 7), 6)
    assert marked(1, 2, 12, marks) == (SessionKey(1, 2), -3)
    assert marked(1, 2, 16, marks) == (SessionKey(1, 2, 3), 7)
    assert marked(1, 2, 13, marks) is None
    assert marked(1, 2, 14_15, marks) is None
    assert mark(SessionKey(1, 2, None, "b"), (10,), (5,)) == mark(HERS, (), (5,)) == mark(HERS, (10,), ()) == ""
