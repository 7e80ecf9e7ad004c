"""The history checker of these tests: what was accepted against what was run, committed and delivered."""

import asyncio
from collections.abc import Mapping, Sequence

from tasks.phrases import phrase
from tests.support.redis_of import redis_of
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import Pool, session


async def check(pool: Pool, sent: Mapping[int, Sequence[int]], *, healthy: bool = True) -> int:
    """Let all workers leave in good order, then look.

    ``sent``: chat -> update ids in the order they were accepted; all were messages whose text begins with the chat.

    ``healthy``: no worker was taken for dead while it lived, and none died often enough to bury a message.

    Returns:
        How many replies were delivered more than once, each of them the same reply of a worker that ended in between.
    """
    async with asyncio.timeout(PATIENCE_S):
        # What a killed worker had answered and not put down yet is put down by the worker that takes its slots.
        for chat in sent:
            while not await pool.idle(session(chat)):
                pass
    await pool.all_leave()
    doubled = 0
    for chat, updates in sent.items():
        where = session(chat)
        said = [reply for to, reply in pool.telegram.delivered if to == where]
        once = {reply.id: reply for reply in said}
        doubled += len(said) - len(once)
        # Nothing lost, nothing answered twice, nothing out of order.
        answered = [update for reply in once.values() for update in reply.answers]
        assert answered == list(updates), f"chat {chat}: {answered} for {list(updates)}"
        assert await pool.idle(where), f"chat {chat} is not idle: {await pool.state(where)}"

        calls = [call for call in pool.model.calls if call.request.session == where]
        committed: list[str] = []
        for call in calls:
            # What a turn sees is what was committed, and of this chat only.
            assert call.history == committed[: len(call.history)] or committed == call.history[: len(committed)]
            assert all(text.startswith(f"{chat}.") for text in (*call.history, *call.texts))
            committed = call.history
            if healthy:
                living = [name for name in call.beside if not pool.workers[name].dead]
                assert living == [], f"chat {chat}: two live turns"
    # Given up is what began three times without an end; its user was told.
    buried = [dead.letter.update_id for dead in await pool.store.dead.list()]
    told = {reply.id: reply.answers for _, reply in pool.telegram.delivered if phrase("poison") in reply.text}
    assert sorted(buried) == sorted(update for answers in told.values() for update in answers)
    assert not (healthy and buried)
    pending = [key async for key in redis_of(pool.store).scan_iter("cohort:slot:*")]
    assert pending == []
    return doubled
