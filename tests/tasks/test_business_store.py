"""What a business account's customers take back: out of the inbox, and out of the turn that runs."""

import json

import pytest

from tasks.envelope import Inbound, Reply
from tasks.errors import ClaimLost
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.chats.business import MOST
from tasks.store.intake import Accept
from tasks.store.sessions import Commit
from tasks.store.state import StateField
from tests.support.redis_of import redis_of
from tests.tasks.test_erasure import claimed

HERS, HIS = SessionKey(4242, 700, None, "conn"), SessionKey(4242, 701, None, "conn")
PRIVATE, OTHER = SessionKey(4242, 700), SessionKey(4242, 700, None, "other")


def said(number: int, session: SessionKey = HERS, **more: object) -> Inbound:
    given = {"session": str(session), "update_id": number, "at": 1.0, "text": f"word {number}", "message_id": number}
    return Inbound.model_validate(given | more)


async def accept(store: Store, *messages: Inbound) -> None:
    await store.intake.accept(4242, [Accept(one.update_id, inbound=one) for one in messages])


async def waiting(store: Store, session: SessionKey = HERS) -> list[int]:
    found = await redis_of(store).lrange(f"cohort:s:{session}:inbox", 0, -1)
    return [Inbound.from_json(raw).update_id for raw in found]


@pytest.mark.promise("business")
async def test_messages_that_are_taken_back_go_with_their_edits_and_a_running_turn_writes_nothing(store: Store) -> None:
    await accept(store, said(1), said(2), said(3, message_id=1, edited=True), said(4, message_id=1, pressed=True))
    claim = await claimed(store, HERS)
    assert (await store.business.withdraw(HERS, {1, 99})).entries == 2
    assert await waiting(store) == [2, 4], "a press names the message with the button"
    with pytest.raises(ClaimLost):
        await store.sessions.commit(claim, Commit(1, (Reply(text="too late"),)))
    assert (await store.business.withdraw(HERS, {1})).entries == 0, "said twice"
    again = await claimed(store, HERS, "w-two")
    assert (await store.business.withdraw(HERS, {77})).entries == 0
    await store.sessions.commit(again, Commit(1, (Reply(text="answer"),)))


@pytest.mark.promise("business")
@pytest.mark.parametrize(
    ("numbers", "shown"),
    [({1, 2}, (71, 72)), ({1}, ()), ({2, 3}, ()), ({1, 2, 3}, (71, 72)), (None, (71, 72)), ({3}, ())],
)
async def test_what_shows_a_turn_is_let_go_where_all_that_it_was_begun_with_is_taken_back(
    store: Store, numbers: set[int] | None, shown: tuple[int, ...]
) -> None:
    """Else the answer to a later question would stand in the old message, above the question."""
    await accept(store, said(1), said(2), said(3))
    await claimed(store, HERS)
    name = f"cohort:s:{HERS}:state"
    fields = {StateField.live: "71", StateField.live_more: "71:72", StateField.batch_size: "2"}
    for field, value in fields.items():
        await redis_of(store).hset(name, field.value, value)
    assert (await store.business.withdraw(HERS, numbers)).shown == shown
    assert await redis_of(store).hget(name, StateField.live) == (None if shown else b"71")


@pytest.mark.promise("business")
async def test_messages_kept_for_retry_are_taken_back_too(store: Store) -> None:
    await accept(store, said(1))
    claim = await claimed(store, HERS)
    kept = {
        name: json.dumps([said(1).to_json(), said(2).to_json()])
        for name in (StateField.retry_batch, StateField.unanswered)
    }
    await store.sessions.commit(claim, Commit(1, set={name.value: one for name, one in kept.items()}))
    await store.business.withdraw(HERS, {1})
    for name in kept:
        left = json.loads(await redis_of(store).hget(f"cohort:s:{HERS}:state", name) or b"")
        assert [Inbound.from_json(one.encode()).update_id for one in left] == [2]


@pytest.mark.promise("business")
async def test_a_connections_sessions_at_work_are_found_and_all_that_waits_there_goes(store: Store) -> None:
    await accept(store, said(1), said(2, HIS), said(3, PRIVATE), said(4, OTHER))
    assert await store.business.at_work(4242, "conn") == sorted([HERS, HIS], key=str)
    assert await store.business.at_work(4343, "conn") == []
    for session in (HERS, HIS):
        assert (await store.business.withdraw(session)).entries
        assert await waiting(store, session) == []
    assert (await waiting(store, PRIVATE), await waiting(store, OTHER)) == ([3], [4])


async def test_the_newest_connections_that_take_no_answers_are_known(store: Store) -> None:
    await store.business.close(4242, "conn")
    assert await store.business.is_closed(4242, "conn")
    assert not await store.business.is_closed(4243, "conn")
    await store.business.open(4242, "conn")
    assert not await store.business.is_closed(4242, "conn")
    for number in range(3):
        await store.business.close(4242, f"c{number}")
    assert await redis_of(store).zcard("cohort:bot:4242:business") == 3 <= MOST
