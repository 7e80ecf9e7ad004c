"""Tools that write down each of their executions: in Python, and of MCP servers on stdio and over HTTP."""

import json
import sys
from pathlib import Path
from typing import Any

from tests.harness.history import Execution
from tests.harness.product import CONFIG, Harness

BODIES = Path(__file__).with_name("bodies.py")
SERVER = Path(__file__).with_name("counting_server.py")
TOOLS = ("in_python", "over_stdio", "over_http")
NEVER_AGAIN = "over_http"
"""Its server says ``in_doubt: fail``: no call is made again, and the model is told that its outcome is unknown."""
ATTACHING = "attaching"
"""It sends files with the answer, named after the call: ``files="txt:0,a.png:70000"``, the ending and size of each."""
APPROVED = "approved"
"""A person has to allow each of its calls."""
ASKED = "asked"
"""It asks a person, and gives back what was said."""

CARD = """---
type: agent
name: assistant
default: true
function_tools:
  - counter.py:in_python
  - entrypoint: counter.py:approved
    approve: true
  - counter.py:asked
  - counter.py:attaching
servers: {servers}
---
You count.
"""
FUNCTION = '''
"""A tool that writes down each of its executions with the key of the call, and may be held."""

import asyncio
import json
import os
import re
import time
from pathlib import Path
from uuid import uuid4

from cohort import ask_user, attach, current_call

HERE = Path(__file__)


async def in_python(name: str, seconds: float = 0.0, gate: str = "") -> str:
    """Count."""
    return await count(current_call().key, "in_python", name, seconds, gate)


async def approved(name: str, seconds: float = 0.0, gate: str = "") -> str:
    """Count, when a person allows it."""
    return await count(current_call().key, "approved", name, seconds, gate)


async def asked(name: str, choices: list[str] | None = None) -> str:
    """Ask, then count."""
    said = await ask_user(f"{name}: which?", choices or [])
    await count(current_call().key, "asked", name, 0.0, "")
    # In a group it is marked with who said it.
    return f"asked {name}: {re.sub('<[^<>]*>', '', said).strip()}"


async def attaching(name: str, seconds: float = 0.0, gate: str = "", files: str = "txt:0") -> str:
    """Count, then send files: the ending and the size of each."""
    wanted = [one.split(":") for one in files.split(",")]
    bodies = {f"{name}.{ending}": body_of(f"{name}.{ending}", int(size)) for ending, size in wanted}
    sent = [[file, mark_of(body)] for file, body in bodies.items()]
    done = await count(current_call().key, "attaching", name, seconds, gate, sent=sent)
    for file, body in bodies.items():
        await asyncio.to_thread(attach, body, file)
    return done


async def count(key: str, tool: str, name: str, seconds: float, gate: str, **more: object) -> str:
    ident = uuid4().hex
    note(id=ident, tool=tool, name=name, key=key, pid=os.getpid(), at=time.time(), **more)
    await asyncio.sleep(seconds)
    while gate and not HERE.with_name(gate).exists():
        await asyncio.sleep(0.02)
    note(id=ident, until=time.time())
    return f"counted {name}"


def note(**fields: object) -> None:
    with HERE.with_suffix(".log").open("a") as log:
        log.write(json.dumps(fields) + "\\n")
'''


def log_of(harness: Harness) -> Path:
    """Where executions are written down."""
    return harness.home / "cards" / "counter.log"


def furnish(harness: Harness, *, servers: bool = True) -> None:
    """Give the agent the three tools, or only the one in Python; before workers are started."""
    cards, log = harness.home / "cards", log_of(harness)
    (cards / "counter.py").write_text(FUNCTION + BODIES.read_text())
    (cards / "assistant.md").write_text(CARD.format(servers="[stdio, http]" if servers else "[]"))
    if servers:
        _serve(harness, log)


def _serve(harness: Harness, log: Path) -> None:
    server = harness.start("counting", ["-m", "tests.harness.counting_server", str(log), "http"])
    url = json.loads(server.wait_line('"url"'))["url"]
    known = {
        "stdio": {"command": sys.executable, "args": [str(SERVER), str(log)], "in_doubt": "run"},
        "http": {"transport": "http", "url": url, "in_doubt": "fail"},
    }
    config = harness.home / "fastagent.config.yaml"
    config.write_text(f"{CONFIG}mcp: {json.dumps({'servers': known})}\n")


def call(tool: str, name: str, **arguments: object) -> str:
    """As a person orders it from the mock model."""
    return f"CALL:{tool}{json.dumps({'name': name, **arguments})}"


def executions(log: Path) -> list[Execution]:
    """All of them, in the order in which they began."""
    begun: dict[str, dict[str, Any]] = {}
    for line in log.read_text().splitlines() if log.exists() else ():
        note = json.loads(line)
        if "sent" in note:
            note["sent"] = tuple(map(tuple, note["sent"]))
        begun.setdefault(note.pop("id"), {}).update(note)
    found = [Execution(**{"until": float("inf"), **note}) for note in begun.values()]
    return sorted(found, key=lambda one: one.at)
