"""A turn's journal in memory that stands still after so many steps, as when its worker dies; a tool that counts."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.runtime.support import Screen
from workers.interfaces import TurnRequest, TurnResult
from workers.runtime.conversation.history import decode
from workers.runtime.engine import Engine

COUNTER = '''
"""A tool that writes down each of its executions with the key of the call."""

from pathlib import Path

from cohort import current_call


async def count(name: str = "it") -> str:
    """Count."""
    call = current_call()
    with Path(__file__).with_suffix(".log").open("a") as log:
        log.write(f"{call.key} {name} {call.again}\\n")
    return f"counted {name}"


async def plain(name: str) -> str:
    """Count without a key."""
    with Path(__file__).with_suffix(".log").open("a") as log:
        log.write(f"- {name} False\\n")
    return f"plain {name}"
'''


class MemorySteps:
    """A ``StepLog``. ``room``: so many entries are kept; then the worker is dead, and nothing goes on."""

    def __init__(self, kept: Sequence[bytes] = (), room: int | None = None, turn: str = "42:1 turn") -> None:
        self.kept: list[bytes] = list(kept)
        self.turn = turn
        self.dropped = 0
        self.writes = 0
        self.dead = asyncio.Event()
        self.slow = asyncio.Event()
        """Results are written when it is set."""
        self.slow.set()
        self.waiting = 0
        self._room = room
        self._added: list[bytes] = []
        self.finished: list[bytes] = []
        """Those of them that finished something."""

    def add(self, entry: bytes, *, finished: bool = False) -> None:
        self._added.append(entry)
        if finished:
            self.finished.append(entry)

    def soon(self) -> None:
        self._write()

    async def safe(self) -> None:
        self.waiting += 1
        await self.slow.wait()
        self._write()
        self.waiting -= 1

    async def written(self) -> None:
        await asyncio.sleep(0)
        self._write()
        if self.dead.is_set():
            await asyncio.get_running_loop().create_future()

    def drop(self) -> None:
        self.dropped += 1
        self.kept.clear()

    def _write(self) -> None:
        self.writes += bool(self._added)
        while self._added:
            if self._room is not None and len(self.kept) >= self._room:
                self.dead.set()
                self._added.clear()
                return
            self.kept.append(self._added.pop(0))


async def run_until_dead(engine: Engine, request: TurnRequest, steps: MemorySteps) -> TurnResult | None:
    """Run a turn; None when its worker died in it."""
    async with asyncio.TaskGroup() as group:
        turn = group.create_task(engine.run(request, Screen()), name="turn")
        dead = group.create_task(steps.dead.wait(), name="dead")
        await asyncio.wait({turn, dead}, return_when=asyncio.FIRST_COMPLETED)
        turn.cancel()
        dead.cancel()
    return None if turn.cancelled() else turn.result()


def executions(cards: Path) -> Counter[str]:
    """Key of a call -> how often it was executed."""
    log = cards / "counter.log"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return Counter(line.split(" ")[0] for line in lines)


def told(history: bytes) -> Any:
    """A history but for times; the mock's ids of calls are numbered in the order in which they stand."""
    record = decode(history)
    plain = {"": record.messages, **record.members}
    dumped = {
        name: [message.model_dump(mode="json", exclude={"timestamp"}, exclude_none=True) for message in messages]
        for name, messages in plain.items()
    }
    numbers: dict[str, str] = {}
    text = json.dumps(dumped, sort_keys=True)
    return json.loads(re.sub(r"call_\d+_\d+", lambda found: numbers.setdefault(found[0], f"id{len(numbers)}"), text))
