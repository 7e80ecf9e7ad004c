"""Earlier conversations in the store: a worker cannot bring back what was erased, and what is too old goes."""

import pytest

from tasks.chats.conversations import Conversation
from tasks.config.settings import Settings
from tasks.errors import ClaimLost
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.store.sessions import Commit
from tests.tasks.test_erasure import ANN, GROUP, HIS, claimed, erase, filled


@pytest.mark.promise("forgotten", "earlier-conversations")
async def test_a_worker_that_has_read_an_earlier_conversation_cannot_go_on_with_it_as_it_was(
    store: Store, settings: Settings
) -> None:
    await filled(store, settings)
    claim = await claimed(store, GROUP)
    read = await store.earlier.history(GROUP, 1)
    assert read is not None
    await erase(store, ErasureScope(user=ANN))
    with pytest.raises(ClaimLost):
        await store.sessions.commit(claim, Commit(0, history=read))
    with pytest.raises(ClaimLost):
        await store.earlier.set_aside(claim, 9, [])
    current, kept = await store.earlier.look(GROUP)
    assert (current.number, current.title) == (3, "")
    assert {one.number: one.title for one in kept} == {1: "", 2: "bobword82"}


@pytest.mark.promise("earlier-conversations")
async def test_conversations_older_than_the_days_that_are_kept_go_and_a_younger_one_stays(
    store: Store, settings: Settings
) -> None:
    await filled(store, settings)
    claim = await claimed(store, HIS)
    kept = [Conversation(number=number, title="t", at=float(number)) for number in (100, 200, 300)]
    for one in kept:
        await store.earlier.set_aside(claim, one.number, kept, [3])
    await store.sessions.note(claim, "touched", "400")
    cursor = -1
    while cursor:
        cursor, gone = await store.erasure.sweep(max(cursor, 0), 1000, before=200.0, now=500.0)
        assert HIS not in gone
    assert set(await store.earlier.whole(HIS)) == {"index", "300"}
