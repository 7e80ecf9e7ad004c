"""Whose reminder it is that several people set; and a whole worker, which knows the people of the store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.chats.access import OperatorsWord, Person
from tasks.clock import SystemClock
from tasks.config.settings import Settings
from tasks.envelope import Inbound
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope, parted
from tests.runtime.roles import CARD, GUEST, OWNER, STRANGER, Kept, runs, said_by
from tests.runtime.steps import COUNTER
from tests.runtime.support import Open, card, inbound
from workers.process.app import no_steps
from workers.process.wiring import open_worker
from workers.runtime.conversation.history import authors_of, decode
from workers.runtime.conversation.stored import without

REMIND = '''
from cohort import remind_again as again
from cohort import remind_me as remind


async def remind_me(about: str, minutes: float) -> str:
    """Remind."""
    return await remind(about, minutes)


async def remind_again(about: str, rule: str) -> str:
    """Remind."""
    return await again(about, rule)
'''


class Reminding:
    """Reminders that remember whose they are."""

    def __init__(self) -> None:
        self.by: list[int | None] = []

    async def add(
        self, _session: SessionKey, _text: str, _seconds: float, *, by: int | None = None, depth: int = 0
    ) -> float:
        self.by.append(by)
        return float(depth)

    @property
    def zones(self) -> "Reminding":
        return self

    async def look(self, _bot: int, _person: int) -> str:
        return "UTC"

    async def keep(self, _bot: int, _person: int, _zone: str) -> None:
        """It is known."""

    async def repeat(
        self, session: SessionKey, text: str, _rule: str, _at: str, _zone: str, *, by: int | None = None, depth: int = 0
    ) -> Inbound:
        self.by.append(by)
        return inbound(session.chat, text, update=depth)


@pytest.mark.promise("roles")
async def test_a_reminder_set_by_several_people_is_the_lowest_ones(runtime: Open, cards: Path, tmp_path: Path) -> None:
    card(cards, "session_tools.py", REMIND)
    card(
        cards,
        "assistant.md",
        CARD.format(tools="  - session_tools.py:remind_me\n  - session_tools.py:remind_again"),
    )
    set_, chats = Reminding(), tmp_path / "chats.yaml"
    words = 'CALL:remind_me{"about": "tea", "minutes": 3} CALL:remind_again{"about": "tea", "rule": "FREQ=DAILY"}'
    for rules in ("{}", "{tools: {count: admin}}"):
        chats.write_text(f"roles: {rules}\n")
        async with runtime(people=Kept(), reminders=set_, COHORT_CHATS=str(chats)) as engine:
            await runs(engine, said_by(GUEST), said_by(OWNER, words, update=2))
    assert set_.by == [OWNER, OWNER, GUEST, GUEST], "without rules it is the last one's, as ever"


@pytest.mark.promise("roles")
async def test_a_whole_worker_knows_the_people_whom_the_bot_let_in(
    settings_of: Callable[..., Settings], cards: Path, tmp_path: Path, redis_url: str, store: Store
) -> None:
    card(cards, "counter.py", COUNTER)
    card(cards, "assistant.md", CARD.format(tools="  - counter.py:count"))
    (tmp_path / "chats.yaml").write_text("roles: {tools: {count: admin}}\n")
    await store.people.publish(42, OperatorsWord(admins=(OWNER,)))
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": "42:x", "COHORT_CHATS": str(tmp_path / "chats.yaml")}
    async with open_worker(settings_of(**given), "w", clock=SystemClock(), steps=no_steps) as worker:
        assert "counted x" in (await runs(worker.engine, said_by(OWNER))).text, "by the bot's settings"
        assert "Not carried out" in (await runs(worker.engine, said_by(STRANGER))).text
        await store.people.put(42, STRANGER, Person(role="admin"))
        assert "counted x" in (await runs(worker.engine, said_by(STRANGER))).text, "from the next call on"


@pytest.mark.promise("roles")
async def test_who_is_erased_leaves_no_number_in_a_groups_history_nor_in_what_is_to_be_retried(
    runtime: Open, tmp_path: Path
) -> None:
    (tmp_path / "chats.yaml").write_text("roles: {tools: {count: admin}}\n")
    asked = said_by(OWNER, "hi", again_by=(GUEST,))
    async with runtime(people=Kept(), COHORT_CHATS=str(tmp_path / "chats.yaml")) as engine:
        done = await runs(engine, asked, said_by(STRANGER, "and me", update=2))
    (mine, *_) = decode(done.history).messages
    assert authors_of(mine) == {OWNER, GUEST, STRANGER}
    left = without(done.history, GUEST)
    assert left is not None
    assert authors_of(decode(left.history).messages[0]) == {OWNER, STRANGER}
    assert without(left.history, GUEST) is None
    ((_, kept),) = parted([asked.to_json().encode()], ErasureScope(user=GUEST))
    assert Inbound.from_json(kept) == asked.model_copy(update={"again_by": ()})
