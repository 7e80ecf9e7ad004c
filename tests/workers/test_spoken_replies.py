"""What is spoken of an answer holds up nothing: it goes on beside the next turn, and is given up before it is late."""

import asyncio
from datetime import UTC, datetime

import pytest

from botapi.errors import ChatMigrated, Undeliverable
from tasks.envelope import Reply
from tasks.session import SessionKey
from tests.support.redis_of import redis_of
from tests.workers.fakes import PATIENCE_S, Changes, Hold
from tests.workers.pool import BOT, Pool, Worker, session

ONE, TWO = session(1), session(2)


class Voice:
    """Holds each spoken answer on its way until the test lets it go on, or it is given up."""

    def __init__(self) -> None:
        self.holds: list[Hold] = []
        self.given_up = 0
        self.changes = Changes()

    async def begun(self, count: int = 1) -> Hold:
        """A voice that is being made."""
        await self.changes.until(lambda: len(self.holds) >= count)
        return self.holds[count - 1]

    async def ended(self) -> None:
        """One is given up."""
        await self.changes.until(lambda: self.given_up > 0)

    async def before(self, _: SessionKey, reply: Reply) -> None:
        if any(file.speak for file in reply.files):
            self.holds.append(hold := Hold())
            self.changes.tell()
            try:
                await hold.here()
            except asyncio.CancelledError:
                self.given_up += 1
                self.changes.tell()
                raise


@pytest.fixture
def voice() -> Voice:
    return Voice()


async def speaks(pool: Pool, voice: Voice, name: str = "w-one") -> Worker:
    worker = await pool.worker(name, COHORT_VOICE="tts-1")
    worker.delivery.before = voice.before
    return worker


async def ask_for_voice(pool: Pool, chat: int, text: str) -> None:
    await pool.say(chat, text, media=[{"kind": "voice", "file_id": "v"}])


def sent(pool: Pool, where: SessionKey = ONE) -> list[str]:
    return [reply.text or "voice" for at, reply in pool.telegram.delivered if at == where]


@pytest.mark.promise("answers-are-spoken")
async def test_the_next_message_is_answered_while_the_answer_before_is_spoken(pool: Pool, voice: Voice) -> None:
    worker = await speaks(pool, voice)
    await ask_for_voice(pool, 1, "first")
    worker.doorbell(ONE)
    hold = await voice.begun()
    turn = pool.model.hold("second")
    await pool.say(1, "second")
    worker.doorbell(ONE)
    await turn.reached()
    assert sent(pool) == ["answer to first"]
    hold.go.set()
    await pool.telegram.until_delivered(2)
    turn.go.set()
    await pool.telegram.until_delivered(3)
    assert sent(pool) == ["answer to first", "voice", "answer to second"]
    await pool.all_leave()


@pytest.mark.promise("answers-are-spoken")
async def test_a_voice_that_is_not_ready_when_the_next_answer_is_is_given_up(pool: Pool, voice: Voice) -> None:
    worker = await speaks(pool, voice)
    await ask_for_voice(pool, 1, "first")
    worker.doorbell(ONE)
    hold = await voice.begun()
    await pool.say(1, "second")
    worker.doorbell(ONE)
    await voice.ended()
    await pool.telegram.until_delivered(2)
    hold.go.set()
    await pool.say(1, "third")
    worker.doorbell(ONE)
    await pool.telegram.until_delivered(3)
    assert sent(pool) == ["answer to first", "answer to second", "answer to third"]


async def test_other_chats_do_not_wait_for_a_voice(pool: Pool, voice: Voice) -> None:
    worker = await speaks(pool, voice)
    await ask_for_voice(pool, 1, "first")
    worker.doorbell(ONE)
    hold = await voice.begun()
    await pool.say(2, "hello")
    await worker.answer(TWO)
    assert sent(pool, TWO) == ["answer to hello"]
    hold.go.set()
    await pool.telegram.until_delivered(3)


async def test_a_doorbell_without_a_message_does_not_part_a_session_from_its_voice(pool: Pool, voice: Voice) -> None:
    worker = await speaks(pool, voice)
    await ask_for_voice(pool, 1, "first")
    first = worker.doorbell(ONE)
    hold = await voice.begun()
    await worker.answer(ONE)
    assert not await pool.idle(ONE), "its reply stands in the outbox"
    hold.go.set()
    async with asyncio.timeout(PATIENCE_S):
        await first
    assert sent(pool) == ["answer to first", "voice"]
    assert await pool.idle(ONE)


async def test_messages_that_waited_already_are_answered_beside_a_voice(pool: Pool, voice: Voice) -> None:
    worker = await pool.worker("w-one", COHORT_VOICE="tts-1", COHORT_QUEUE_MODE="followup")
    worker.delivery.before = voice.before
    await pool.say_all(1, {"text": "first", "media": [{"kind": "voice", "file_id": "v"}]}, {"text": "second"})
    turn = pool.model.hold("second")
    worker.doorbell(ONE)
    await turn.reached()
    (await voice.begun()).go.set()
    await pool.telegram.until_delivered(2)
    turn.go.set()
    await pool.telegram.until_delivered(3)
    assert sent(pool) == ["answer to first", "voice", "answer to second"]


async def test_a_voice_of_a_worker_that_died_is_made_again_by_the_next_one(pool: Pool, voice: Voice) -> None:
    dying = await speaks(pool, voice)
    await ask_for_voice(pool, 1, "first")
    dying.doorbell(ONE)
    await voice.begun()
    await dying.kill()
    next_one = await speaks(pool, voice, "w-two")
    await pool.say(1, "second")
    next_one.doorbell(ONE)
    (await voice.begun(2)).go.set()
    await pool.telegram.until_delivered(3)
    assert sent(pool)[0] == "answer to first"
    assert sorted(sent(pool)[1:]) == ["answer to second", "voice"]


@pytest.mark.parametrize("problem", [Undeliverable("file is too big"), ChatMigrated(-5), OSError("disk")])
async def test_a_voice_that_fails_in_any_way_leaves_the_session_as_it_is(
    pool: Pool, voice: Voice, problem: Exception
) -> None:
    worker = await speaks(pool, voice)

    async def fails(_: SessionKey, reply: Reply) -> None:
        if reply.files:
            raise problem

    worker.delivery.before = fails
    await ask_for_voice(pool, 1, "first")
    await worker.answer(ONE)
    await pool.say(1, "second")
    await worker.answer(ONE)
    assert sent(pool) == ["answer to first", "answer to second"]
    assert await pool.idle(ONE)


@pytest.mark.promise("usage-counts-audio")
async def test_what_is_spoken_counts_for_the_chat_and_its_person(pool: Pool, voice: Voice) -> None:
    worker = await pool.worker("w-one", COHORT_VOICE="tts-1")
    await pool.say(1, "hello")
    await worker.answer(ONE)
    silent = (await pool.store.sessions.glance(ONE)).usage_out
    await ask_for_voice(pool, 1, "hello")
    await worker.answer(ONE)
    glance = await pool.store.sessions.glance(ONE)
    said = len("answer to hello")
    assert (glance.spoken, glance.usage_out) == (said, 2 * silent + 4)
    day = datetime.fromtimestamp(pool.clock.now(), UTC).date().isoformat()
    for scope in ("chat:1", "model:tts-1"):
        assert (
            await redis_of(pool.store).hget(f"cohort:usage:{BOT}:{scope}:{day}", "spoken_characters")
            == str(said).encode()
        )


@pytest.mark.promise("answers-are-spoken")
async def test_where_telegram_takes_no_voice_messages_it_is_said_once_and_answers_are_written(
    pool: Pool, voice: Voice
) -> None:
    worker = await speaks(pool, voice)

    async def fails(_: SessionKey, reply: Reply) -> None:
        if reply.files:
            raise Undeliverable("Voice_messages_forbidden")

    worker.delivery.before = fails
    said = "Telegram doesn't let me send voice messages here, so I'll only write. /voice changes that."
    await ask_for_voice(pool, 1, "first")
    await worker.answer(ONE)
    (record,) = worker.deps.trail.take()
    assert (record.refused, record.unheard) == ("", "Voice_messages_forbidden")
    assert record.delivered is not None
    await ask_for_voice(pool, 1, "second")
    await worker.answer(ONE)
    assert sent(pool) == ["answer to first", said, "answer to second"]
    assert await pool.idle(ONE)


async def test_a_refused_voice_that_went_on_beside_the_next_turn_is_told_behind_its_answer(
    pool: Pool, voice: Voice
) -> None:
    worker = await speaks(pool, voice)
    hold = Hold()

    async def fails(_: SessionKey, reply: Reply) -> None:
        if reply.files:
            await hold.here()
            raise Undeliverable("Bad Request: not enough rights to send voice notes to the chat")

    worker.delivery.before = fails
    await ask_for_voice(pool, 1, "first")
    worker.doorbell(ONE)
    await hold.reached()
    turn = pool.model.hold("second")
    await pool.say(1, "second")
    worker.doorbell(ONE)
    await turn.reached()
    hold.go.set()
    turn.go.set()
    await pool.telegram.until_delivered(3)
    first, second, said = sent(pool)
    assert (first, second) == ("answer to first", "answer to second")
    assert said.startswith("Telegram doesn't let me send voice messages here")
