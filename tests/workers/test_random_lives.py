"""Random lives of a pool: workers are killed, taken for dead, cut off and drained at random, and nothing is lost."""

import asyncio
from random import Random

import pytest

from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tests.workers.cable import Fate
from tests.workers.history import check
from tests.workers.pool import Pool, Worker, session
from tests.workers.pool_worker import LONG

CHATS = range(1, 13)
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (1, 2))]
MESSAGES = 12


class Life:
    """One random life, the same for the same seed as far as the machine's own order of things allows."""

    def __init__(self, pool: Pool, seed: int, mode: str) -> None:
        self.pool = pool
        self.dice = Random(seed)
        self.mode = mode
        self.sent: dict[int, list[int]] = {chat: [] for chat in CHATS}
        self.living: list[Worker] = []
        self.born = 0
        self.deaths = 0

    async def another(self) -> None:
        self.born += 1
        worker = await self.pool.worker(f"w-{self.born}", COHORT_QUEUE_MODE=self.mode)
        worker.at_step = self._dies
        worker.cable.heard = self._network
        self.living.append(worker)

    def _dies(self, _step: str) -> bool:
        return self.dice.random() < 0.01

    async def _network(self, sent: bytes) -> Fate:
        if b"EVALSHA" not in sent or self.dice.random() > 0.02:
            return "passes"
        return self.dice.choice(("lost", "answer lost"))

    async def round(self) -> None:
        """Something happens."""
        for worker in [worker for worker in self.living if worker.dead or worker.ended.is_set()]:
            self.living.remove(worker)
            self.deaths += worker.dead
            await worker.has_ended()
        while len(self.living) < 3:
            await self.another()
        worker = self.dice.choice(self.living)
        match self.dice.randrange(20):
            case 0:
                worker.cut()
            case 1:
                worker.drain(self.dice.choice((0, 1)))
            case 2:
                # It was paused for longer than its heartbeat lives, and knows nothing of it.
                await self.pool.store.members.report_death(worker.name)
            case 3:
                await self.pool.store.members.beat(worker.name, WorkerStatus(), LONG, member=False)
            case 4:
                worker.cable.cut()
                worker.cable.mend()
            case _:
                await self._say_something()

    async def _say_something(self) -> None:
        chat = self.dice.choice(CHATS)
        if len(self.sent[chat]) < MESSAGES:
            count = self.dice.randint(1, 3)
            texts = [{"text": f"{chat}.{len(self.sent[chat]) + number}"} for number in range(count)]
            self.sent[chat] += await self.pool.say_all(chat, *texts)
        # A lost doorbell is harmless, and so is one too many.
        for worker in self.dice.choices(self.living, k=self.dice.randint(0, 2)):
            if not worker.dead and not worker.ended.is_set():
                self.pool.doorbell(worker, session(chat))

    async def settle(self) -> None:
        """A last worker that sweeps, when all others are gone."""
        for worker in self.living:
            if not worker.dead:
                worker.drain(0)
            await worker.has_ended()
        last = await self.pool.worker("w-last", COHORT_QUEUE_MODE=self.mode)
        for chat in CHATS:
            await last.answer(session(chat))


@pytest.mark.parametrize("mode", ["collect", "followup"])
@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_happens_to_its_workers_each_message_is_answered_once_and_in_order(
    pool: Pool, seed: int, mode: str
) -> None:
    life = Life(pool, seed, mode)
    async with asyncio.timeout(100):
        for _ in range(150):
            await life.round()
        await life.settle()
    assert life.born > 5
    await check(pool, life.sent, healthy=False)


GROUPS = range(-4, 0)


class Moving(Life):
    """Groups that become supergroups meanwhile: Telegram says so in both, and refuses whatever is for the old one."""

    def __init__(self, pool: Pool, seed: int, mode: str) -> None:
        super().__init__(pool, seed, mode)
        self.sent = {chat: [] for group in GROUPS for chat in (group, group - 1000)}
        self.moved: dict[SessionKey, int] = {}

    async def another(self) -> None:
        await super().another()
        # One truth for all of them.
        self.living[-1].delivery.moved = self.moved

    async def _say_something(self) -> None:
        group = self.dice.choice(GROUPS)
        new = group - 1000
        if len(self.sent[group]) > MESSAGES / 2 and self.dice.random() < 0.3:
            self.moved[session(group)] = new
            await self.pool.say(group, kind="moved", v=2, moved_to=new, message_id=None)
        chat = group
        if session(group) in self.moved and self.dice.random() < 0.9:
            chat = new
        if len(self.sent[chat]) < MESSAGES:
            # What comes late for the group is a reminder, or was said while the bot was not looking.
            self.sent[chat].append(await self.pool.say(chat, f"{chat}.{len(self.sent[chat])}"))
        for worker in self.dice.choices(self.living, k=self.dice.randint(0, 2)):
            if not worker.dead and not worker.ended.is_set():
                self.pool.doorbell(worker, session(self.dice.choice((group, new))))

    async def settle(self) -> None:
        for worker in self.living:
            if not worker.dead:
                worker.drain(0)
            await worker.has_ended()
        last = await self.pool.worker("w-last", COHORT_QUEUE_MODE=self.mode)
        last.delivery.moved = self.moved
        for chat in self.sent:
            await last.answer(session(chat))
        while waiting := await self.pool.pending():
            for where in waiting:
                await last.answer(where)


@pytest.mark.parametrize("mode", ["collect", "followup"])
@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_happens_while_groups_move_each_message_is_answered_once_and_in_order(
    pool: Pool, seed: int, mode: str
) -> None:
    life = Moving(pool, seed, mode)
    async with asyncio.timeout(100):
        for _ in range(150):
            await life.round()
        await life.settle()
    await pool.all_leave()
    assert len(life.moved) > 1
    for group in GROUPS:
        both = {session(group), session(group - 1000)}
        replies = {reply.id: reply for where, reply in pool.telegram.delivered if where in both}
        answered = [update for reply in replies.values() for update in reply.answers]
        for chat in (group, group - 1000):
            assert [update for update in answered if update in life.sent[chat]] == life.sent[chat]
        assert len(answered) == len(life.sent[group]) + len(life.sent[group - 1000])
        texts = [text for call in pool.model.calls if call.request.session in both for text in call.texts]
        assert all(text.startswith((f"{group}.", f"{group - 1000}.")) for text in texts)
        for where in both:
            assert await pool.idle(where)
            assert "awaits" not in await pool.state(where)
