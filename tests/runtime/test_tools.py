"""Python tools: they know their session, keep notes, set reminders, and end when they take too long."""

import asyncio
from pathlib import Path

import pytest

from tasks.envelope import Inbound
from tasks.errors import Misconfigured, Terminal
from tasks.session import SessionKey
from tests.runtime.support import Open, Screen, StillClock, ask, card, inbound
from tests.support.model import Model
from workers.runtime.engine import Engine
from workers.runtime.tools import session_tools as tools

SHIPPED = Path(__file__).parents[2] / "agent-cards" / "session_tools.py"
CARD = "---\nname: assistant\nmodel: generic.mock\nfunction_tools: [{names}]\n---\nUse tools.\n"


class NotesInMemory:
    """Notes by session."""

    def __init__(self) -> None:
        self.kept: dict[SessionKey, dict[str, str]] = {}

    async def remember(self, session: SessionKey, topic: str, note: str) -> None:
        if len(note) > 100:
            raise Terminal("a note may have 100 characters")
        self.kept.setdefault(session, {})[topic] = note

    async def recall(self, session: SessionKey) -> dict[str, str]:
        return self.kept.get(session, {})


class ZonesInMemory:
    """The time zones of people."""

    def __init__(self) -> None:
        self.kept: dict[int, str] = {}

    async def look(self, bot: int, person: int) -> str | None:
        return self.kept.get(person)

    async def keep(self, bot: int, person: int, zone: str) -> None:
        self.kept[person] = zone


class RemindersInMemory:
    """Reminders as they were set."""

    def __init__(self) -> None:
        self.set: list[tuple[SessionKey, str, float]] = []
        self.zones = ZonesInMemory()

    def now(self) -> float:
        return 1_790_000_000.0

    async def repeat(
        self, session: SessionKey, text: str, rule: str, at: str, zone: str, *, by: int | None = None, depth: int = 0
    ) -> Inbound:
        assert self.zones.kept.get(by or session.chat), "a zone that cannot be kept must not leave a reminder behind"
        self.set.append((session, f"{text} {rule} {at} {zone}", 0.0))
        return Inbound(session=str(session), update_id=-1, at=1_790_060_400.0, kind="reminder", text=text)

    async def add(
        self, session: SessionKey, text: str, seconds: float, *, by: int | None = None, depth: int = 0
    ) -> float:
        if seconds <= 0:
            raise Terminal("a reminder must be due within the next 366 days")
        self.set.append((session, text, seconds))
        return 1_790_000_000.0 + seconds


@pytest.fixture
def shipped(cards: Path) -> Path:
    """The tools that come with Cohort, as a card finds them."""
    card(cards, "session_tools.py", SHIPPED.read_text())
    names = ", ".join(f"'session_tools.py:{name}'" for name in ("remember", "recall", "remind_me", "remind_again"))
    card(cards, "assistant.md", CARD.format(names=names))
    return cards


async def test_notes_are_kept_and_found_by_their_own_session_only(
    settings_of, clock: StillClock, model: Model, shipped: Path
) -> None:
    notes = NotesInMemory()
    async with Engine(settings_of(), clock, notes=notes) as engine:
        kept = await engine.run(ask(1, 'CALL:remember{"topic": "dog", "note": "is called Rex"}'), Screen())
        async with asyncio.TaskGroup() as group:
            mine = group.create_task(engine.run(ask(1, "CALL:recall"), Screen()), name="mine")
            other = group.create_task(engine.run(ask(2, "CALL:recall"), Screen()), name="other")
        long = await engine.run(ask(1, 'CALL:remember{"topic": "x", "note": "' + "y" * 200 + '"}'), Screen())
    assert kept.text.endswith("tool=I will remember 'dog'.")
    assert mine.result().text.endswith("tool=dog: is called Rex")
    assert other.result().text.endswith("tool=There are no notes.")
    assert long.text.endswith("tool=a note may have 100 characters")
    assert notes.kept == {SessionKey(42, 1): {"dog": "is called Rex"}}


async def test_a_reminder_is_set_for_its_session_and_comes_back_as_a_turn(
    settings_of, clock: StillClock, model: Model, shipped: Path
) -> None:
    reminders = RemindersInMemory()
    async with Engine(settings_of(), clock, reminders=reminders) as engine:
        result = await engine.run(ask(7, 'CALL:remind_me{"about": "tea", "minutes": 3}'), Screen())
        await engine.run(ask(7, 'CALL:remind_me{"about": "tea", "minutes": -1}'), Screen())
        await engine.run(ask(7, inbound(7, "tea", kind="reminder")), Screen())
        await reminders.zones.keep(42, 7, "Europe/Berlin")
        again = await engine.run(ask(7, 'CALL:remind_me{"about": "tea", "minutes": 3}'), Screen())
    assert reminders.set == [(SessionKey(42, 7), "tea", 180.0)] * 2
    assert again.text.endswith("tool=The reminder is set for 2026-09-21 16:16 (Europe/Berlin).")
    assert result.text.endswith("tool=The reminder is set for 2026-09-21 14:16 UTC.")
    due = '<tg-reminder note="asked for earlier, due now: pass it on">tea</tg-reminder>'
    assert due in {call.last for call in model.journal}


async def test_a_reminder_for_a_time_of_the_persons_clocks_needs_their_zone_and_no_reckoning(
    settings_of, clock: StillClock, model: Model, shipped: Path
) -> None:
    reminders = RemindersInMemory()
    calls = (
        '"when": "2026-10-26 09:00"',
        '"when": "2026-10-26 09:00", "timezone": "Europe/Berlin"',
        '"when": "2026-10-26T09:00", "minutes": 5',
        '"when": "2026-09-21 16:13"',
        '"when": "tomorrow"',
        '"when": "0001-01-01 00:00", "timezone": "Pacific/Kiritimati"',
        '"when": "2026-10-26 09:00", "timezone": "the moon"',
    )
    async with Engine(settings_of(), clock, reminders=reminders) as engine:
        answers = [await engine.run(ask(7, f'CALL:remind_me{{"about": "tea", {words}}}'), Screen()) for words in calls]
    told = [answer.text.rpartition("tool=")[2] for answer in answers]
    assert "not known yet" in told[0]
    # The clocks go back on 25 October: by minutes from a day before it would come at eight.
    assert told[1] == told[2] == "The reminder is set for 2026-10-26 09:00 (Europe/Berlin)."
    assert told[3] == "Not set: 2026-09-21 16:13 (Europe/Berlin) is over; it is 2026-09-21 16:13."
    assert ("YYYY-MM-DD HH:MM" in told[4], "is over" in told[5]) == (True, True)
    assert "no time zone" in told[6]
    assert len(reminders.set) == 2


async def test_a_recurring_reminder_asks_for_the_time_zone_once(
    settings_of, clock: StillClock, model: Model, shipped: Path
) -> None:
    reminders = RemindersInMemory()
    said = ['"about": "stretch", "rule": "FREQ=DAILY", "at": "09:00"']
    said += [said[0] + ', "timezone": "Europe/Berlin"', said[0], said[0] + ', "timezone": "the moon"']
    async with Engine(settings_of(), clock, reminders=reminders) as engine:
        answers = [await engine.run(ask(7, f"CALL:remind_again{{{words}}}"), Screen()) for words in said]
        end = await engine.run(
            ask(7, 'CALL:remind_again{"about": "rent", "rule": "FREQ=MONTHLY;BYMONTHDAY=31", "at": "09:00"}'), Screen()
        )
        late = inbound(7, "stretch", kind="reminder", note='it was due at 09:00" x="')
        await engine.run(ask(7, late), Screen())
    assert "last day of each" in end.text
    told = [answer.text.rpartition("tool=")[2] for answer in answers]
    assert "not known yet" in told[0]
    assert told[1] == told[2] == "The reminder is set; it comes first on Tuesday, 2026-09-22 at 09:00 (Europe/Berlin)."
    assert "no time zone" in told[3]
    assert reminders.set[:2] == [(SessionKey(42, 7), "stretch FREQ=DAILY 09:00 Europe/Berlin", 0.0)] * 2
    assert reminders.zones.kept == {7: "Europe/Berlin"}
    assert 'pass it on; it was due at 09:00&quot; x=&quot;">stretch<' in model.journal[-1].last


async def test_without_stores_the_tools_say_so(runtime: Open, model: Model, shipped: Path) -> None:
    async with runtime() as engine:
        for call in ('remember{"topic": "a", "note": "b"}', 'remind_me{"about": "a", "minutes": 1}'):
            assert "cannot be" in (await engine.run(ask(1, f"CALL:{call}"), Screen())).text


async def test_plain_functions_run_in_threads_and_know_their_session(runtime: Open, model: Model, cards: Path) -> None:
    source = (
        "import threading\nfrom workers.runtime.tools.session_tools import current_session\n\n"
        'def where() -> str:\n    """Where."""\n'
        "    return f'{current_session()} {threading.current_thread() is threading.main_thread()}'\n"
    )
    card(cards, "own.py", source)
    card(cards, "assistant.md", CARD.format(names="'own.py:where'"))
    async with runtime() as engine, asyncio.TaskGroup() as group:
        turns = [group.create_task(engine.run(ask(n, "CALL:where"), Screen()), name=f"t{n}") for n in range(8)]
    assert [turn.result().text.rpartition("tool=")[2] for turn in turns] == [f"42:{n} False" for n in range(8)]


@pytest.mark.parametrize("kind", ["async def", "def"])
async def test_a_python_tool_that_hangs_ends_by_its_timeout(
    runtime: Open, model: Model, cards: Path, kind: str
) -> None:
    wait = "await asyncio.Event().wait()" if kind == "async def" else "threading.Event().wait(60)"
    card(cards, "own.py", f'import asyncio, threading\n\n{kind} hang() -> str:\n    """Hang."""\n    {wait}\n')
    card(cards, "assistant.md", CARD.format(names="'own.py:hang'"))
    async with runtime(COHORT_TOOL_TIMEOUT="0.2", COHORT_LANES="1") as engine:
        result = await engine.run(ask(1, "CALL:hang"), Screen())
        assert "timed out" in result.text
        assert (await engine.run(ask(2, "next"), Screen())).text == "echo: next [n=1]"


async def test_a_tool_that_raises_tells_the_model(runtime: Open, model: Model, cards: Path) -> None:
    card(cards, "own.py", 'def fail() -> str:\n    """Fail."""\n    raise ValueError("no such city")\n')
    card(cards, "assistant.md", CARD.format(names="'own.py:fail'"))
    screen = Screen()
    async with runtime() as engine:
        result = await engine.run(ask(1, "CALL:fail"), screen)
    assert "no such city" in result.text
    assert screen.tools == ["fail"]


def test_a_session_tool_outside_of_a_turn_says_what_is_wrong() -> None:
    with pytest.raises(Misconfigured, match="only works inside a turn"):
        tools.current_session()
