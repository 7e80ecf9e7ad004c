"""A question of a call that stays open: the turn waits with its claim, and the answer reaches it through the inbox."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tasks.chats.asking import ParkedTurn
from tests.support.redis_of import redis_of
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import Pool, Worker, session
from workers.interfaces import Sink, TurnRequest, TurnResult
from workers.steps import PersonsAnswer, Question
from workers.usage import Usage

ONE = session(1)
AUTHOR = {"id": 7, "name": "Ann"}
COLOUR = Question("k", "shop", "", text="Which colour?", choices=("Red", "Green"))
NAME = Question("k", "shop", "", text="Your name?")


@dataclass
class Holding:
    """A runtime whose turns ask these questions one after the other, with their calls open."""

    questions: tuple[Question, ...] = (COLOUR,)
    seconds: float = PATIENCE_S
    agents: tuple[str, ...] = ("agent",)
    seen: list[list[str]] = field(default_factory=list)
    said: list[PersonsAnswer | None] = field(default_factory=list)

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        self.seen.append([message.text for message in request.messages])
        if len(self.seen) == 1:
            assert request.holds is not None
            for question in self.questions:
                self.said.append(await request.holds(question, self.seconds))
        return TurnResult(f"done {len(self.seen)}", b"history", Usage())

    async def compact(self, request: TurnRequest) -> TurnResult:
        raise AssertionError


@asynccontextmanager
async def asking(pool: Pool, runtime: Holding, **environ: str) -> AsyncGenerator[Worker]:
    """A worker whose turn asks; at the end that turn has ended."""
    worker = await pool.worker("w-one", real=runtime, **environ)
    await pool.say(1, "please", sender=AUTHOR)
    answering = worker.doorbell(ONE)
    await shown(pool, runtime.questions[0].text)
    yield worker
    async with asyncio.timeout(PATIENCE_S):
        await answering


async def shown(pool: Pool, text: str) -> ParkedTurn:
    """The open question, once its message stands in the chat and is noted."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found, _ = await pool.store.sessions.parked(ONE)
            if found is not None and found.open[0].text == text and '"place"' in (await pool.state(ONE))["held"]:
                return found


async def press(pool: Pool, turn: ParkedTurn, verdict: str, person: int = 7) -> None:
    said = {"choice": {"ask": turn.questions[0].id, "say": verdict}, "message_id": 1}
    await pool.say(1, kind="answer", v=3, sender={"id": person, "name": "P"}, **said)


def texts(pool: Pool) -> list[str]:
    return list(pool.telegram.chat(ONE).shown.values())


@pytest.mark.promise("elicited")
async def test_a_pressed_button_reaches_the_call_that_waits(pool: Pool) -> None:
    runtime = Holding()
    async with asking(pool, runtime) as worker:
        assert (await pool.state(ONE))["owner"] == "w-one"
        assert (await pool.store.sessions.glance(ONE)).question == "Which colour?"
        turn = await shown(pool, "Which colour?")
        await press(pool, turn, "0", person=8)
        await press(pool, turn, "1")
        assert (await worker.answer(ONE))["outcome"] == "joined"
    assert runtime.said == [PersonsAnswer("words", "Green", pressed=1, person=7)]
    assert texts(pool) == ["Which colour?\n\nAnswer: Green", "done 1"]
    assert await pool.idle(ONE)
    assert "held" not in await pool.state(ONE)


@pytest.mark.promise("elicited")
@pytest.mark.parametrize("mode", ["collect", "followup", "interrupt", "steer"])
async def test_words_answer_one_question_each_and_are_answered_with_the_turn(pool: Pool, mode: str) -> None:
    runtime = Holding((NAME, Question("k", "shop", "", text="Your town?")))
    async with asking(pool, runtime, COHORT_QUEUE_MODE=mode) as worker:
        await pool.say(1, "Ann", sender=AUTHOR)
        await worker.answer(ONE)
        await shown(pool, "Your town?")
        await pool.say(1, "Bonn", sender=AUTHOR)
        await worker.answer(ONE)
    assert [said and said.plain for said in runtime.said] == ["Ann", "Bonn"]
    assert runtime.seen == [["please"]]
    assert pool.telegram.answered(ONE) == [1, 2, 3]
    assert await pool.idle(ONE)


@pytest.mark.parametrize("more", [{}, {"forwarded_from": "Bo"}])
async def test_what_is_written_beside_the_answer_is_the_next_turn(pool: Pool, more: dict[str, Any]) -> None:
    runtime = Holding((NAME,))
    async with asking(pool, runtime) as worker:
        more["media"] = [{"kind": "photo", "file_id": "f"}]
        await pool.say_all(1, {"text": "look", "sender": AUTHOR, **more}, {"text": "Ann", "sender": AUTHOR})
        await worker.answer(ONE)
    assert runtime.said[0] is not None
    assert runtime.seen == [["please"], ["look"]]
    assert await pool.idle(ONE)


@pytest.mark.promise("elicited")
async def test_an_answer_whose_doorbell_is_sent_elsewhere_is_found(pool: Pool) -> None:
    runtime = Holding()
    async with asking(pool, runtime):
        await press(pool, await shown(pool, "Which colour?"), "0")
    assert runtime.said == [PersonsAnswer("words", "Red", pressed=0, person=7)]


@pytest.mark.promise("elicited")
async def test_without_an_answer_in_time_the_turn_goes_on(pool: Pool) -> None:
    runtime = Holding(seconds=0.2)
    async with asking(pool, runtime):
        pass
    assert runtime.said == [None]
    assert texts(pool) == ["Which colour?\n\nNo answer came in time.", "done 1"]


@pytest.mark.promise("elicited")
@pytest.mark.parametrize("kind", ["stop", "new"])
async def test_stop_and_new_end_the_question_with_the_turn(pool: Pool, kind: str) -> None:
    runtime = Holding()
    async with asking(pool, runtime) as worker:
        await pool.say(1, kind=kind)
        worker.scheduler.interrupt(ONE)
    assert runtime.said == []
    assert texts(pool)[0] == "Which colour?\n\nThis question is closed."
    assert "held" not in await pool.state(ONE)
    assert await pool.idle(ONE)


@pytest.mark.promise("elicited")
@pytest.mark.parametrize(
    ("kind", "told"), [("stop", "Stopped."), ("new", "New conversation. I skipped your last message.")]
)
async def test_what_answered_a_question_is_no_skipped_message(pool: Pool, kind: str, told: str) -> None:
    runtime = Holding((NAME, replace(NAME, key="l", text="Your age?"), COLOUR))
    async with asking(pool, runtime) as worker:
        for words, next_question in (("Ann", "Your age?"), ("42", "Which colour?")):
            await pool.say(1, words, sender=AUTHOR)
            pool.doorbell(worker, ONE)
            await shown(pool, next_question)
        await pool.say(1, kind=kind, sender=AUTHOR)
        worker.scheduler.interrupt(ONE)
    assert [given.plain for given in runtime.said if given is not None] == ["Ann", "42"]
    assert texts(pool)[-1] == told


@pytest.mark.promise("elicited")
async def test_a_question_whose_worker_died_says_that_it_is_over_and_the_turn_runs_again(pool: Pool) -> None:
    first, second = Holding(), Holding((NAME,))
    worker = await pool.worker("w-one", real=first)
    await pool.say(1, "please", sender=AUTHOR)
    pool.doorbell(worker, ONE)
    old = await shown(pool, "Which colour?")
    await worker.kill()
    heir = await pool.worker("w-two", real=second)
    await press(pool, old, "0")
    answering = heir.doorbell(ONE)
    await shown(pool, "Your name?")
    assert texts(pool)[0] == "Which colour?\n\nThis question is closed."
    await pool.say(1, "Ann", sender=AUTHOR)
    await heir.answer(ONE)
    await answering
    assert [said and said.plain for said in second.said] == ["Ann"]
    assert await pool.idle(ONE)


@dataclass
class Steered(Holding):
    """A model call of another member is about to be made while the question is open, and one after its answer."""

    joined: list[list[str]] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beside(request), name="beside")
            result = await super().run(request, sink)
        await self._join(request)
        return result

    async def _beside(self, request: TurnRequest) -> None:
        if not self.seen[1:]:
            await self.heard.wait()
            await self._join(request)

    async def _join(self, request: TurnRequest) -> None:
        assert request.steering is not None
        newer = await request.steering.newer()
        request.steering.joined(newer)
        self.joined.append([message.text for message in newer])


@pytest.mark.promise("elicited")
@pytest.mark.promise("steers")
async def test_an_answer_joins_no_model_call_before_or_after_it_is_taken(pool: Pool) -> None:
    runtime = Steered((NAME,))
    async with asking(pool, runtime, COHORT_QUEUE_MODE="steer") as worker:
        await pool.say(1, "Ann", sender=AUTHOR)
        # The model call comes before the one that waits has read the inbox.
        assert worker.scheduler is not None
        steering = worker.scheduler._loops[ONE][0].steering
        assert steering is not None
        steering.heard()
        runtime.heard.set()
        async with asyncio.timeout(PATIENCE_S):
            while not runtime.joined:
                await redis_of(pool.store).ping()
        await worker.answer(ONE)
    assert [said and said.plain for said in runtime.said] == ["Ann"]
    assert runtime.joined == [[], []]
    assert runtime.seen == [["please"]]
    assert pool.telegram.answered(ONE) == [1, 2]
    assert await pool.idle(ONE)
