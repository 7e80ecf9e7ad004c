"""A group became a supergroup, told as stories: what its session leaves, and what the new one takes, once."""

from typing import Any

import pytest

from tasks import keys
from tasks.clock import SystemClock
from tasks.envelope import Inbound, Reply
from tasks.errors import ClaimLost
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.moves import Moves
from tasks.store.sessions import Commit
from tests.support.redis_of import redis_of
from tests.tasks.test_sessions_store import Stutter, claimed, message

OLD, NEW = SessionKey(4242, -5), SessionKey(4242, -1005)


async def pending(store: Store) -> set[SessionKey]:
    return {session for found in await store.sessions.sweep(range(64), 9, 0) for session in found.sessions}


async def left(store: Store) -> None:
    """A group with history, a message and a reply, that has moved."""
    await store.intake.accept(4242, [message(1, OLD), message(2, OLD), message(3, NEW)])
    claim = await claimed(store, "w-one", OLD)
    await store.sessions.commit(claim, Commit(1, [Reply(text="answer", edit=9)], history=b"h", add={"turns": 1}))
    await store.moves.leave(claim, NEW)


async def test_a_group_s_session_that_was_left_is_pending_until_it_was_fetched(store: Store) -> None:
    claim = await claimed(store, "w-one", OLD)
    await store.moves.leave(claim, NEW)
    assert await pending(store) == {OLD, NEW}
    heir = await claimed(store, "w-one", NEW)
    assert heir.work.migrating_from == str(OLD)
    work = await store.sessions.advance(heir)
    assert work is not None
    assert work.migrating_from == str(OLD)
    assert await store.moves.fetch(heir, OLD) is not None
    assert await store.sessions.advance(heir) is None
    assert await pending(store) == set()


async def test_what_is_fetched_twice_comes_once(store: Store) -> None:
    await left(store)
    heir = await claimed(store, "w-two", NEW)
    moves = Moves(redis_of(store), SystemClock(), slots=64)
    moves._fetch = Stutter(moves._fetch)  # type: ignore[assignment]
    fetched = await moves.fetch(heir, OLD)
    assert fetched is not None
    assert (fetched.state["history"], fetched.state["turns"]) == (b"h", b"1")
    work = await store.sessions.advance(heir)
    assert work is not None
    assert [Inbound.from_json(raw).update_id for raw in work.inbox] == [2, 3]
    assert [(Reply.from_json(raw).text, Reply.from_json(raw).edit) for raw in work.outbox] == [("answer", None)]


async def test_a_session_that_was_left_twice_is_fetched_once(store: Store) -> None:
    claim = await claimed(store, "w-one", OLD)
    moves = Moves(redis_of(store), SystemClock(), slots=64)
    moves._move = Stutter(moves._move)  # type: ignore[assignment]
    # The second answer is all that its owner hears; that the session is gone is what it wanted.
    with pytest.raises(ClaimLost):
        await moves.leave(claim, NEW)
    assert await pending(store) == {OLD, NEW}


async def test_nothing_is_fetched_from_a_living_owner_and_everything_from_a_dead_one(store: Store) -> None:
    await left(store)
    heir = await claimed(store, "w-two", NEW)
    stale = await claimed(store, "w-one", OLD)
    assert await store.moves.fetch(heir, OLD) is None
    await store.members.report_death("w-one")
    fetched = await store.moves.fetch(heir, OLD)
    assert fetched is not None
    assert fetched.replaced
    with pytest.raises(ClaimLost):
        await store.sessions.commit(stale, Commit(1, [Reply(text="stale")]))


async def test_a_stale_owner_leaves_and_fetches_nothing(store: Store) -> None:
    await left(store)
    stale = await claimed(store, "w-two", NEW)
    await store.members.report_death("w-two")
    await claimed(store, "w-one", NEW)
    with pytest.raises(ClaimLost):
        await store.moves.fetch(stale, OLD)
    with pytest.raises(ClaimLost):
        await store.moves.leave(stale, OLD)
    assert await redis_of(store).llen(keys.inbox(OLD)) == 1


async def test_what_changed_between_the_look_and_the_taking_is_looked_at_again(store: Store) -> None:
    await left(store)
    heir = await claimed(store, "w-two", NEW)
    moves = Moves(redis_of(store), SystemClock(), slots=64)
    fetch = moves._fetch

    async def later(names: Any, args: Any) -> Any:
        # Another worker was faster: it owned the old session for a moment, and brought its reply.
        claim = await claimed(store, "w-one", OLD)
        await store.sessions.delivered(claim, claim.work.outbox[0])
        await store.sessions.hand_off(claim)
        return await fetch(names, args)

    moves._fetch = later  # type: ignore[assignment]
    assert await moves.fetch(heir, OLD) is None
    assert await store.moves.fetch(heir, OLD) is not None
    assert await redis_of(store).exists(keys.outbox(NEW)) == 0


@pytest.mark.parametrize("drops", [0, 1])
async def test_what_an_owner_that_was_taken_for_dead_does_between_the_look_and_the_taking_is_not_lost(
    store: Store, drops: int
) -> None:
    await left(store)
    heir = await claimed(store, "w-two", NEW)
    stale = await claimed(store, "w-one", OLD)
    await store.members.report_death("w-one")
    moves = Moves(redis_of(store), SystemClock(), slots=64)
    fetch = moves._fetch

    async def later(names: Any, args: Any) -> Any:
        # Its session is not taken yet, so what it writes stands.
        for reply in stale.work.outbox[:drops]:
            await store.sessions.delivered(stale, reply)
        await store.sessions.commit(stale, Commit(1, [Reply(text="late")], history=b"h2"))
        return await fetch(names, args)

    moves._fetch = later  # type: ignore[assignment]
    assert await moves.fetch(heir, OLD) is None
    fetched = await store.moves.fetch(heir, OLD)
    assert fetched is not None
    assert fetched.state["history"] == b"h2"
    said = [Reply.from_json(raw).text for raw in await redis_of(store).lrange(keys.outbox(NEW), 0, -1)]
    assert said == ["answer", "late"][drops:]
