import pytest

from tasks.envelope import Inbound
from tasks.errors import Terminal
from tasks.session import SessionKey
from tasks.settings import Settings
from tasks.store import connect

MINE, YOURS = SessionKey(4242, 1), SessionKey(4242, 2)


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@pytest.mark.promise("reminders")
async def test_a_reminder_comes_back_to_its_session_once_when_it_is_due(settings: Settings) -> None:
    clock = Clock()
    async with connect(settings, clock) as store:
        assert await store.reminders.add(MINE, "tea", 60) == 1060
        await store.reminders.add(YOURS, "tea", 120)
        assert await store.reminders.fire() == 0
        clock.at = 1061
        assert [await store.reminders.fire(), await store.reminders.fire()] == [1, 0]
        glances = [(await store.sessions.glance(session)).waiting for session in (MINE, YOURS)]
        assert glances == [1, 0]


async def test_two_equal_reminders_both_come(settings: Settings) -> None:
    clock = Clock()
    async with connect(settings, clock) as store:
        for _ in range(2):
            await store.reminders.add(MINE, "tea", 60)
        clock.at = 2000
        assert await store.reminders.fire() == 2
        raw = await store.redis.lrange("cohort:s:4242:1:inbox", 0, -1)
        kinds = {(entry.kind, entry.text) for entry in map(Inbound.from_json, raw)}
        assert kinds == {("reminder", "tea")}


async def test_what_cannot_be_a_reminder_is_refused(settings: Settings) -> None:
    async with connect(settings, Clock()) as store:
        for seconds in (0, -5, 10**9, float("nan")):
            with pytest.raises(Terminal, match="366 days"):
                await store.reminders.add(MINE, "tea", seconds)


async def test_notes_are_a_sessions_own(settings: Settings) -> None:
    async with connect(settings) as store:
        await store.notes.remember(MINE, "name", "Ada")
        await store.notes.remember(MINE, "dog", "Rex")
        await store.notes.remember(MINE, "dog", "")
        assert await store.notes.recall(MINE) == {"name": "Ada"}
        assert await store.notes.recall(YOURS) == {}
        with pytest.raises(Terminal):
            await store.notes.remember(MINE, "x", "y" * 3000)
