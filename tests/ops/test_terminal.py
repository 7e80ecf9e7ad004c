"""No name, message or answer acts on an operator's terminal, whichever command prints it."""

import io
import json
from pathlib import Path

from ops.commands.status.read import look
from ops.commands.status.text import render
from ops.up.console import Console
from tasks import keys
from tasks.session import SessionKey
from tasks.store import Store
from tests.harness.command import cohort
from tests.ops.test_commands import buried
from tests.ops.test_status_view import FakeClock, worker
from tests.support.redis_of import redis_of
from workers.runtime.conversation.stored import written

ACTS = "\x1b]0;title\x07 \x1b[2J \x9b31m \x7f \r \u202e \u2066 \u2028 \U000e0001 é"
SHOWN = r"\u001b]0;title\u0007 \u001b[2J \u009b31m \u007f \r \u202e \u2066 \u2028 \udb40\udc01 é"


async def test_a_dead_letter_is_json_with_all_that_acts_escaped(store: Store, redis_url: str, tmp_path: Path) -> None:
    letter = await buried(store, ACTS)
    for options in ((), ("--json",)):
        printed = cohort("dead", "show", letter, *options, home=tmp_path, REDIS_URL=redis_url).stdout
        assert SHOWN in printed
        assert json.loads(printed)["inbound"]["text"] == ACTS


async def test_a_conversation_is_shown_without_what_acts(store: Store, redis_url: str, tmp_path: Path) -> None:
    session = SessionKey(4242, 5)
    history = {"messages": [{"role": "user", "content": [{"type": "text", "text": ACTS}]}]}
    await redis_of(store).hset(keys.state(session), "history", written(history))  # type: ignore[misc]
    await store.notes.remember(session, "name", ACTS)
    shown = cohort("sessions", "show", str(session), "--text", home=tmp_path, REDIS_URL=redis_url).stdout
    assert f"user: {SHOWN}\n" in shown
    assert f"name: {SHOWN}\n" in shown
    printed = cohort("sessions", "export", str(session), home=tmp_path, REDIS_URL=redis_url).stdout
    assert printed.count(SHOWN) == 2
    assert json.loads(printed)["notes"] == {"name": ACTS}


async def test_what_status_tells_of_servers_has_no_markup_and_acts_on_no_terminal(store: Store) -> None:
    hostile = (f"[/red] :boom: {ACTS}",)
    await worker(store, "w-1", servers_down=hostile, agents_away=hostile, cards_kept=hostile[0])
    seen = await look(store, FakeClock(1.0), slots=64)
    page = render(seen, width=400)
    assert page.count(f"[/red] :boom: {SHOWN}") == 3
    coloured = render(seen, width=400, colour=True)
    for part in ("\x1b]", "\x1b[2J", "\x9b", "\r", "\u202e", "\u2066", "\U000e0001"):
        assert part not in coloured


def test_lines_of_processes_keep_their_words_and_lose_what_acts(tmp_path: Path) -> None:
    out = io.StringIO()
    console = Console(tmp_path, out, colour=False)
    with console.writing():
        console.child("worker-1", f"a\tb {ACTS}", echo=True)
        console.say(ACTS)
    kept = (tmp_path / "worker-1.log").read_text()
    assert kept == f"a\tb {SHOWN}\n"
    assert out.getvalue() == f"worker-1   | a\tb {SHOWN}\ncohort     | {SHOWN}\n"
    assert console.last("worker-1") == [kept.rstrip("\n")]
