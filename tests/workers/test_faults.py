"""What is promised when a turn fails, code has defects, Telegram refuses, or something cannot be read."""

import asyncio

import pytest

from ops.commands.find import Sought
from tasks.envelope import Reply
from tasks.errors import EnvelopeTooNew, Retryable, StoreUnavailable
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store.sessions import Claim, Commit
from tasks.turn_record import with_reference
from tests.conftest import BOT
from tests.support.redis_of import redis_of
from tests.workers.mishaps import letters
from tests.workers.pool import Pool, session
from workers.interfaces import MediaUnavailable

ONE = session(1)


# -- faults that say who must act, and defects


@pytest.mark.parametrize(
    ("fault", "calls", "said"),
    [
        (MediaUnavailable(), 1, "This file cannot be read; please send it again, or a smaller one."),
        (Retryable("Telegram did not answer"), 2, "answer to hello"),
        (StoreUnavailable("a tool's notes"), 2, "answer to hello"),
        (TimeoutError("not ours"), 2, "answer to hello"),
        (asyncio.CancelledError(), 2, "answer to hello"),
        (ValueError("a defect"), 2, "answer to hello"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_fault_inside_a_turn_is_acted_upon_by_its_kind(
    pool: Pool, fault: BaseException, calls: int, said: str
) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", fault)
    await pool.say(1, "hello")
    await worker.answer(ONE)
    assert (len(pool.model.calls), pool.telegram.texts(ONE)) == (calls, [said])


async def test_a_message_that_meets_a_defect_three_times_goes_to_the_dead_letters_and_its_user_told(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", *(ValueError("a defect") for _ in range(9)))
    await pool.say_all(1, {"text": "hello"})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [phrase("defect")]
    assert [letter.reason for letter in await letters(pool)] == ["failed 3 times: ValueError"]


async def test_a_message_that_breaks_the_loop_itself_goes_to_the_dead_letters_too(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    worker.delivery.unrenderable = "hello"
    await pool.say_all(1, {"text": "hello"}, {"kind": "choose", "choice": {"model": "m"}})
    for _ in range(3):
        assert (await worker.answer(ONE))["outcome"] == "elsewhere"
        assert (await pool.store.sessions.glance(ONE)).running_on is None
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [phrase("poison"), "Switched to m."]
    assert await pool.idle(ONE)


@pytest.mark.promise("no-queue-behind-a-chat")
async def test_a_defect_in_one_session_is_nothing_to_the_others(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    worker.delivery.unrenderable = "bad"
    hold = pool.model.hold("good")
    await pool.say(2, "good")
    good = worker.doorbell(session(2))
    await hold.reached()
    await pool.say(1, "bad")
    await worker.answer(ONE)
    hold.go.set()
    assert (await good)["outcome"] == "answered"


async def test_a_reply_that_breaks_our_own_code_is_given_up_and_said_so(pool: Pool) -> None:
    worker = await pool.worker("w-one")

    async def broken(_session: SessionKey, reply: Reply) -> None:
        if "bad" in reply.text:
            raise ValueError("a defect")

    worker.delivery.before = broken
    await pool.say(1, "bad")
    await worker.answer(ONE)
    await pool.say(1, "good")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [phrase("unsent"), "answer to good"]
    assert pool.telegram.answered(ONE) == [1, 2]
    (letter,) = await letters(pool)
    assert letter.raw is not None
    assert "answer to bad" in letter.raw


async def test_not_even_those_words_hold_a_session_up(pool: Pool) -> None:
    worker = await pool.worker("w-one")

    async def broken(_session: SessionKey, _reply: Reply) -> None:
        raise ValueError("a defect")

    worker.delivery.before = broken
    await pool.say(1, "bad")
    await worker.answer(ONE)
    assert await pool.idle(ONE)
    assert await pool.store.dead.count() == 2


# -- Telegram


async def test_an_undeliverable_reply_is_dropped_and_the_session_goes_on(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    worker.delivery.gone = {ONE}
    await pool.say(1, "a")
    await worker.answer(ONE)
    worker.delivery.gone.clear()
    await pool.say(1, "b")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to b"]
    assert pool.model.calls[-1].history == ["a"]


async def test_a_delivery_that_cannot_be_made_yet_is_made_later(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    faults = [StoreUnavailable("no pace"), Retryable("later")]

    async def later(_session: SessionKey, _reply: Reply) -> None:
        if faults:
            raise faults.pop()

    worker.delivery.before = later
    await pool.say(1, "a")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to a"]


async def test_a_group_that_became_a_supergroup_is_answered_there_with_its_history(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    new = SessionKey(BOT, -1001)
    await pool.say(1, "before")
    await worker.answer(ONE)
    worker.delivery.moved = {ONE: -1001}
    hold = pool.model.hold("during")
    await pool.say(1, "during")
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.say(1, "behind it")
    hold.go.set()
    assert (await turn)["turns"] == 0
    await pool.say(-1001, "after")
    await worker.answer(new)

    assert pool.telegram.texts(new) == ["answer to during", "answer to behind it after"]
    assert pool.telegram.answered(new) == [2, 3, 4]
    assert pool.model.calls[-1].history == ["before", "during"]
    assert await pool.idle(ONE)
    assert await pool.idle(new)


# -- what cannot be read


@pytest.mark.promise("version-skew")
async def test_what_a_newer_release_wrote_is_kept_for_it(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    newer = b'{"v": 99}'
    await pool.say(1, "readable")
    await redis_of(pool.store).rpush(f"cohort:s:{ONE}:inbox", newer)
    for _ in range(5):
        await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to readable"]
    assert await pool.raw_inbox(ONE) == [newer]
    state = await pool.state(ONE)
    assert (state.get("owner"), state["tries"]) == (None, "0")
    assert await pool.store.dead.count() == 0


async def test_a_turn_that_only_a_newer_release_can_run_is_kept_for_it(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", *(EnvelopeTooNew("the history's version is 2") for _ in range(5)))
    await pool.say(1, "hello")
    for _ in range(5):
        await worker.answer(ONE)
        assert (await pool.store.sessions.glance(ONE)).running_on is None
    assert pool.telegram.delivered == []
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to hello"]


async def test_a_reply_of_a_newer_release_is_kept_for_it_and_the_claim_let_go(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    newer = b'{"v": 99}'
    await pool.say(1, "behind it")
    await redis_of(pool.store).rpush(f"cohort:s:{ONE}:outbox", newer)
    await worker.answer(ONE)
    assert pool.model.calls == []
    assert (await pool.store.sessions.glance(ONE)).running_on is None
    await redis_of(pool.store).delete(f"cohort:s:{ONE}:outbox")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to behind it"]


async def test_a_damaged_message_goes_to_the_dead_letters_its_user_told_and_the_next_one_answered(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await redis_of(pool.store).rpush(f"cohort:s:{ONE}:inbox", b"{damaged", b"7")
    await pool.say(1, "next")
    await worker.answer(ONE)
    said = [with_reference(phrase("damaged"), ONE.bot, (), raw) for raw in ("{damaged", "7")]
    assert [reply.text for _, reply in pool.telegram.delivered] == [*said, "answer to next"]
    assert [Sought.of(words).means_letter(letter) for words in said for letter in await letters(pool)] == [
        *(True, False),
        *(False, True),
    ]
    assert [(letter.session, letter.raw) for letter in await letters(pool)] == [(str(ONE), "{damaged"), (str(ONE), "7")]


async def test_a_damaged_reply_goes_to_the_dead_letters_and_its_user_told(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    claim = await worker.store.sessions.claim(ONE, "w-one")
    assert isinstance(claim, Claim)
    await worker.store.sessions.commit(claim, Commit(0, [Reply(text="behind it")]))
    await redis_of(pool.store).lpush(f"cohort:s:{ONE}:outbox", b"{damaged")
    await worker.answer(ONE)
    said = with_reference(phrase("unsent"), ONE.bot, (), "{damaged")
    assert [reply.text for _, reply in pool.telegram.delivered] == ["behind it", said]
    (letter,) = await letters(pool)
    assert Sought.of(said).means_letter(letter)
    assert await pool.idle(ONE)
