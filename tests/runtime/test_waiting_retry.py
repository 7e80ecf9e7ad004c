"""Between two tries of a turn its lane serves other chats: the real runtime under the real turn loop."""

import pytest

from tasks.settings import Settings
from tests.runtime.support import Open
from tests.support.model import Model
from tests.workers.pool import opened, session


@pytest.mark.promise("model-faults")
async def test_a_waiting_retry_holds_no_lane(runtime: Open, model: Model, settings: Settings) -> None:
    model.fault(mode="drop", match="first", times=1)
    async with runtime(COHORT_LANES="1") as engine, opened(settings) as pool:
        worker = await pool.worker("w-one", real=engine)
        pool.naps.awake.clear()
        await pool.say(1, "first")
        turn = worker.doorbell(session(1))
        await pool.naps.changes.until(lambda: bool(pool.naps.taken))
        assert engine.busy == 0

        await pool.say(2, "second")
        await worker.answer(session(2))
        (second,) = pool.telegram.texts(session(2))
        assert second.startswith("echo: second [n=1]")
        assert not turn.done()

        pool.naps.awake.set()
        await turn
        (first,) = pool.telegram.texts(session(1))
        assert first.startswith("echo: first [n=1]")
        assert (engine.made, len(pool.naps.taken)) == (1, 1)
    assert [entry.last for entry in model.journal] == ["first", "second", "first"]
