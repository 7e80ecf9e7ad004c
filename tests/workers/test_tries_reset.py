"""A turn that gets on over many deaths of its workers comes to its end; one that does not is given up as ever."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tasks import keys
from tasks.config.settings import Settings
from tasks.status.worker import WorkerStatus
from tasks.store.sessions import Claim
from tests.support.redis_of import redis_of
from tests.workers.fakes import PATIENCE_S, without_reference
from tests.workers.pool import Pool, Worker, opened, session
from tests.workers.pool_worker import LONG
from tests.workers.test_journal import Stepping, dies_when_it_kept_a_step, holds
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.ownership.tries import RESETS
from workers.sessions.planning.planner import MAX_TRIES
from workers.sessions.planning.plans import GiveUp, Run
from workers.sessions.planning.state_view import StateView
from workers.sessions.spending import Spending
from workers.sessions.turns.cut_turn import decided
from workers.sessions.turns.journal import TurnJournal

ONE = session(1)


async def dies_in_a_further_step(pool: Pool, name: str, *, finishes: bool) -> Stepping:
    """A worker goes on with what is there, keeps a step (``finishes``: one that has ended) and dies."""
    held = Stepping(holds, finishes=finishes)
    await dies_when_it_kept_a_step(pool, name, held)
    return held


@pytest.mark.promise("steps-once")
async def test_collected_messages_go_on_together_over_any_deaths_while_each_life_finishes_a_step(pool: Pool) -> None:
    await pool.say_all(1, {"text": "a"}, {"text": "b"})
    lives = [await dies_in_a_further_step(pool, f"w-{life}", finishes=True) for life in range(MAX_TRIES + 1)]
    last = Stepping()
    await (await pool.worker("w-last", real=last)).answer(ONE)
    seen = [life.seen for life in (*lives, last)]
    assert [texts for ((texts, _),) in seen] == [["a", "b"]] * 5
    assert [len(kept) for ((_, kept),) in seen] == [0, 1, 2, 3, 4]
    assert pool.telegram.answered(ONE) == [1, 2]
    assert "resets" not in await pool.state(ONE)


async def test_a_step_that_has_only_begun_takes_no_try_back(pool: Pool) -> None:
    await pool.say(1, "poison")
    for life in range(MAX_TRIES):
        await dies_in_a_further_step(pool, f"w-{life}", finishes=False)
    runtime = Stepping()
    await (await pool.worker("w-last", real=runtime)).answer(ONE)
    assert runtime.seen == []
    (told,) = pool.telegram.texts(ONE)
    assert without_reference(told) != "answer"


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"t", b"t x", b"t -3", b"t 1e9", b"t \xd9\xa3", b"other 3"])
def test_a_damaged_count_of_resets_is_none(damage: bytes) -> None:
    assert StateView(ONE, {"resets": damage}).resets("t") == 0


async def test_another_messages_last_try_need_not_wait_for_a_turn_whose_tries_were_reset(pool: Pool) -> None:
    """A worker runs one message at a time on its last try; this one is on its last no more."""
    for chat in (1, 2):
        await pool.say(chat, "a")
        await redis_of(pool.store).hset(keys.state(session(chat)), "tries", MAX_TRIES - 1)
    runtime = Stepping(lambda request: "hold" if request.session == ONE else "answer", finishes=True)
    worker = await pool.worker("w-one", real=runtime)
    pool.doorbell(worker, ONE)
    async with asyncio.timeout(PATIENCE_S):
        await runtime.kept.wait()
    await worker.answer(session(2))
    assert pool.telegram.answered(session(2)) == [2]
    runtime.go.set()


# -- any deaths, any steps


@dataclass(frozen=True)
class Life:
    """What one worker does with the turn, and how that ends."""

    steps: tuple[bool, ...]
    """Whether each that it keeps has ended."""
    handed_over: bool


@dataclass
class Plain:
    """What the session's state is to say."""

    counted: int = 0
    resets: int = 0
    kept: list[bytes] = field(default_factory=list)

    def lives(self, life: Life) -> bool:
        """A worker has it; whether it runs the turn."""
        number = self.counted + 1
        if number > MAX_TRIES:
            return False
        if any(life.steps) and number > 1 and self.resets < RESETS:
            number, self.resets = 1, self.resets + 1
        self.kept += [b"%d" % (len(self.kept) + more) for more in range(len(life.steps))]
        self.counted = number - 1 if life.handed_over else number
        return True


LIVES = st.lists(
    st.builds(Life, st.lists(st.booleans(), max_size=3).map(tuple), st.sampled_from([False, False, False, True])),
    min_size=3,
    max_size=2 * MAX_TRIES + 2 * RESETS,
)


async def lived(worker: Worker, life: Life, name: str) -> bool:
    """The same over the real store; whether the turn runs."""
    store, deps = worker.store, worker.deps
    await store.members.beat(name, WorkerStatus(), LONG)
    claim = await store.sessions.claim(ONE, name)
    assert isinstance(claim, Claim)
    owned = OwnedSession(deps, claim, since=deps.heartbeat.now())
    plan = decided(deps, owned, claim.work.inbox, claim.work.tries, None)
    if isinstance(plan, GiveUp):
        return False
    assert isinstance(plan, Run)
    async with owned.tries.running(last=claim.work.tries >= MAX_TRIES):
        journal = TurnJournal(owned, Spending(ONE, deps.sessions, deps.settings, deps.clock), plan.handled.answers)
        await journal.open()
        for finished in life.steps:
            journal.add(b"%d" % len(journal.kept), finished=finished)
            await journal.written()
        if life.handed_over:
            await owned.hand_off()
    await store.members.report_death(name)
    return True


async def check(settings: Settings, lives: list[Life]) -> int:
    """Returns how many workers it had."""
    plain, number = Plain(), 0
    async with opened(settings) as pool:
        await redis_of(pool.store).flushall()
        worker = await pool.worker("w-store")
        await pool.say(1, "a")
        for number, life in enumerate(lives):
            runs = plain.lives(life)
            assert await lived(worker, life, f"w-{number}") == runs
            if not runs:
                break
            state = await pool.state(ONE)
            assert int(state.get("tries", "0")) == plain.counted
            assert int(state.get("resets", "- 0").split()[1]) == plain.resets
            assert await redis_of(pool.store).lrange(keys.journal(ONE), 0, -1) == plain.kept
    return number


@pytest.mark.promise("poison-message")
@pytest.mark.timeout(300)
def test_over_any_deaths_and_steps_the_tries_are_as_the_model_has_them(settings: Settings) -> None:
    with asyncio.Runner() as runner:

        @hypothesis_settings(max_examples=25, deadline=None)
        @given(LIVES)
        def lives_are_counted(lives: list[Life]) -> None:
            runner.run(check(settings, lives))

        lives_are_counted()


@pytest.mark.promise("poison-message")
async def test_a_message_that_kills_its_worker_after_each_finished_step_is_given_up_in_the_end(
    settings: Settings,
) -> None:
    assert await check(settings, [Life((True,), handed_over=False)] * 50) == 1 + RESETS + MAX_TRIES - 1
