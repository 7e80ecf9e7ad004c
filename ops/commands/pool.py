"""``cohort scale | drain``: the number of workers."""

from typing import Annotated

import typer

from ops import control
from ops.context import Context, context, run
from tasks.errors import Misconfigured
from tasks.store import Store


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(scale)
    app.command()(drain)


def scale(
    workers: Annotated[int, typer.Argument(min=0, help="The number of workers.")],
) -> None:
    """Set the number of workers; surplus ones drain first."""
    here = context()
    answer = run(control.ask(here.supervisor(), "scale", count=workers))
    changed = ", ".join(answer["changed"]) or "nothing to do"
    print(f"{workers} workers wanted: {changed}")


def drain(worker: Annotated[str, typer.Argument(help="Its name or incarnation, as `cohort status` shows it.")]) -> None:
    """Let a worker finish its turns and exit, on any machine."""
    from ops.commands import remote  # noqa: PLC0415 - Celery takes long to import

    here = context()
    if here.running is not None:
        answer = run(control.ask(here.running, "drain", worker=worker))
        if answer["drained"]:
            print(f"{answer['drained']} finishes its turns and exits; `cohort scale` starts another")
            return
    host = run(_host(here, worker))
    if not remote.drain(here.settings, f"{worker}@{host}"):
        raise Misconfigured(f"{worker} on {host} does not answer; if it has died, other workers take its sessions over")
    print(f"{worker} on {host} finishes its turns and exits")


async def _host(here: Context, incarnation: str) -> str:
    return await here.read(lambda store: _living(store, incarnation))


async def _living(store: Store, incarnation: str) -> str:
    members = (await store.members.look()).members
    if incarnation not in members:
        known = ", ".join(sorted(members)) or "none"
        raise Misconfigured(f"there is no worker {incarnation}; living: {known}")
    return members[incarnation].host
