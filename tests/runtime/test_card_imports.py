"""A module of a card that changes its process when it is imported, as only a program should: no other agent notices."""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from workers.runtime.process_state import unchanged

CARD = "---\nname: {0}\nmodel: generic.mock\nfunction_tools: ['{0}.py:{0}']\n---\nYou.\n"
HOOKED = "---\nname: hooked\nmodel: generic.mock\ntool_hooks: {after_turn_complete: 'hooked.py:hooked'}\n---\nYou.\n"
IMPORTS = {
    "goes": "import os\nos.chdir('/')\nos.umask(0o111)\n",
    "logs": "import logging\nlogging.basicConfig(level=logging.DEBUG, force=True)\n",
    "mutes": "import logging\nlogging.disable(logging.CRITICAL)\n",
    "handles": "from signal import *\nfor number in (SIGTERM, SIGINT):\n    signal(number, lambda *_: None)\n",
    "hooks": "import sys, threading\nsys.excepthook = threading.excepthook = lambda *_: None\n",
    "limits": "import sys, socket\nsys.setrecursionlimit(5000)\nsocket.setdefaulttimeout(0.001)\n",
    "prints": "import sys\nprint('x')\nprint('y', file=sys.stderr)\n",
    "threads": "import threading\nthreading.Thread(target=threading.Event().wait, args=(0.01,), daemon=True).start()\n",
}


def state() -> dict[str, Any]:
    mask = os.umask(0o077)
    os.umask(mask)
    root = logging.getLogger()
    return {
        "directory": Path.cwd(),
        "mask": mask,
        "logging": (root.level, list(root.handlers), logging.root.manager.disable),
        "signals": (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)),
        "hooks": (sys.excepthook, threading.excepthook),
        "limits": (sys.getrecursionlimit(), socket.getdefaulttimeout()),
    }


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Where the test fails, the others do not."""
    with unchanged():
        yield


async def test_what_a_module_changes_of_the_process_on_import_is_put_back(
    runtime: Open, model: Model, cards: Path
) -> None:
    for name, code in IMPORTS.items():
        (cards / f"{name}.py").write_text(f'{code}\n\ndef {name}() -> str:\n    """Do."""\n    return "done"\n')
        card(cards, f"{name}.md", CARD.format(name))
    hook = "\n\nasync def hooked(ctx):\n    pass\n"
    (cards / "hooked.py").write_text(IMPORTS["goes"] + IMPORTS["handles"] + hook)
    card(cards, "hooked.md", HOOKED)
    before = state()
    async with runtime(COHORT_LANES="1") as engine:
        for chat, name in enumerate(IMPORTS):
            said = await engine.run(ask(chat, f"CALL:{name}", agent=name), Screen())
            assert said.text.endswith("tool=done")
        await engine.run(ask(99, "hello", agent="hooked"), Screen())
        assert state() == before
