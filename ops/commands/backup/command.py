"""``cohort backup | restore | move``: what a deployment keeps, in a file, and from one Redis into another."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from ops.commands.backup import file as backup_file
from ops.context import Context, context, run
from ops.home import Home
from ops.up import valkey
from ops.up.console import stdout_console
from ops.up.supervisor import Supervisor
from tasks.clock import SystemClock
from tasks.config.settings import load
from tasks.errors import CohortError, Misconfigured, StoreUnavailable
from tasks.store.backup import dump, restore
from tasks.store.connection.redis import connection
from tasks.store.connection.server import RedisServer
from tasks.store.pauses import Pauses, PauseStore

_START_PATIENCE_S = 60.0
_LOOK_S = 3.0
_FILES = "Files of sessions (COHORT_HOME/sessions) and the media cache are not in it: copy those that you need."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore_)
    app.command("move")(move)


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write everything that is kept into FILE, also while the system runs. It holds conversations: keep it private."""
    here = context()
    if file.exists() and not force:
        raise Misconfigured(f"{file} is there already: name another file, or give --force")

    async def work(here: Context) -> None:
        async with _source(here) as url, connection(url) as redis:
            clock = SystemClock()
            count = await backup_file.write(
                file, dump(redis, clock), made=clock.now(), release=metadata.version("cohort")
            )
        print(f"{count} keys written to {file}. {_FILES}")

    run(work(here))


def restore_(file: Annotated[Path, typer.Argument(help="A file of `cohort backup`.")]) -> None:
    """Write FILE into the empty Redis at REDIS_URL, or into this directory's own store. Nothing may run on it."""
    here = context()
    made, _ = backup_file.check(file)

    async def work(here: Context) -> None:
        async with _source(here) as url, connection(url) as redis:
            await _require_unused(here, url, RedisServer(redis))
            count = await restore(redis, backup_file.read(file), SystemClock())
            pauses = await PauseStore(redis, SystemClock()).look()
        when = datetime.fromtimestamp(made, UTC).strftime("%Y-%m-%d %H:%M:%S")
        print(f"{count} keys restored, as they were on {when} UTC. {_FILES}")
        _say(pauses)

    run(work(here))


def move(url: Annotated[str, typer.Argument(help="The new one: redis://host:port/0")]) -> None:
    """Copy this directory's own store into the empty Redis at URL. Nothing may run meanwhile."""
    target = load({"REDIS_URL": url}).redis

    async def work(here: Context) -> None:
        _require_stopped(here)
        if here.settings.redis_url:
            raise Misconfigured("REDIS_URL is set: `cohort move` copies this directory's own store; unset it")
        clock = SystemClock()
        async with _embedded(here.home) as own, connection(own) as redis, connection(target) as other:
            count = await restore(other, dump(redis, clock), clock)
            pauses = await PauseStore(other, clock).look()
        print(f"{count} keys copied. Set REDIS_URL to the new address and start. {here.home.valkey} stays as it is.")
        _say(pauses)

    run(work(context()))


def _say(pauses: Pauses) -> None:
    for line in pauses.lines():
        print(f"{line} (`cohort resume`)")


async def _require_unused(here: Context, url: str, server: RedisServer) -> None:
    """Refuse the Redis of the `cohort up` that runs in this directory; another one is no concern of it.

    Raises:
        Misconfigured: it is that one, or it cannot be told from it.
    """
    if here.running is None:
        return
    its = here.running.env.get("REDIS_URL")
    if its is None or its == url:
        _require_stopped(here)
        return
    mine = await server.identity()
    try:
        async with connection(its, patience_s=_LOOK_S) as other:
            same = await RedisServer(other).identity() == mine
    except StoreUnavailable:
        same = False  # the one that answers is not the one that does not
    if same:
        _require_stopped(here)


def _require_stopped(here: Context) -> None:
    if here.running is not None:
        raise Misconfigured(f"`cohort up` runs in {here.home.root}: stop it first")


@asynccontextmanager
async def _source(here: Context) -> AsyncGenerator[str]:
    """The Redis of this deployment: the one that is named or runs, else this directory's own, started for now."""
    if here.settings.redis_url:
        yield here.settings.redis_url
        return
    async with _embedded(here.home) as url:
        yield url


@asynccontextmanager
async def _embedded(home: Home) -> AsyncGenerator[str]:
    """This directory's own store, while no `cohort up` runs here.

    Raises:
        Misconfigured: one runs, or the store does not start.
    """
    problem: CohortError | None = None
    with home.hold():
        console = stdout_console(home.logs)
        async with asyncio.TaskGroup() as group:
            supervisor = Supervisor(
                group, console=console, clock=SystemClock(), report_death=_unheard, fatal=console.say
            )
            prepared = await valkey.prepare(home.valkey, home.logs / "valkey.log")
            try:
                started = await valkey.start(supervisor, prepared, patience=_START_PATIENCE_S)
                if started is None:
                    raise Misconfigured(f"the embedded Valkey does not start; see {home.logs / 'valkey.log'}")
                yield started.url
            except CohortError as raised:
                problem = raised  # a task group would wrap it
            finally:
                await supervisor.stop()
    if problem is not None:
        raise problem


async def _unheard(_incarnation: str) -> None:
    """Only workers' deaths are reported, and none runs."""
