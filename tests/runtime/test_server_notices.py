"""A server that tells too much is read as far as a person can see it, and never at the cost of what it answers."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from anyio import EndOfStream

from tests.runtime.support import Open, Screen, StillClock, ask
from workers.runtime.patches.server_text import Lines, noticed
from workers.runtime.servers.notices import NoticeBudget
from workers.showing import Step

PROGRESS, LOG, CHANGED = "notifications/progress", "notifications/message", "notifications/tools/list_changed"
MANY = 5_000
SERVER = """
import json, os, sys

def write(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\\n")

for line in sys.stdin:
    asked = json.loads(line)
    number, params = asked.get("id"), asked.get("params") or {}
    if number is None:
        continue
    if asked["method"] == "initialize":
        info = {"name": "wordy", "version": "1"}
        capabilities = {"tools": {"listChanged": True}, "logging": {}}
        result = {"protocolVersion": params["protocolVersion"], "capabilities": capabilities, "serverInfo": info}
    elif asked["method"] == "tools/list":
        result = {"tools": [{"name": "tells", "inputSchema": {"type": "object"}}]}
    else:
        token = (params.get("_meta") or {}).get("progressToken")
        for step in range(5_000):
            write(method="notifications/progress", params={"progressToken": token, "progress": step, "total": 5_000})
            write(method="notifications/message", params={"level": "info", "data": "x"})
            write(method="notifications/tools/list_changed")
            write(method="notifications/hologram")
        sys.stdout.flush()
        if asked["method"] == "tools/call":
            os.read(os.open(sys.argv[1], os.O_RDONLY), 1)
        result = {"content": [{"type": "text", "text": "done"}]}
    write(id=number, result=result)
    sys.stdout.flush()
"""


def line(method: str, **more: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method, **more}).encode() + b"\n"


class Chunks:
    """A server's output, as it comes."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)

    async def receive(self) -> bytes:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise EndOfStream
        return chunk


class GatedScreen(Screen):
    """Writes to a pipe when it has been shown a step of the many."""

    def __init__(self, gate: int) -> None:
        super().__init__()
        self._gate = gate

    def step(self, step: Step) -> None:
        super().step(step)
        if step.total == MANY:
            os.write(self._gate, b".")


@pytest.mark.promise("steps-shown")
async def test_a_tool_that_tells_of_each_of_many_steps_is_shown_a_part_of_them(
    runtime: Open, serve: Callable[..., None], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "gate")
    serve("wordy", command=sys.executable, args=["-c", SERVER, str(tmp_path / "gate")])
    # Open for both: neither side waits until the other has come.
    gate = os.open(tmp_path / "gate", os.O_RDWR)
    screen = GatedScreen(gate)
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(ask(1, "CALL:tells"), screen)
    os.close(gate)
    assert result.text.endswith("tool=done")
    assert len(screen.steps) < MANY / 10
    # How many of them are apart depends on how many the worker finds at once. The result comes after one of them.
    assert MANY in {step.total for step in screen.steps}
    assert screen.steps[-1].state == "done"


def test_a_burst_passes_and_then_some_a_second() -> None:
    clock = StillClock()
    notices = NoticeBudget(clock.now)
    assert sum(notices.passes(PROGRESS) for _ in range(MANY)) == 64
    clock.seconds += 1
    assert sum(notices.passes(method) for method in (PROGRESS, LOG, "notifications/x") * 100) == 20
    assert all(notices.passes(CHANGED) for _ in range(MANY))


async def test_what_is_no_notice_passes_and_a_list_that_changed_is_told_once_of_those_that_come_at_once() -> None:
    answer = json.dumps({"jsonrpc": "2.0", "id": 5, "result": {"method": PROGRESS}}).encode() + b"\n"
    asks = line(PROGRESS, id=6)
    large = line(LOG, params={"data": "x" * 100_000})
    chunk = line(CHANGED) * 1_000 + (line(PROGRESS) + line(LOG) + answer) * 1_000 + asks + large
    said = "".join([piece async for piece in Lines(Chunks([chunk, line(CHANGED)]))]).splitlines()
    read = [json.loads(one) for one in said]
    assert sum("result" in one for one in read) == 1_000
    assert [one.get("id") for one in read].count(6) == 1
    methods = [one.get("method") for one in read if "id" not in one]
    assert methods.count(CHANGED) == 2
    assert methods.count(PROGRESS) + methods.count(LOG) <= 64 + 20


def test_notices_that_come_over_http_are_counted_too() -> None:
    read = list[str]()

    def original(_connection: Any, notice: Any, *_: Any) -> None:
        read.append(notice.method)

    dispatch = noticed(original)
    connection = SimpleNamespace()
    for method in (PROGRESS, CHANGED) * 1_000:
        dispatch(connection, SimpleNamespace(method=method), None, None, None)
    assert read.count(CHANGED) == 1_000
    assert read.count(PROGRESS) <= 64 + 20
