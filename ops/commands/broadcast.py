"""``cohort broadcast``: one message to many chats."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ops.commands.broadcasting import Broadcast, Text, chats_of, line, read_text
from ops.context import Context, context, run
from tasks.clock import SystemClock
from tasks.errors import Misconfigured
from tasks.store import Store

File = Annotated[Path | None, typer.Argument(help="The text, as Markdown; one message.")]
To = Annotated[list[str] | None, typer.Option("--to", help="all, active:DAYS, or a chat's number; may be repeated.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say how many chats would get it, and send nothing.")]
One = Annotated[str | None, typer.Option("--bot", help="Which one of COHORT_BOTS.")]
Stop = Annotated[bool, typer.Option("--stop", help="Stop what is being sent, wherever it is sent from.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(broadcast)


def broadcast(file: File = None, to: To = None, *, dry_run: Dry = False, stop: Stop = False, bot: One = None) -> None:
    """Send a text to many chats, within Telegram's limits. Cut off or stopped, the same command goes on with it."""
    here = context()
    if stop:
        run(_stop(here))
        return
    if file is None or not to:
        raise Misconfigured("broadcast needs a file and --to (all, active:DAYS or a chat's number)")
    settings = here.one_bot(bot)
    here = replace(here, settings=settings)
    text = read_text(file, settings.bot_id, to)
    if dry_run:
        run(_dry(here, text, to))
    else:
        run(_send(here, text, to))


async def _stop(here: Context) -> None:
    async with here.store() as store:
        stopped = await store.broadcasts.stop()
    if not stopped:
        raise Misconfigured("no broadcast is under way")
    print(f"{stopped} stopped; the same command goes on with it")


async def _dry(here: Context, text: Text, to: list[str]) -> None:
    async with here.reader() as store:
        if (known := await store.broadcasts.progress(text.ident)) is not None:
            print(f"begun before: {line(known)}")
            return
        chats = await chats_of(store, to, here.settings.bot_id, SystemClock().now())
    least = len(chats) / here.settings.send_rate
    print(f"{len(chats)} chats would get it, in {least:.0f} s at least; nothing was sent")


async def _send(here: Context, text: Text, to: list[str]) -> None:
    async with here.store() as store:
        await _begin(here, store, text, to)
        done = await Broadcast(store, here.settings, SystemClock(), lambda said: print(said, flush=True)).send(text)
    if done is not None:
        print(line(done))
        if done.left:
            print("stopped; the same command goes on with it")
            raise typer.Exit(1)


async def _begin(here: Context, store: Store, text: Text, to: list[str]) -> None:
    known = await store.broadcasts.progress(text.ident)
    if known is None:
        chats = await chats_of(store, to, here.settings.bot_id, SystemClock().now())
        if not chats:
            raise Misconfigured("no chat would get it")
        await store.broadcasts.begin(text.ident, chats)
        print(f"{len(chats)} chats", flush=True)
    elif not known.left:
        raise Misconfigured(f"this text was sent to these chats already: {line(known)}; change it to send it again")
    else:
        await store.broadcasts.resume(text.ident)
        print(f"goes on: {line(known)}", flush=True)
