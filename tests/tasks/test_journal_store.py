"""The journal of a running turn in Redis: who may write it, what a repeat or a late copy does, and when it goes."""

from dataclasses import replace

import pytest

from tasks import keys
from tasks.errors import ClaimLost
from tasks.journal import JournalTooNew, Mark
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tasks.store.journal import Steps
from tasks.store.sessions import Claim, Commit, Counts
from tests.support.redis_of import redis_of
from tests.tasks.test_sessions_store import LONG, SESSION, claimed, message

USAGE = {"cohort:usage:test:2026-01-01": Counts({"input_tokens": 3})}
MARK = str(Mark.new([1]))


async def begun(store: Store) -> Claim:
    """A claimed session whose turn has kept a step."""
    await store.intake.accept(4242, [message(1), message(2)])
    claim = await claimed(store, "w-one")
    assert await store.journal.append(claim, Steps(MARK, 0, [b"one"], after=""))
    return claim


@pytest.mark.promise("fenced-steps")
async def test_a_zombie_keeps_no_step(store: Store) -> None:
    zombie = await begun(store)
    await store.members.report_death("w-one")
    heir = await claimed(store, "w-two")
    with pytest.raises(ClaimLost):
        await store.journal.append(zombie, Steps(MARK, 1, [b"stale"], after=""))
    assert await store.journal.read(heir) == (b"one",)
    assert heir.state["journal"] == MARK.encode()
    assert await store.journal.append(heir, Steps(MARK, 1, [b"two"], after=""))
    assert await store.journal.read(heir) == (b"one", b"two")


@pytest.mark.promise("fenced-steps")
async def test_steps_that_are_sent_twice_are_kept_and_counted_once(store: Store) -> None:
    claim = await begun(store)
    first = Steps(MARK, 1, [b"two", b"three"], after="", add={"input_tokens": 3}, usage=USAGE)
    later = Steps(MARK, 3, [b"four"], after="")
    for steps in (first, first, later, later, first):
        assert await store.journal.append(claim, steps)
    assert await store.journal.read(claim) == (b"one", b"two", b"three", b"four")
    assert await redis_of(store).hget(next(iter(USAGE)), "input_tokens") == b"3"
    assert await redis_of(store).hget(keys.state(SESSION), "input_tokens") == b"3"


@pytest.mark.promise("fenced-steps")
async def test_the_first_steps_that_come_late_do_not_begin_the_journal_again(store: Store) -> None:
    claim = await begun(store)
    await store.journal.append(claim, Steps(MARK, 1, [b"two"], after=""))
    assert await store.journal.append(claim, Steps(MARK, 0, [b"one"], after=""))
    assert await store.journal.read(claim) == (b"one", b"two")


@pytest.mark.promise("fenced-steps")
async def test_the_commit_removes_the_journal_and_later_steps_are_refused(store: Store) -> None:
    claim = await begun(store)
    commit = Commit(1)
    await store.sessions.commit(claim, commit)
    with pytest.raises(ClaimLost):
        await store.journal.append(claim, Steps(MARK, 1, [b"late"], after=""))
    with pytest.raises(ClaimLost):
        await store.journal.append(claim, Steps(MARK, 0, [b"late"], after=""))
    assert await store.journal.read(claim) == ()
    assert not await redis_of(store).hexists(keys.state(SESSION), "journal")
    assert await store.journal.append(claim, Steps(str(Mark.new([2])), 0, [b"next"], after=commit.id))


async def test_a_commit_that_ends_no_message_leaves_the_journal(store: Store) -> None:
    """A reply whose delivery failed is one, and so is the question of a turn that waits for a person."""
    claim = await begun(store)
    commit = Commit(0)
    await store.sessions.commit(claim, commit)
    assert await store.journal.append(claim, Steps(MARK, 1, [b"two"], after=commit.id))
    assert await store.journal.read(claim) == (b"one", b"two")


async def test_another_turns_journal_goes_when_a_new_one_begins(store: Store) -> None:
    claim = await begun(store)
    other = str(Mark.new([1, 2]))
    assert await store.journal.append(claim, Steps(other, 0, [b"first"], after="", replaces=MARK))
    assert await store.journal.read(claim) == (b"first",)
    assert not await store.journal.append(claim, Steps(MARK, 1, [b"two"], after=""))
    assert not await store.journal.append(claim, Steps(MARK, 0, [b"two"], after="", replaces="something else"))
    assert await store.journal.read(claim) == (b"first",)


async def test_a_journal_that_something_else_changed_takes_no_further_step(store: Store) -> None:
    claim = await begun(store)
    await redis_of(store).rpush(keys.journal(SESSION), b"whose?")
    assert not await store.journal.append(claim, Steps(MARK, 1, [b"two"], after=""))
    await redis_of(store).delete(keys.journal(SESSION))
    await redis_of(store).set(keys.journal(SESSION), b"another type")
    assert not await store.journal.append(claim, Steps(MARK, 1, [b"two"], after=""))
    await redis_of(store).delete(keys.journal(SESSION))


async def test_a_group_that_became_a_supergroup_leaves_no_journal_behind(store: Store) -> None:
    claim = await begun(store)
    new = replace(SESSION, chat=-100)
    await store.moves.leave(claim, new)
    fetcher = await claimed(store, "w-one", new)
    assert await store.moves.fetch(fetcher, SESSION) is not None
    assert not await redis_of(store).exists(keys.journal(SESSION))


def test_a_mark_is_read_as_it_was_written_and_a_newer_one_is_left_alone() -> None:
    mark = Mark.new([7, 8])
    assert Mark.parse(str(mark)) == mark
    assert mark.taken == 2
    assert Mark.parse(str(mark.parked())) == mark.parked()
    assert Mark.parse("") is Mark.parse("1 x turn nonce") is Mark.parse("1 2 turn") is Mark.parse("\ufffd") is None
    with pytest.raises(JournalTooNew):
        Mark.parse("3 something else entirely")


async def test_a_journal_outlives_a_hand_over(store: Store) -> None:
    claim = await begun(store)
    await store.sessions.hand_off(claim)
    await store.members.beat("w-two", WorkerStatus(), LONG)
    heir = await claimed(store, "w-two")
    assert heir.state["journal"] == MARK.encode()
    assert await store.journal.read(heir) == (b"one",)
