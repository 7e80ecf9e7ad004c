"""``cohort scale | drain``: the number of workers."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ops import control
from ops.context import Context, context, run
from tasks.errors import Misconfigured
from tasks.store import Store
from tasks.text import is_digits
from tasks.worker_count import WorkerCount


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(scale)
    app.command()(drain)


def scale(
    workers: Annotated[str, typer.Argument(help="A number, or `auto`, or `auto:1..4`: the load decides.")],
) -> None:
    """Set the number of workers, or let the load decide; surplus ones drain first."""
    here = context()
    asked = {"count": int(workers)} if is_digits(workers) else {"auto": _by_load(workers)}
    answer = run(control.ask(here.supervisor(), "scale", **asked))
    print(f"{answer['workers']} worker{'' if answer['workers'] == 1 else 's'} wanted: {change(answer)}")
    if "auto" in asked:
        print(f"the load decides from now on ({asked['auto']})")
    elif answer.get("was"):
        print(f"the load decides no longer; `cohort scale {answer['was']}` lets it again")


def change(answer: Mapping[str, Any]) -> str:
    """What becomes of which workers; a supervisor of the release before names them alone."""
    names: list[str] = answer["changed"]
    if not names:
        return "nothing to do"
    one = "s" if len(names) == 1 else ""
    verb = {True: f" finish{'es its' if one else ' their'} turns and end{one}", False: f" start{one}"}
    return ", ".join(names) + verb.get(answer.get("ends", ""), "")


def _by_load(said: str) -> str:
    try:
        return str(WorkerCount.parse(said))
    except ValueError as problem:
        raise Misconfigured(f"the number of workers {problem}") from None


def drain(
    worker: Annotated[str, typer.Argument(help="Its name or incarnation, as `cohort status` or Flower shows it.")],
) -> None:
    """Let a worker finish its turns and exit, on any machine."""
    from ops.commands import remote  # noqa: PLC0415 - Celery takes long to import

    here = context()
    if here.running is not None:
        answer = run(control.ask(here.running, "drain", worker=worker))
        if answer["drained"]:
            print(f"{answer['drained']} finishes its turns and exits; `cohort scale` starts another")
            return
    node = run(_node(here, worker))
    if not remote.drain(here.settings, node):
        raise Misconfigured(f"{node} does not answer; if it has died, other workers take its sessions over")
    print(f"{node} finishes its turns and exits")


async def _node(here: Context, worker: str) -> str:
    return await here.read(lambda store: _living(store, worker))


async def _living(store: Store, worker: str) -> str:
    nodes = {name: status.node_of(name) for name, status in (await store.members.look()).members.items()}
    if worker in nodes.values():
        return worker
    if worker not in nodes:
        known = ", ".join(sorted(nodes)) or "none"
        raise Misconfigured(f"there is no worker {worker}; living: {known}")
    return nodes[worker]
