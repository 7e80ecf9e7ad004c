"""Reminders that set reminders: they end by themselves, by /stop, by /new, and when their person may no longer talk."""

import pytest

from tasks.chats.access import OperatorsWord, Person
from tasks.envelope import Inbound
from tasks.errors import Terminal
from tasks.phrases import phrase
from tasks.store.reminders import LONGEST_CHAIN, SHORTEST_CHAINED_S, ReminderStore
from tests.tasks.test_reminders_and_notes import anyone
from tests.workers.pool import Pool, Worker, session
from workers import texts
from workers.interfaces import Sink, TurnRequest, TurnResult
from workers.runtime.tools.session_tools import Origin
from workers.sessions.reminders import admission

ONE = session(1)


class Reminding:
    """A runtime each of whose turns sets another reminder, as far as it may."""

    def __init__(self) -> None:
        self.store: ReminderStore | None = None
        self.turns: list[TurnRequest] = []
        self.refused: list[str] = []

    @property
    def agents(self) -> tuple[str, ...]:
        return ("agent",)

    async def run(self, request: TurnRequest, sink: Sink | None) -> TurnResult:
        del sink
        self.turns.append(request)
        origin = Origin.of(request.messages)
        assert self.store is not None
        try:
            await self.store.add(request.session, "again", 600, by=origin.by, depth=origin.depth)
        except Terminal as problem:
            self.refused.append(str(problem))
        return TurnResult("done", b"history")

    async def compact(self, request: TurnRequest) -> TurnResult:
        return await self.run(request, None)


@pytest.fixture
async def runtime(pool: Pool) -> Reminding:
    runtime = Reminding()
    worker = await pool.worker("w-one", real=runtime)
    runtime.store = worker.store.reminders
    return runtime


async def pass_time(pool: Pool, worker: Worker) -> None:
    """The next reminder comes, if there is one, and is answered."""
    pool.clock.advance(SHORTEST_CHAINED_S + 1)
    await worker.store.reminders.fire(anyone)
    await worker.answer(ONE)


@pytest.mark.promise("reminders-bounded")
async def test_reminders_that_set_one_another_end_until_a_person_writes(pool: Pool, runtime: Reminding) -> None:
    worker = pool.workers["w-one"]
    for asked in (1, 2):
        before = len(runtime.turns)
        await pool.say(1, "remind me again and again", sender={"id": 7})
        await worker.answer(ONE)
        for _ in range(2 * LONGEST_CHAIN):
            await pass_time(pool, worker)
        assert len(runtime.turns) - before == 1 + 1 + LONGEST_CHAIN
        assert len(runtime.refused) == asked
    assert {turn.messages[0].set_by for turn in runtime.turns if turn.messages[0].kind == "reminder"} == {7}


@pytest.mark.promise("reminders-bounded")
@pytest.mark.parametrize("kind", ["stop", "new"])
async def test_stop_and_new_end_what_reminders_have_set(pool: Pool, runtime: Reminding, kind: str) -> None:
    worker = pool.workers["w-one"]
    await pool.say(1, "remind me", sender={"id": 7})
    await worker.answer(ONE)
    await pass_time(pool, worker)
    assert [reminder.depth for reminder in await worker.store.reminders.waiting(ONE)] == [1]
    await pool.say(1, kind=kind)
    await worker.answer(ONE)
    assert phrase("chain-ended") in pool.telegram.texts(ONE)[-1]
    turns = len(runtime.turns)
    for _ in range(3):
        await pass_time(pool, worker)
    assert len(runtime.turns) == turns


async def test_new_names_the_reminders_that_people_have_set_and_stop_leaves_them(
    pool: Pool, runtime: Reminding
) -> None:
    worker = pool.workers["w-one"]
    await pool.say(1, "remind me", sender={"id": 7})
    await worker.answer(ONE)
    await pool.say(1, kind="stop")
    await worker.answer(ONE)
    await pool.say(1, kind="new")
    await worker.answer(ONE)
    stopped, (_, renewed) = pool.telegram.texts(ONE)[-2], pool.telegram.delivered[-1]
    assert stopped == texts.stopped(0)
    assert texts.still_set(1) in renewed.text
    assert [[button.data for button in row] for row in renewed.buttons] == [[texts.CANCEL_REMINDERS_DATA]]
    assert len(await worker.store.reminders.waiting(ONE)) == 1
    assert len(runtime.turns) == 1


async def test_a_worker_that_was_not_told_who_may_talk_leaves_reminders_until_a_bot_tells(pool: Pool) -> None:
    worker = await pool.worker("w-two")
    admits, people = admission(lambda _: pool.settings, worker.store.people), worker.store.people
    asked = Inbound(session=str(ONE), update_id=-1, at=1.0, kind="reminder", set_by=7)
    assert await admits(asked) is None
    await people.put(ONE.bot, 7, Person(role="member"))
    assert await admits(asked) is None
    await people.publish(ONE.bot, OperatorsWord(mode="pairing"))
    assert await admits(asked) is True
    await people.put(ONE.bot, 7, Person(role="denied"))
    assert await admits(asked) is False
