"""What an operator has paused, as all processes read it."""

import pytest

from tasks.errors import Terminal
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.store.pauses import MOST_SESSIONS, PauseView
from tests.support.redis_of import redis_of

ONE, TWO = SessionKey(4242, 1), SessionKey(4242, -5, 7)


@pytest.mark.promise("paused")
async def test_one_session_is_paused_alone_and_all_together(store: Store) -> None:
    view = PauseView(store.pauses)
    await store.pauses.pause("turns", ONE)
    await view.refresh()
    assert (view.holds(ONE), view.holds(TWO), view.intake) == (True, False, False)
    await store.pauses.pause("turns")
    await store.pauses.pause("intake")
    await view.refresh()
    assert (view.holds(ONE), view.holds(TWO), view.intake) == (True, True, True)
    assert len(view.now.lines()) == 3
    assert await store.pauses.resume("turns")
    assert not await store.pauses.resume("turns")
    await view.refresh()
    assert (view.holds(ONE), view.holds(TWO)) == (True, False)


async def test_what_is_damaged_pauses_and_names_no_session(store: Store) -> None:
    await redis_of(store).hset("cohort:paused", mapping={"turns": "x", "turns:nobody": "1", "later": "2"})  # type: ignore[misc]
    found = await store.pauses.look()
    assert (found.turns is not None, found.sessions) == (True, {})


async def test_single_sessions_are_paused_up_to_a_number(store: Store) -> None:
    for number in range(MOST_SESSIONS):
        await store.pauses.pause("turns", SessionKey(1, number + 1))
    with pytest.raises(Terminal, match="resume some"):
        await store.pauses.pause("turns", ONE)


@pytest.mark.promise("paused")
async def test_one_bot_of_several_is_paused_alone(store: Store) -> None:
    view, other = PauseView(store.pauses), SessionKey(202, 1)
    await store.pauses.pause("turns", 202)
    await store.pauses.pause("intake", 303)
    await store.pauses.pause("turns", ONE)
    await view.refresh()
    assert (view.holds(other), view.holds(ONE), view.holds(TWO)) == (True, True, False)
    assert [view.takes_none(bot) for bot in (202, 303)] == [False, True]
    assert (view.now.intake, view.now.turns) == (None, None), "what an older release reads"
    assert [line.partition(" paused")[0] for line in view.now.lines()] == [
        "intake of bot 303 is", "turns of bot 202 are", f"turns of {ONE} are",
    ]  # fmt: skip
    assert await store.pauses.forget(ErasureScope(bot=202)) == 1
    assert await store.pauses.forget(ErasureScope(bot=303)) == 1
    assert await store.pauses.resume("turns", ONE)
    assert not await store.pauses.resume("turns", 202)
    assert (await store.pauses.look()).lines() == []
