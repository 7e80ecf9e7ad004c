"""``cohort bots``: the bots of this deployment, how each stands, and forgetting one that was taken out."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from ops.commands.forgetting import forget
from ops.commands.status.read import look
from ops.commands.status.view import BotSeen
from ops.context import Context, context, run
from tasks.bots import bots_of
from tasks.clock import SystemClock
from tasks.errors import Misconfigured
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.store.pauses import Pauses

app = typer.Typer(no_args_is_help=False, invoke_without_command=True, help="Show the bots, or forget one.")


@dataclass(frozen=True, slots=True)
class BotStands:
    """A bot, and how it stands."""

    bot: int
    name: str
    """In ``COHORT_BOTS``; "" where it does not stand there."""
    username: str
    """As its process says; "" where none runs."""
    stands: str
    waiting: int
    """Sessions with work."""
    oldest_s: float
    """Seconds since the oldest one's message was accepted."""


@app.callback()
def show(
    given: typer.Context, *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False
) -> None:
    """Show the bots: those of COHORT_BOTS, and those of which Redis keeps something."""
    if given.invoked_subcommand is not None:
        return
    here = context()
    found = run(here.read(lambda store: _found(here, store)))
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
        return
    for one in found:
        work = f", {one.waiting} sessions wait, the oldest for {one.oldest_s:.0f} s" if one.waiting else ""
        print(f"{one.name or '-'}  {one.bot}  {f'@{one.username}' if one.username else '-'}  {one.stands}{work}")
    if not found:
        print("no bot is known")


async def _found(here: Context, store: Store) -> list[BotStands]:
    named = {bot.id: bot for bot in bots_of(here.settings, here.environ)}
    seen: dict[int, BotSeen] = {}
    for one in (await look(store, SystemClock(), slots=here.settings.slots)).bots:
        if one.alive and (one.bot not in seen or one.leads):
            seen[one.bot] = one
    pauses = await store.pauses.look()
    waiting, now = await store.oversight.waiting_by_bot(), SystemClock().now()
    found: list[BotStands] = []
    for ident in sorted(
        {*named, *seen, *waiting, *await store.oversight.bots()}, key=lambda one: (one not in named, one)
    ):
        bot, process = named.get(ident), seen.get(ident)
        count, since = waiting.get(ident, (0, now))
        if bot is not None and bot.entry.paused:
            stands = "paused"
        elif process is not None:
            stands = process.mode if process.leads else "stands by"
        else:
            stands = "no process" if bot is not None or not named else "taken out; its data is kept"
        stands += "".join(f"; {what} paused by command" for what, of in _by_command(pauses).items() if ident in of)
        names = bot.name if bot is not None else "", process.username if process is not None else ""
        found.append(BotStands(ident, *names, stands, count, max(0.0, now - since)))
    return found


def _by_command(pauses: Pauses) -> dict[str, Mapping[int, float]]:
    return {"intake": pauses.intake_of, "turns": pauses.turns_of}


@app.command("forget")
def forget_bot(
    bot: Annotated[int, typer.Argument(min=1, help="Its number, as `cohort bots` shows it.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase all that is kept of a bot that was taken out: sessions, people, usage, files. There is no way back."""
    here = context()
    own = {one.id for one in bots_of(here.settings, here.environ)}
    own |= {here.settings.bot_id} if here.settings.telegram_bot_token is not None and not own else set()
    if bot in own:
        raise Misconfigured(f"{bot}: this bot is served; take it out of COHORT_BOTS first")
    alive = run(here.read(lambda store: look(store, SystemClock(), slots=here.settings.slots))).bots
    if any(one.alive and one.bot == bot for one in alive):
        raise Misconfigured(f"{bot}: a process of this bot runs; end it first")
    if not yes and not typer.confirm(f"Erase everything of the bot {bot}?"):
        raise Misconfigured("nothing was erased")
    told = run(forget(here, ErasureScope(bot=bot)))
    for what, count in sorted(told.counts.items()):
        if count:
            print(f"erased: {count} {what}")
    for problem in told.problems:
        print(f"left: {problem}")
    if told.problems:
        raise typer.Exit(1)
