"""Messages that came before a question was put: they answer nothing, and are handled when its turn has ended."""

from typing import Any

import pytest

from tasks.envelope import Inbound
from tests.workers.asking import AUTHOR, BOOK, ONE, WORDS, Asking, press, shown, turn
from tests.workers.pool import Pool
from workers.interfaces import Sink, TurnRequest, TurnResult
from workers.steps import PersonsAnswer


class Overtaken(Asking):
    """A message comes while its first turn runs, before that asks."""

    pool: Pool
    fields: dict[str, Any]

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        if not self.seen:
            await self.pool.say(1, **{"text": "by the way", "sender": AUTHOR, **self.fields})
        elif request.messages[0].text != "please":
            self.rounds = ()
        return await super().run(request, sink)


async def overtaken(pool: Pool, runtime: Overtaken, mode: str, **fields: Any) -> None:
    """The turn is parked, and the message stands behind it."""
    runtime.pool, runtime.fields = pool, fields
    worker = await pool.worker("w-one", real=runtime, COHORT_QUEUE_MODE=mode)
    await pool.say(1, "please", sender=AUTHOR)
    await worker.answer(ONE)
    assert len(await pool.raw_inbox(ONE)) == 2


@pytest.mark.promise("ask-answered-once")
@pytest.mark.parametrize("mode", ["collect", "followup", "steer"])
async def test_a_text_from_before_a_question_is_not_its_answer(pool: Pool, mode: str) -> None:
    runtime = Overtaken(((WORDS,),))
    await overtaken(pool, runtime, mode)
    worker = pool.workers["w-one"]
    assert [question.text for question in (await turn(pool)).open] == ["Your name?"]
    assert await pool.pending() == []
    await pool.say(1, "Ann", sender=AUTHOR)
    await worker.answer(ONE)
    assert runtime.seen[1].answers == {WORDS.key: PersonsAnswer("words", "Ann", "Ann", person=7)}
    assert [[message.text for message in request.messages] for request in runtime.seen] == [
        ["please"],
        ["please"],
        ["by the way"],
    ]
    assert sorted(pool.telegram.answered(ONE)) == [1, 2, 3]
    assert await pool.idle(ONE)


@pytest.mark.promise("ask-answered-once")
async def test_a_message_that_joined_the_turn_before_its_question_is_not_the_answer(pool: Pool) -> None:
    class Joined(Overtaken):
        async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
            if not self.seen:
                await self.pool.say(1, text="by the way", sender=AUTHOR)
            assert request.steering is not None
            behind = [Inbound.from_json(raw) for raw in (await self.pool.raw_inbox(ONE))[1:2]]
            request.steering.joined(behind)
            return await Asking.run(self, request, sink)

    runtime = Joined(((WORDS,),))
    await overtaken(pool, runtime, "steer")
    await pool.say(1, "Ann", sender=AUTHOR)
    await pool.workers["w-one"].answer(ONE)
    assert [said.plain for said in runtime.seen[-1].answers.values()] == ["Ann"]
    assert len(runtime.seen) == 2, "what joined is answered with the turn"
    assert sorted(pool.telegram.answered(ONE)) == [1, 2, 3]
    assert await pool.idle(ONE)


@pytest.mark.parametrize(
    "fields",
    [{}, {"kind": "reminder"}, {"media": [{"kind": "photo", "file_id": "f"}]}, {"sender": {"id": 8, "name": "Ben"}}],
)
async def test_what_came_before_a_question_does_not_end_it(pool: Pool, fields: dict[str, Any]) -> None:
    runtime = Overtaken(((BOOK,),))
    await overtaken(pool, runtime, "collect", **fields)
    assert "Not allowed" not in shown(pool)[0]
    await press(pool, "once")
    await pool.workers["w-one"].answer(ONE)
    assert [request.messages[0].text for request in runtime.seen] == ["please", "please", "by the way"]
    assert runtime.seen[1].answers == {BOOK.key: PersonsAnswer("run", person=7)}
    assert await pool.idle(ONE)


async def test_in_steer_mode_a_message_behind_a_question_joins_the_turn(pool: Pool) -> None:
    runtime = Asking(((BOOK,),))
    worker = await pool.worker("w-one", real=runtime, COHORT_QUEUE_MODE="steer")
    await pool.say(1, "please", sender=AUTHOR)
    await worker.answer(ONE)
    await pool.say(1, "make it five", sender=AUTHOR)
    await worker.answer(ONE)
    assert runtime.seen[-1].answers == {BOOK.key: PersonsAnswer("words", "make it five", person=7)}
    assert pool.telegram.answered(ONE) == [1, 2]
    assert await pool.idle(ONE)


async def test_in_interrupt_mode_what_came_before_a_question_withdraws_it(pool: Pool) -> None:
    runtime = Overtaken(((WORDS,),))
    runtime.pool, runtime.fields = pool, {}
    worker = await pool.worker("w-one", real=runtime, COHORT_QUEUE_MODE="interrupt")
    await pool.say(1, "please", sender=AUTHOR)
    await worker.answer(ONE)
    assert "Withdrawn." in shown(pool)[0]
    assert [request.messages[0].text for request in runtime.seen] == ["please", "by the way"]
    assert runtime.seen[-1].answers == {}
    assert await pool.idle(ONE)
