"""A worker whose loop is held for good ends, and its log names what holds it: no Python could run to notice."""

import asyncio
import subprocess
import sys

import pytest

HOLDS = {
    "a loop that never awaits": "while True: pass",
    "C code that keeps the interpreter's lock": "sum(range(10**12))",
}
SCRIPT = """
import asyncio
from datetime import timedelta
from workers.process import standstill

async def tool_that_hangs():
    {holds}

async def main():
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(standstill.watch(limit=timedelta(seconds={limit}), every=0.05))
        await asyncio.sleep(0.3)
        {then}
        watch.cancel()

asyncio.run(main())
"""


async def ended(**parts: object) -> tuple[int, str]:
    code = SCRIPT.format(**parts)
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True)
    return done.returncode, done.stderr


@pytest.mark.promise("standstill")
@pytest.mark.parametrize("kind", HOLDS)
async def test_a_worker_whose_loop_is_held_ends_and_names_the_function(kind: str) -> None:
    status, said = await ended(holds=HOLDS[kind], limit=0.5, then="await tool_that_hangs()")
    assert status == 1
    assert "in tool_that_hangs" in said


async def test_a_loop_that_runs_is_never_ended_and_none_after_it() -> None:
    assert await ended(holds="pass", limit=2, then="await asyncio.sleep(2.4)") == (0, "")
