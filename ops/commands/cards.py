"""``cohort cards ...``: begin a card, check the agent cards, and have the workers read changed ones."""

import json
import sys
from typing import Annotated

import typer

from ops import agent_config
from ops.commands import new_card
from ops.commands.doctor.runtime_check import complaints, ran
from ops.context import Context, context, run
from tasks.config.settings import Settings
from tasks.errors import Misconfigured

app = typer.Typer(
    help="Agent cards: begin one, check them, reload changed ones.", no_args_is_help=True, rich_markup_mode=None
)


def looked_at(here: Context) -> tuple[list[str], list[str]]:
    """Problems and notes, one line each. Without a problem, workers take the cards.

    The check runs in its own process, because it loads fast-agent.
    """
    done = ran(here, "workers.runtime.cards.checks")
    return ([], done.stdout.splitlines()) if done.returncode == 0 else (complaints(done), [])


def _demand(here: Context) -> None:
    found, notes = looked_at(here)
    if found:
        raise Misconfigured("\n".join(found))
    for note in notes:
        print(note)


@app.command()
def check(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False) -> None:
    """Check the cards and the configuration, and print each problem."""
    here = context()
    if as_json:
        problems, notes = looked_at(here)
        print(json.dumps({"right": not problems, "problems": problems, "notes": notes}))
        raise typer.Exit(2 if problems else 0)
    _demand(here)
    print(f"the cards in {here.settings.cards} are right: {', '.join(names(here.settings))}")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="How people choose it: /agent NAME.")],
    *,
    python_tool: Annotated[bool, typer.Option("--python-tool", help="With a tool written in Python.")] = False,
    mcp: Annotated[bool, typer.Option("--mcp", help="With an MCP server of its own.")] = False,
) -> None:
    """Write a card that works at once, to be changed. Nothing is written over."""
    here = context()
    for path in new_card.write(here.settings, name, python_tool=python_tool, mcp=mcp):
        print(path)
    print(f"{_what_reads(here)}; choose it in a chat with /agent {name}. `cohort cards check` says what is wrong.")


def _what_reads(here: Context) -> str:
    if here.running is None:
        return "the next `cohort up` reads it"
    wanted = here.settings.cards_reload
    if wanted == "on" or (wanted == "auto" and here.running.playground_url):
        return "the `cohort up` that runs reads it in some seconds"
    return "`cohort cards reload` has the running workers read it"


def names(settings: Settings) -> list[str]:
    """The agents, the one first that answers who has chosen none."""
    found = agent_config.cards(settings)
    chosen = settings.agent
    first = [card for card in found if (card.name == chosen if chosen else card.head.get("default") is True)]
    return list(dict.fromkeys(card.name for card in (*first, *found)))


@app.command()
def reload() -> None:
    """Check the cards, then have every worker read them again; running turns finish with the old ones."""
    from ops.commands import remote  # noqa: PLC0415 - Celery takes long to import

    here = context()
    system = here.system()
    _demand(here)
    workers = run(_workers(here))
    if not workers:
        raise Misconfigured("no worker runs; new workers read the cards when they start")
    refused: list[str] = []

    def heard(answer: remote.WorkerAnswer) -> None:
        print(answer.line(), flush=True)
        if answer.refused:
            refused.append(answer.node)

    silent = remote.reload(
        system,
        workers,
        heard=heard,
        waiting=lambda names: print(f"still waiting for {', '.join(names)} ...", flush=True),
    )
    for name in silent:
        print(f"{name}: no answer; look at its log, or drain it: its successor reads the cards", file=sys.stderr)
    if silent or refused:
        raise typer.Exit(1)


async def _workers(here: Context) -> list[str]:
    members = (await here.read(lambda store: store.members.look())).members
    return sorted(status.node_of(incarnation) for incarnation, status in members.items())
