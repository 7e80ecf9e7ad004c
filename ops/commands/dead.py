"""``cohort dead ...``: dead letters, the messages that Cohort gave up on."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from ops.context import Context, context, run
from tasks.errors import CohortError, Misconfigured
from tasks.store import Store
from tasks.store.dead import Dead
from tasks.store.redis import DEAD_KEPT

app = typer.Typer(help="Dead letters: list, show, retry, drop.", no_args_is_help=True, rich_markup_mode=None)

Letter = Annotated[str | None, typer.Argument(help="Its id, as `cohort dead list` shows it.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


def _line(dead: Dead) -> str:
    at = datetime.fromtimestamp(dead.letter.at, UTC).strftime("%Y-%m-%d %H:%M:%S") if dead.letter.at else "?"
    return f"{dead.id}  {at}  {dead.letter.session or '-'}  {dead.letter.reason}"


@app.command("list")
def list_(limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 100) -> None:
    """List them: id, time (UTC), session, reason. Only `show` prints the text of a message."""

    async def work(here: Context) -> None:
        async with here.store() as store:
            letters = await store.dead.list(limit)
            for dead in letters:
                print(_line(dead))
            count = await store.dead.count()
            if count > len(letters):
                print(f"... the newest {len(letters)} of {count}")
            elif not count:
                print("no dead letters")

    run(work(context()))


@app.command()
def show(letter: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """Show one dead letter whole, with the text of its message."""

    async def work(here: Context) -> None:
        async with here.store() as store:
            found = await store.dead.get(_form(letter))
            if found is None:
                raise Misconfigured(f"there is no dead letter {letter}")
            print(json.dumps(json.loads(found.letter.to_json()), indent=2, ensure_ascii=False))

    run(work(context()))


@app.command()
def retry(letter: Letter = None, *, everything: All = False) -> None:
    """Put it back: it goes to the end of its session's inbox."""
    run(_each(context(), letter, everything=everything, verb="retry"))


@app.command()
def drop(letter: Letter = None, *, everything: All = False) -> None:
    """Remove it for good."""
    run(_each(context(), letter, everything=everything, verb="drop"))


def _form(letter: str) -> str:
    first, _, second = letter.partition("-")
    if not (first.isdigit() and second.isdigit()):
        raise Misconfigured(f"{letter} is not the id of a dead letter (they look like 1700000000000-0)")
    return letter


async def _each(here: Context, letter: str | None, *, everything: bool, verb: str) -> None:
    if (letter is None) == (not everything):
        raise Misconfigured("name one letter, or give --all")
    async with here.store() as store:
        chosen = [dead.id for dead in await store.dead.list(DEAD_KEPT * 2)] if letter is None else [_form(letter)]
        done = 0
        for name in chosen:
            try:
                done += await _one(store, name, verb)
            except CohortError as problem:
                if letter is not None:
                    raise Misconfigured(f"{name}: {problem}") from problem
                print(f"{name}: {problem}")
        if letter is not None and not done:
            raise Misconfigured(f"there is no dead letter {letter}")
        word = "put back" if verb == "retry" else "dropped"
        print(f"{word}: {done}")


async def _one(store: Store, letter: str, verb: str) -> bool:
    return await (store.dead.retry(letter) if verb == "retry" else store.dead.drop(letter))
