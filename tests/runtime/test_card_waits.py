"""A card's module that is never imported holds up no check: it is told with the line at which it waits."""

import asyncio
import signal
from pathlib import Path

import pytest
from fast_agent.core.agent_card_loader import load_agent_cards

from tasks.operator_files.agent_files import BadFile
from tests.runtime.support import card
from workers.runtime.cards import code
from workers.runtime.cards.importing import NotImported, bounded

SHORT_S = 0.2
_F = "def f() -> str:\n    return ''\n"
WAITS = {
    "for an event": ("import threading\n\nthreading.Event().wait()\n", 3),
    "in a loop": ("x = 0\nwhile True:\n    x += 1\n", None),
    "in a loop that goes on whatever is raised": (
        "import time\nx = 0\nwhile x < 3:\n    try:\n        time.sleep(60)\n    except Exception:\n        x += 1\n",
        5,
    ),
    "for a connection": (
        "import socket\n\nwaiting = socket.create_server(('127.0.0.1', 0))\nwaiting.accept()\n",
        4,
    ),
}


def found(path: Path) -> list[BadFile]:
    return code.unloadable(path, path.read_text(), load_agent_cards(path)[0].agent_data.get("config"), SHORT_S)


@pytest.mark.promise("cards-checked")
@pytest.mark.parametrize("where", ["main thread", "another thread"])
@pytest.mark.parametrize("name", WAITS)
async def test_a_module_that_waits_for_ever_is_told_with_its_line(cards: Path, name: str, where: str) -> None:
    said, line = WAITS[name]
    module = cards / "mine.py"
    module.write_text(said + _F)
    (cards / "other.py").write_text("import no_such_package\n" + _F)
    tools = "function_tools: ['mine.py:f', 'mine.py:f', 'other.py:f']\ntool_hooks: {after_turn_complete: 'mine.py:f'}"
    card(cards, "one.md", f"---\nname: one\n{tools}\n---\nYou.\n")
    handler = signal.getsignal(signal.SIGALRM)
    if where == "another thread":
        late, other = await asyncio.to_thread(found, cards / "one.md")
    else:
        late, other = found(cards / "one.md")
    assert late.file == module
    assert line is None or late.line == line
    assert "is not imported within 0.2 s" in late.what
    assert "one.md" in late.do
    assert "no_such_package" in other.what
    assert signal.getsignal(signal.SIGALRM) is handler


async def test_a_timer_that_runs_already_goes_on() -> None:
    before = signal.setitimer(signal.ITIMER_REAL, 90.0)
    try:
        with pytest.raises(NotImported):
            bounded(signal.pause, SHORT_S)
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
