"""``cohort restart``: the workers of the running ``cohort up``, one after the other; then chats' own processes."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ops import control
from ops.context import Context, context, run
from ops.home import Running
from ops.up.plan import KILLED_AFTER_S
from tasks.clock import SystemClock
from tasks.errors import Misconfigured, Retryable
from tasks.store import Store

_LOOK_EVERY_S = 0.3
_START_S = 90.0
"""A worker's start, on a slow machine."""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(restart)


def restart(
    workers: Annotated[
        list[str] | None, typer.Argument(help="Their names or incarnations, as `cohort status` shows them; else all.")
    ] = None,
) -> None:
    """Restart workers one after the other: each finishes its turns, and the next waits until it is back.

    Chats' own processes finish their turns, too; the next message of such a chat starts another one.
    """
    here = context()
    run(one_by_one(here, here.supervisor(), workers or ()))


async def one_by_one(here: Context, running: Running, named: Sequence[str]) -> None:
    """Restart those that are named, or all, and say how it goes.

    Raises:
        Misconfigured: there is no such worker here; none is restarted.
        Retryable: one does not come back in time, or Redis is away; those after it are not restarted.
    """
    workers, own = await _workers(running), await _processes(running, "own")
    chosen = _chosen({**workers, **own}, named)
    async with here.store() as store:
        for name in (one for one in chosen if one in workers):
            before = (await _workers(running)).get(name)
            if (await control.ask(running, "restart", worker=name))["restarts"] is None:
                print(f"{name} was taken away meanwhile")
                continue
            print(f"{name} finishes its turns", flush=True)
            print(await _back(here, store, running, name, before), flush=True)
    for name in (one for one in chosen if one in own):
        if (await control.ask(running, "restart own", worker=name))["ends"]:
            print(f"{name} finishes its turns; the next message of its chat starts another one", flush=True)


async def _workers(running: Running) -> dict[str, str | None]:
    """The incarnation of each worker that does not leave; None between two runs."""
    return await _processes(running, "worker")


async def _processes(running: Running, kind: str) -> dict[str, str | None]:
    told: list[dict[str, Any]] = (await control.ask(running, "processes"))["processes"]
    return {one["name"]: one["incarnation"] for one in told if one.get(kind) and not one["leaving"]}


def _chosen(known: dict[str, str | None], named: Sequence[str]) -> list[str]:
    """Those that are named, in the order of what is known; all where none is.

    Raises:
        Misconfigured: there is no such worker here.
    """
    for wanted in named:
        if wanted not in known and wanted not in known.values():
            living = ", ".join(known) or "none"
            raise Misconfigured(f"there is no worker {wanted} under this `cohort up`; living: {living}")
    return [name for name, incarnation in known.items() if not named or name in named or incarnation in named]


async def _back(here: Context, store: Store, running: Running, name: str, before: str | None) -> str:
    """Wait until another run of this worker has joined; a line about it.

    Raises:
        Retryable: it does not come back in time.
    """
    clock = SystemClock()
    began, patience = clock.monotonic(), here.settings.drain_grace.total_seconds() + KILLED_AFTER_S + _START_S
    while clock.monotonic() - began < patience:
        now = await _workers(running)
        if name not in now:
            return f"{name} was taken away meanwhile"
        if (again := now[name]) not in {None, before} and again in (await store.members.look()).members:
            return f"{name} is back as {again}, after {clock.monotonic() - began:.0f} s"
        await asyncio.sleep(_LOOK_EVERY_S)
    raise Retryable(f"{name} has not come back within {patience:.0f} s; the workers after it were left as they are")
