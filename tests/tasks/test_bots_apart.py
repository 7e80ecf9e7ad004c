"""What stands in the shared store counts for its own bot alone, also where two bots' chats have the same numbers."""

import pytest

from tasks import keys
from tasks.chats.feedback import Opinion
from tasks.clock import SystemClock
from tasks.envelope import DeadLetter, Inbound
from tasks.errors import Terminal
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.intake import Accept
from tasks.store.reminders import A_BOT
from tests.support.redis_of import redis_of

SHOP, BANK = SessionKey(20, 7), SessionKey(202, 7)


@pytest.mark.promise("many-bots")
async def test_a_bot_with_as_many_reminders_as_one_may_have_leaves_another_its_own(store: Store) -> None:
    due = SystemClock().now() + 3600
    full = {f"reminder {number}": due for number in range(A_BOT)}
    for name in (keys.REMINDERS, keys.reminders("bot:20")):
        await redis_of(store).zadd(name, full)
        await redis_of(store).expire(name, 600)
    with pytest.raises(Terminal, match="too many reminders are waiting of this bot"):
        await store.reminders.add(SHOP, "tea", 60, by=7)
    await store.reminders.add(BANK, "tea", 60, by=7)
    await store.reminders.repeat(BANK, "tea", "FREQ=DAILY", "09:00", "UTC", by=7)
    assert await store.reminders.waiting(SHOP) == []
    assert await store.reminders.cancel(BANK) == 2
    assert await redis_of(store).exists(keys.reminders("bot:202")) == 0
    await redis_of(store).delete(keys.REMINDERS, keys.reminders("bot:20"))


@pytest.mark.promise("many-bots")
async def test_reminders_of_a_bot_that_was_taken_out_stay_and_cost_the_sweeps_of_others_no_look_ups(
    store: Store,
) -> None:
    for number in range(150):
        old = Inbound(session=str(SHOP), update_id=-number, at=1.0, kind="reminder", text="tea", set_by=7)
        await redis_of(store).zadd(keys.REMINDERS, {old.to_json(): 1.0})
    new = Inbound(session=str(BANK), update_id=-999, at=2.0, kind="reminder", text="tea", set_by=7)
    await redis_of(store).zadd(keys.REMINDERS, {new.to_json(): 2.0})

    async def served(reminder: Inbound) -> bool | None:
        return True if reminder.key.bot == BANK.bot else None

    async def looks() -> int:
        told = await redis_of(store).info("commandstats")
        return int(told.get("cmdstat_zmscore", {}).get("calls", 0))

    before = await looks()
    assert await store.reminders.fire(served) == 1
    assert await looks() == before + 1
    assert await redis_of(store).llen(keys.inbox(BANK)) == 1
    assert await redis_of(store).zcard(keys.REMINDERS) == 150
    await redis_of(store).delete(keys.REMINDERS)


@pytest.mark.promise("many-bots")
async def test_a_code_a_thumb_and_a_dead_letter_are_of_one_bot(store: Store) -> None:
    for session in (SHOP, BANK):
        mine = Inbound(session=str(session), update_id=1, at=0.0, text="hello", message_id=1)
        letter = DeadLetter(reason="no", at=0.0, session=str(session), update_id=1, inbound=mine)
        await store.intake.accept(session.bot, [Accept(1, dead=letter)])
    await store.people.offer(20, "code", "owner")
    assert await store.people.pair(202, "code", 7, name="Ann", has=None) == "wrong"
    assert await store.people.pair(20, "code", 7, name="Ann", has=None) == "owner"
    assert (await store.people.look(202)).entries == {}
    thumbs = [Opinion(one, 1, 5, 7, "up") for one in (SHOP, BANK)]
    for thumb in thumbs:
        await store.feedback.put(thumb)
    await store.feedback.withdraw(thumbs[0])
    assert [one.session for one in await store.feedback.since(0.0)] == [BANK]
    letters = await store.dead.list()
    assert await store.dead.retry(next(one.id for one in letters if one.letter.session == str(SHOP)))
    assert await redis_of(store).llen(keys.inbox(SHOP)) == 1
    assert await redis_of(store).exists(keys.inbox(BANK)) == 0
