"""``cohort scale | drain``: the number of workers."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import typer

from ops import control
from ops.commands.doctor.memory import memory
from ops.commands.finding import Finding
from ops.context import Context, context, run
from ops.up.supervisor import number_of
from tasks.config.worker_count import WorkerCount, cores
from tasks.errors import Misconfigured
from tasks.store import Store
from tasks.text import is_digits

_NAMED = 3
"""Of so many in a row each is named."""
_A_CORE = 4
"""Workers a core from which on a word is said of it: they mostly wait for models."""


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
    if is_digits(workers) and answer["changed"] and not answer.get("ends"):
        for line in too_many(int(workers), cores(), run(memory(here, int(workers)))):
            print(line)
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
    return _listed(names) + verb.get(answer.get("ends", ""), "")


def _listed(names: list[str]) -> str:
    """``worker-3 to worker-16, worker-20``."""
    runs: list[list[str]] = []
    for name in names:
        if runs and number_of(name) == number_of(runs[-1][-1]) + 1:
            runs[-1].append(name)
        else:
            runs.append([name])
    parts = [[f"{run[0]} to {run[-1]}"] if len(run) > _NAMED else run for run in runs]
    return ", ".join(name for part in parts for name in part)


def too_many(count: int, on: int, found: Iterable[Finding]) -> Iterator[str]:
    """What is to be said of so many workers on a machine of so many cores (pure)."""
    if count > _A_CORE * on:
        yield f"{count} workers on {on} core{'' if on == 1 else 's'}: more than one a core hardly answer sooner"
    yield from (f"{one.seen}; {one.do}" for one in found if one.severity != "ok")


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
