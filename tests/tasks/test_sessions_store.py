"""The fence, told as stories: what a stale owner, a repeated command and a paused worker may not do."""

from datetime import timedelta
from typing import Any

import pytest

from tasks.clock import SystemClock
from tasks.envelope import DeadLetter, Inbound, Reply
from tasks.errors import ClaimLost
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tasks.store.intake import Accept
from tasks.store.sessions import Claim, Commit, Held, SessionStore
from tasks.store.state import StateField
from tests.support.redis_of import redis_of

SESSION = SessionKey(4242, 5)
LONG = timedelta(minutes=5)


def message(update_id: int, session: SessionKey = SESSION) -> Accept:
    return Accept(update_id, inbound=Inbound(session=str(session), update_id=update_id, at=1.0, text=f"m{update_id}"))


async def claimed(store: Store, worker: str, session: SessionKey = SESSION) -> Claim:
    await store.members.beat(worker, WorkerStatus(), LONG)
    claim = await store.sessions.claim(session, worker)
    assert isinstance(claim, Claim)
    return claim


@pytest.mark.promise("fenced-commit")
async def test_a_zombie_commits_nothing(store: Store) -> None:
    await store.intake.accept(4242, [message(1)])
    zombie = await claimed(store, "w-one")
    await store.members.report_death("w-one")
    heir = await claimed(store, "w-two")
    await store.members.beat("w-one", WorkerStatus(), LONG)

    with pytest.raises(ClaimLost):
        await store.sessions.commit(zombie, Commit(1, [Reply(text="stale")], history=b"stale"))
    with pytest.raises(ClaimLost):
        await store.sessions.advance(zombie)
    await store.sessions.hand_off(zombie)

    work = await store.sessions.advance(heir)
    assert work is not None
    assert len(work.inbox) == 1
    assert work.outbox == ()


@pytest.mark.promise("fenced-commit")
async def test_a_claim_of_an_earlier_epoch_commits_nothing_though_the_owner_is_the_same(store: Store) -> None:
    await store.intake.accept(4242, [message(1)])
    first = await claimed(store, "w-one")
    await store.members.report_death("w-one")
    between = await claimed(store, "w-two")
    await store.sessions.hand_off(between)
    again = await claimed(store, "w-one")

    assert again.owner == first.owner
    with pytest.raises(ClaimLost):
        await store.sessions.commit(first, Commit(1, [Reply(text="stale")]))
    await store.sessions.commit(again, Commit(1, [Reply(text="fresh")]))


class Recorder:
    """A script that keeps what it was asked, so that it can be asked again, late."""

    def __init__(self, script: Any) -> None:
        self._script = script
        self.asked: list[tuple[Any, Any]] = []

    async def __call__(self, keys: Any, args: Any) -> Any:
        self.asked.append((keys, args))
        return await self._script(keys, args)


async def test_a_claim_that_the_network_brings_late_is_none(store: Store) -> None:
    await store.members.beat("w-one", WorkerStatus(), LONG)
    sessions = SessionStore(redis_of(store), SystemClock(), slots=64)
    sessions._claim = recorder = Recorder(sessions._claim)  # type: ignore[assignment]
    claim = await sessions.claim(SESSION, "w-one")
    assert isinstance(claim, Claim)
    assert await sessions.advance(claim) is None

    for keys, args in tuple(recorder.asked):
        assert (await recorder._script(keys, args))[0] == b"held"

    assert (await sessions.glance(SESSION)).running_on is None


async def test_a_claim_or_a_look_repeated_because_its_answer_was_lost_counts_one_try(store: Store) -> None:
    await store.intake.accept(4242, [message(1), message(2)])
    claim = await claimed(store, "w-one")
    for _ in range(3):
        claim = await claimed(store, "w-one")
    assert claim.work.tries == 1
    await store.sessions.commit(claim, Commit(1))
    for _ in range(3):
        work = await store.sessions.advance(claim, begun=1)
        assert work is not None
        assert work.tries == 1


async def test_the_first_try_counts_with_the_claim_and_a_later_one_when_its_owner_says_so(store: Store) -> None:
    await store.intake.accept(4242, [message(1)])
    await store.sessions.hand_off(await claimed(store, "w-one"))
    await store.sessions.hand_off(await claimed(store, "w-one"), counts=True)
    assert (await claimed(store, "w-one")).work.tries == 2
    await store.members.report_death("w-one")
    claim = await claimed(store, "w-two")
    assert claim.work.tries == 2
    await store.sessions.note(claim, StateField.tries, "2")
    await store.members.report_death("w-two")
    assert (await claimed(store, "w-three")).work.tries == 3


async def test_a_living_owner_keeps_its_session(store: Store) -> None:
    await claimed(store, "w-one")
    await store.members.beat("w-two", WorkerStatus(), LONG)
    assert await store.sessions.claim(SESSION, "w-two") == Held("w-one")


async def test_a_worker_whose_own_heartbeat_is_overdue_claims_nothing(store: Store) -> None:
    assert await store.sessions.claim(SESSION, "w-late") == Held(None)


async def test_saying_twice_that_a_reply_was_delivered_drops_one(store: Store) -> None:
    claim = await claimed(store, "w-one")
    first, _ = await store.sessions.commit(claim, Commit(0, [Reply(text="same"), Reply(text="same")]))
    await store.sessions.delivered(claim, first)
    await store.sessions.delivered(claim, first)
    work = await store.sessions.advance(claim)
    assert work is not None
    assert len(work.outbox) == 1


class Stutter:
    """A script whose every answer is lost once, so that the client sends it again."""

    def __init__(self, script: Any) -> None:
        self._script = script

    async def __call__(self, keys: Any, args: Any) -> Any:
        await self._script(keys, args)
        return await self._script(keys, args)


@pytest.mark.promise("committed-once")
async def test_a_commit_sent_twice_is_done_once(store: Store) -> None:
    await store.intake.accept(4242, [message(1), message(2), message(3)])
    claim = await claimed(store, "w-one")
    sessions = SessionStore(redis_of(store), SystemClock(), slots=64)
    sessions._commit = Stutter(sessions._commit)  # type: ignore[assignment]

    await sessions.commit(claim, Commit(1, [Reply(text="one")], add={"input_tokens": 5}))

    work = await store.sessions.advance(claim)
    assert work is not None
    assert (len(work.inbox), len(work.outbox)) == (2, 1)
    assert (await store.sessions.glance(SESSION)).usage_in == 5


@pytest.mark.promise("committed-once")
async def test_a_commit_given_again_because_its_answer_was_lost_is_done_once(store: Store) -> None:
    await store.intake.accept(4242, [message(1), message(2)])
    claim = await claimed(store, "w-one")
    commit = Commit(1, [Reply(text="one")])

    written = await store.sessions.commit(claim, commit)
    assert await store.sessions.commit(claim, commit) == written

    work = await store.sessions.advance(claim)
    assert work is not None
    assert (len(work.inbox), work.outbox) == (1, written)


@pytest.mark.promise("committed-once")
async def test_a_commit_that_the_network_brings_late_is_not_done_behind_its_successor(store: Store) -> None:
    await store.intake.accept(4242, [message(1), message(2), message(3)])
    claim = await claimed(store, "w-one")
    first = Commit(1, [Reply(text="one")], after="")
    second = Commit(1, [Reply(text="two")], after=first.id)
    await store.sessions.commit(claim, first)
    await store.sessions.commit(claim, second)

    with pytest.raises(ClaimLost):
        await store.sessions.commit(claim, first)

    work = await store.sessions.advance(claim)
    assert work is not None
    assert (len(work.inbox), len(work.outbox)) == (1, 2)


@pytest.mark.promise("accepted-once")
async def test_a_redelivered_update_is_accepted_once(store: Store) -> None:
    assert await store.intake.accept(4242, [message(1), message(2)]) == ["accepted", "accepted"]
    assert await store.intake.accept(4242, [message(2), message(3), message(3)]) == ["seen", "accepted", "seen"]
    claim = await claimed(store, "w-one")
    assert [Inbound.from_json(raw).update_id for raw in claim.work.inbox] == [1, 2, 3]


async def test_the_same_update_id_of_another_bot_is_another_update(store: Store) -> None:
    other = SessionKey(4243, 5)
    assert await store.intake.accept(4242, [message(1)]) == ["accepted"]
    assert await store.intake.accept(4243, [message(1, other)]) == ["accepted"]


async def test_a_dead_letter_can_be_retried_once(store: Store) -> None:
    inbound = message(1).inbound
    assert inbound is not None
    claim = await claimed(store, "w-one")
    await store.sessions.commit(claim, Commit(0, dead=[DeadLetter(reason="why", at=2.0, inbound=inbound)]))
    (dead,) = await store.dead.list()
    assert dead.letter.reason == "why"
    assert await store.dead.retry(dead.id)
    assert not await store.dead.retry(dead.id)
    work = await store.sessions.advance(claim)
    assert work is not None
    assert [Inbound.from_json(raw) for raw in work.inbox] == [inbound]


async def test_two_workers_with_different_slot_counts_do_not_share_a_redis(store: Store, redis_url: str) -> None:
    from tasks.config.settings import load
    from tasks.errors import Misconfigured
    from tasks.store import connect

    with pytest.raises(Misconfigured, match="set COHORT_SLOTS=64"):
        async with connect(load({"REDIS_URL": redis_url, "COHORT_SLOTS": "32"})):
            pass
