"""/reminders: what is set in a conversation, and taking it back, typed or pressed."""

import pytest

from bot import texts
from tasks.session import SessionKey
from tests.bot.conftest import Doorway
from tests.bot.test_update_intake import ANNS
from tests.bot.updates import said

ANN, OTHER = SessionKey.parse(ANNS), SessionKey(4242, 9)


@pytest.mark.promise("reminders-bounded")
async def test_a_conversations_reminders_are_shown_and_cancelled(doorway: Doorway) -> None:
    store = doorway.store.reminders
    await store.add(ANN, "water\nthe plants " + "x" * 500, 3600, by=700)
    await store.add(OTHER, "somebody else's", 3600)
    await doorway.door.take([said("/reminders", update_id=1)])
    ((_, shown),) = await doorway.said()
    assert "water the plants" in shown
    assert "somebody" not in shown
    await doorway.door.take([said("/reminders cancel", update_id=2)])
    assert (await doorway.said())[-1] == (ANNS, texts.reminders_cancelled(1))
    assert [len(await store.waiting(where)) for where in (ANN, OTHER)] == [0, 1]
    await doorway.door.take([said("/reminders", update_id=3)])
    assert (await doorway.said())[-1] == (ANNS, texts.reminders([]))
