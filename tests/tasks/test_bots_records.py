"""Dead letters and the turns of `cohort find` are kept for each bot: a noisy one pushes out no other's."""

from datetime import timedelta

import pytest

from tasks import keys
from tasks.envelope import DeadLetter, Inbound
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.store.intake import Accept
from tasks.store.records.dead import is_letter
from tasks.store.records.recorded import LEAST, share
from tasks.store.records.trail import BUNDLES_KEPT
from tasks.store.sessions import Claim, Commit
from tasks.turn_record import TurnRecord
from tests.support.redis_of import redis_of

NOISY, QUIET = SessionKey(20, 7), SessionKey(202, 7)


def letter(session: SessionKey, update: int) -> DeadLetter:
    inbound = Inbound(session=str(session), update_id=update, at=0.0, text="hello", message_id=1)
    return DeadLetter(reason="no", at=0.0, session=str(session), update_id=update, inbound=inbound)


@pytest.mark.promise("many-bots")
async def test_ten_thousand_dead_letters_of_one_bot_leave_another_its_own(store: Store) -> None:
    await store.intake.accept(QUIET.bot, [Accept(1, dead=DeadLetter(reason="junk", at=0.0, update_id=1, raw="{}"))])
    for start in range(0, 12_000, 1000):
        noise = [Accept(n, dead=DeadLetter(reason="junk", at=0.0, update_id=n)) for n in range(start, start + 1000)]
        await store.intake.accept(NOISY.bot, noise)
    assert await store.dead.count(QUIET.bot) == 1
    assert 5_000 <= await store.dead.count(NOISY.bot) < 5_200
    (mine,) = await store.dead.list(bot=QUIET.bot)
    assert (mine.bot, mine.letter.raw, is_letter(mine.id)) == (QUIET.bot, "{}", True)
    assert len(await store.dead.list(50)) == 50
    assert await store.dead.drop(mine.id)
    assert await store.dead.count(QUIET.bot) == 0


@pytest.mark.promise("many-bots")
async def test_a_turn_of_a_quiet_bot_is_found_behind_any_number_of_turns_of_another(store: Store) -> None:
    await store.trail.append([TurnRecord(session=str(QUIET), updates=(1,))])
    for update in range(BUNDLES_KEPT + 1000):
        await redis_of(store).xadd(keys.trail(NOISY.bot), {"turns": "-"}, id=f"{update + 1}-1")
    noise = TurnRecord(session=str(NOISY), updates=(2,))
    await store.trail.append([noise, TurnRecord(session=str(QUIET), updates=(3,))])
    assert await redis_of(store).xlen(keys.trail(NOISY.bot)) < BUNDLES_KEPT
    assert [one.updates async for one in store.trail.newest(QUIET.bot)] == [(3,), (1,)]
    assert sorted([one.updates async for one in store.trail.newest()]) == [(1,), (2,), (3,)]
    assert [one.updates async for one in store.trail.newest()][-1] == (1,)
    assert await store.trail.forget(ErasureScope(session=QUIET)) == 2
    assert [one.session async for one in store.trail.newest()] == [str(NOISY)]


@pytest.mark.promise("many-bots")
async def test_a_letter_of_a_turn_is_its_bots_and_can_be_retried_where_another_has_the_same_id(store: Store) -> None:
    for session in (NOISY, QUIET):
        await redis_of(store).xadd(keys.dead(session.bot), {"letter": letter(session, 5).to_json()}, id="7-0")
    await store.members.beat("w", WorkerStatus(), timedelta(minutes=5))
    claim = await store.sessions.claim(QUIET, "w")
    assert isinstance(claim, Claim)
    await store.sessions.commit(claim, Commit(0, dead=[letter(QUIET, 6)]))
    await redis_of(store).zadd(keys.RECORDED, {str(NOISY.bot): 0})
    assert [dead.letter.update_id for dead in await store.dead.list(bot=QUIET.bot)] == [5, 6]
    assert await store.dead.retry(f"{QUIET.bot}:7-0")
    assert [await redis_of(store).llen(keys.inbox(one)) for one in (NOISY, QUIET)] == [0, 1]  # type: ignore[misc]
    assert await store.dead.get("7-0") is None


@pytest.mark.promise("many-bots")
async def test_letters_of_an_earlier_release_are_listed_by_the_bot_of_their_session(store: Store) -> None:
    for session in (NOISY, QUIET):
        await redis_of(store).xadd(keys.DEAD, {"letter": letter(session, 5).to_json()})
    await redis_of(store).xadd(keys.DEAD, {"letter": DeadLetter(reason="junk", at=0.0, raw="{}").to_json()})
    (mine,) = await store.dead.list(bot=QUIET.bot)
    assert (mine.letter.session, await store.dead.count(QUIET.bot), await store.dead.count()) == (str(QUIET), 1, 3)
    assert (await store.dead.get(mine.id), await store.dead.retry(mine.id)) == (mine, True)


@pytest.mark.promise("many-bots")
async def test_where_the_list_of_bots_was_damaged_no_letter_is_lost_and_the_next_one_is_kept(store: Store) -> None:
    await store.intake.accept(QUIET.bot, [Accept(1, dead=letter(QUIET, 1))])
    await redis_of(store).set(keys.RECORDED, "rubbish")
    assert await store.dead.count() == 1
    await store.intake.accept(NOISY.bot, [Accept(2, dead=letter(NOISY, 2))])
    assert {dead.bot for dead in await store.dead.list(bot=QUIET.bot)} == {QUIET.bot}
    assert await store.dead.count() == 3  # and one says what was taken away


def test_bots_share_what_may_be_kept_and_each_has_a_least() -> None:
    assert [share(10_000, bots) for bots in (0, 1, 2, 100)] == [10_000, 10_000, 5_000, LEAST]
    names = ["1-0", "20:1-0", f"20:{2**64 - 1}-1", ":1-0", "x:1-0", "20:", "20:1", "1", f"1-{2**64}", "-1:1-0"]
    assert [is_letter(name) for name in names] == [True] * 3 + [False] * 7
