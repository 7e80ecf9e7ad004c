"""``cohort status`` and ``cohort health``: how the running system stands, for people, programs and probes."""

import asyncio
import json
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Literal

import httpx
import typer

from ops.commands.status.read import among, disk_line, look
from ops.commands.status.text import health_problems, render
from ops.commands.status.view import Look
from ops.context import Context, context, run
from ops.terminal import own
from ops.up.plan import HOST
from tasks.bots import bots_of
from tasks.clock import SystemClock
from tasks.errors import CohortError, Misconfigured
from tasks.text import printable

CLEAR = "\x1b[H\x1b[2J"
_EVERY_S = 2.0
type StatusPart = Literal["all", "bot", "worker", "flower", "console"]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(status)
    app.command()(health)


def status(
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh every two seconds.")] = False,
    slots: Annotated[bool, typer.Option("--slots", help="Also the depth of each slot that has work.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show bot, workers, lanes, what runs and what waits, the model, sends, and dead letters."""
    here = context()
    here.system()
    run(_watch(here, slots=slots, as_json=as_json) if watch else _once(here, slots=slots, as_json=as_json))


async def _once(here: Context, *, slots: bool, as_json: bool) -> None:
    now = await _look(here)
    text = json.dumps(now.to_json()) if as_json else render(now, colour=sys.stdout.isatty(), slots=slots)
    print(text, file=own(), flush=True)


async def _watch(here: Context, *, slots: bool, as_json: bool) -> None:
    """Look again and again. A Redis that is away is shown as such, and asked again."""
    before: Look | None = None
    colour = sys.stdout.isatty()
    while True:
        try:
            now = await _look(here)
        except CohortError as problem:
            text = json.dumps({"error": str(problem)}) if as_json else printable(str(problem))
        else:
            text = json.dumps(now.to_json()) if as_json else render(now, before, colour=colour, slots=slots)
            before = now
        print((CLEAR if colour and not as_json else "") + text, file=own(), flush=True)
        await asyncio.sleep(_EVERY_S)


async def _look(here: Context) -> Look:
    now = await here.read(lambda store: look(store, SystemClock(), slots=here.settings.slots))
    with suppress(Misconfigured):  # a file that is wrong just now says nothing; doctor tells of it
        now = among(now, bots_of(here.settings, here.environ))
    running = here.home.running()
    refused = await asyncio.to_thread(here.home.takes_no_files)
    disk = () if refused is None else (disk_line(socket.gethostname(), refused),)
    scale = running.scale if running is not None else None
    return replace(now, scale=scale, disk=tuple(dict.fromkeys((*disk, *now.disk))))


def health(
    part: Annotated[
        str, typer.Argument(help="bot, worker, flower or console: those of this host. Default: the whole system.")
    ] = "all",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """For probes: exits with 0 when all is well, with 1 and a line for each problem when it is not."""
    if part not in ("all", "bot", "worker", "flower", "console"):
        raise typer.BadParameter("bot, worker, flower or console")
    here = context()
    pages = {
        "flower": ("Flower", here.settings.flower_port, "healthcheck"),
        "console": ("the console", here.settings.console_port, "healthz"),
    }
    problems = _page(*pages[part]) if part in pages else run(_problems(here, part))
    if as_json:
        print(json.dumps({"healthy": not problems, "problems": problems}))
    else:
        print("\n".join(problems) or "healthy")
    if problems:
        raise typer.Exit(1)


async def _problems(here: Context, part: str) -> list[str]:
    here.system()
    try:
        now = await _look(here)
    except CohortError as problem:
        return [str(problem)]
    return health_problems(now, part, "" if part == "all" else socket.gethostname())


def _page(name: str, port: int, path: str) -> list[str]:
    url = f"http://{HOST}:{port}/{path}"
    try:
        answer = httpx.get(url, timeout=2, trust_env=False)
    except httpx.HTTPError as problem:
        return [f"{name} does not answer at {url} ({type(problem).__name__})"]
    return [] if answer.is_success else [f"{name} answers {answer.status_code} at {url}"]
