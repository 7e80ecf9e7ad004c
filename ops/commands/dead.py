"""``cohort dead ...``: dead letters, the messages that Cohort gave up on."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer

from ops.commands.of_bot import OfBot, of_bot
from ops.context import Context, context, run
from tasks.errors import CohortError, Misconfigured, StoreUnavailable
from tasks.store import Store
from tasks.store.records.dead import Dead, is_letter

app = typer.Typer(help="Dead letters: list, show, retry, drop.", no_args_is_help=True, rich_markup_mode=None)

Letter = Annotated[str | None, typer.Argument(help="Its id, as `cohort dead list` shows it.")]
All = Annotated[bool, typer.Option("--all", help="All of them, or with --bot all of this bot.")]


def _line(dead: Dead) -> str:
    at = datetime.fromtimestamp(dead.letter.at, UTC).strftime("%Y-%m-%d %H:%M:%S") if dead.letter.at else "?"
    return f"{dead.id}  {at}  {dead.letter.session or '-'}  {dead.letter.reason}"


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 100,
    *,
    bot: OfBot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """List them: id, time (UTC), session, reason. Only `show` prints the text of a message."""
    here = context()

    async def work(store: Store) -> None:
        of = await of_bot(here, store, bot)
        letters, count = await store.dead.list(limit, bot=of), await store.dead.count(of)
        if as_json:
            print(json.dumps({"count": count, "letters": [_facts(dead) for dead in letters]}))
            return
        for dead in letters:
            print(_line(dead))
        if count > len(letters):
            print(f"... the newest {len(letters)} of {count}")
        elif not count:
            print("no dead letters")

    run(here.read(work))


def _facts(dead: Dead) -> Mapping[str, object]:
    letter = dead.letter
    return {
        "id": dead.id,
        "bot": dead.bot,
        "at": letter.at,
        "session": letter.session,
        "update_id": letter.update_id,
        "reason": letter.reason,
        "retryable": letter.inbound is not None,
    }


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="Its id, as `cohort dead list` shows it.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on one line.")] = False,
) -> None:
    """Show one dead letter whole, as JSON, with the text of its message."""
    found = run(context().read(lambda store: store.dead.get(_form(letter))))
    if found is None:
        raise Misconfigured(f"there is no dead letter {letter}")
    print(json.dumps(json.loads(found.letter.to_json()), indent=None if as_json else 2, ensure_ascii=False))


@app.command()
def retry(letter: Letter = None, *, everything: All = False, bot: OfBot = None) -> None:
    """Put it back: it goes to the end of its session's inbox."""
    run(_each(context(), letter, everything=everything, bot=bot, verb="retry"))


@app.command()
def drop(letter: Letter = None, *, everything: All = False, bot: OfBot = None) -> None:
    """Remove it for good."""
    run(_each(context(), letter, everything=everything, bot=bot, verb="drop"))


def _form(letter: str) -> str:
    if not is_letter(letter):
        raise Misconfigured(f"{letter} is not the id of a dead letter (they look like 4242:1700000000000-0)")
    return letter


async def _each(here: Context, letter: str | None, *, everything: bool, bot: str | None, verb: str) -> None:
    """Do it to one letter or to all; a letter with which it cannot be done stops no other.

    Raises:
        typer.Exit: with status 1, when it could not be done with some of all.
    """
    if (letter is None) == (not everything):
        raise Misconfigured("name one letter, or give --all")
    if letter is not None and bot is not None:
        raise Misconfigured("name a letter or a bot: the id of a letter names its bot")
    async with here.store() as store:
        chosen = [_form(letter)] if letter is not None else await _all(here, store, bot)
        done = failed = 0
        for name in chosen:
            try:
                done += await _one(store, name, verb)
            except StoreUnavailable:
                raise
            except CohortError as problem:
                if letter is not None:
                    raise Misconfigured(f"{name}: {problem}") from problem
                print(f"{name}: {problem}", file=sys.stderr)
                failed += 1
        if letter is not None and not done:
            raise Misconfigured(f"there is no dead letter {letter}")
        word = "put back" if verb == "retry" else "dropped"
        print(f"{word}: {done}" + (f", not {word}: {failed}" if failed else ""))
        if failed:
            raise typer.Exit(1)


async def _all(here: Context, store: Store, bot: str | None) -> list[str]:
    return [dead.id for dead in await store.dead.list(None, bot=await of_bot(here, store, bot))]


async def _one(store: Store, letter: str, verb: str) -> bool:
    return await (store.dead.retry(letter) if verb == "retry" else store.dead.drop(letter))
