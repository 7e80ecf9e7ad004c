"""How long `cohort up` takes to its first answer."""

import asyncio
import os
import secrets
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import httpx

from bench.rows import Goal, Size
from bench.stand import CLOCK, Broken
from ops.up.demo_model import installed
from playground.client import PlaygroundClient
from playground.link import PlaygroundError
from tests.harness.processes import ROOT
from tests.support.ports import free_port

ABOUT = "`cohort up` (s): until it says that it is up, and until a person who wrote at once has an answer"
COLUMNS = ("second", "first", *(("demo",) if installed() else ()))
"""The second start in a home, and the first; an echo is the model. `demo`: the second, with the demo model."""
BASE = "second"
GOALS = (Goal("second", "answer s", at_most=4.0), Goal("first", "answer s", at_most=8.0))
_PATIENCE_S = 120.0


async def measure(column: str, size: Size) -> dict[str, float]:
    del size  # there is no smaller start
    with tempfile.TemporaryDirectory(prefix="cohort-start-") as home:
        if column != "first":
            await _start(Path(home), demo=column == "demo")
        return await _start(Path(home), demo=column == "demo")


async def _start(home: Path, *, demo: bool) -> dict[str, float]:
    """Start it, write to it, and end it again."""
    key, port = secrets.token_urlsafe(16), free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "COHORT_HOME": str(home),
        "COHORT_ENV_FILE": os.devnull,
        "COHORT_PLAYGROUND_PORT": str(port),
        "COHORT_PLAYGROUND_KEY": key,
        "COHORT_CONSOLE_PORT": str(free_port()),
        "FLOWER_PORT": str(free_port()),
    }
    if not demo:
        environ["COHORT_MODEL"] = "passthrough"
    began = CLOCK.monotonic()
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("cohort"), "up", cwd=ROOT, env=environ, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_PATIENCE_S), asyncio.TaskGroup() as group:
            up = group.create_task(_is_up(process), name="up")
            answered = group.create_task(_answered(f"http://127.0.0.1:{port}", key), name="answer")
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.communicate()
    return {"up s": up.result() - began, "answer s": answered.result() - began}


async def _is_up(process: asyncio.subprocess.Process) -> float:
    """When it said so."""
    assert process.stdout is not None
    lines: list[str] = []
    while line := (await process.stdout.readline()).decode():
        lines.append(line)
        if "Cohort is up" in line:
            return CLOCK.monotonic()
    raise Broken("".join(lines[-10:]))


async def _answered(url: str, key: str) -> float:
    """When the whole answer to the first message was there, written as soon as the page can be reached."""
    async with PlaygroundClient(url, key=key) as person:
        while True:
            try:
                chat = (await person.chat())["id"]
                break
            except (PlaygroundError, httpx.HTTPError):
                await asyncio.sleep(0.02)
        await person.say(chat, "hello")
        await person.wait_for(chat, lambda messages: any(message.get("text") for message in messages), timeout=60)
        return CLOCK.monotonic()
