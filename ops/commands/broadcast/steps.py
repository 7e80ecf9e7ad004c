"""What ``cohort broadcast`` does: it is loaded when it is asked for, because what sends takes long to import."""

import typer

from ops.commands.broadcast.broadcasting import Broadcast, Text, chats_of, line, read_text
from ops.context import Context
from tasks.clock import SystemClock
from tasks.errors import Misconfigured
from tasks.store import Store

__all__ = ["dry", "read_text", "send", "stop"]


async def stop(here: Context, bot: int | None) -> None:
    """Stop what is being sent, or what one bot sends."""
    async with here.store() as store:
        stopped = await store.broadcasts.stop(bot)
    if not stopped:
        raise Misconfigured("no broadcast is under way")
    print(f"{stopped} stopped; the same command goes on with it")


async def dry(here: Context, text: Text, to: list[str]) -> None:
    """Say how many chats would get it."""
    async with here.reader() as store:
        if (known := await store.broadcasts.progress(text.ident)) is not None:
            print(f"begun before: {line(known)}")
            return
        chats = await chats_of(store, to, here.settings.bot_id, SystemClock().now())
    least = len(chats) / here.settings.send_rate
    print(f"{len(chats)} chats would get it, in {least:.0f} s at least; nothing was sent")


async def send(here: Context, text: Text, to: list[str]) -> None:
    """Begin it, or go on with it."""
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
        await store.broadcasts.begin(text.ident, chats, here.settings.bot_id)
        print(f"{len(chats)} chats", flush=True)
    elif not known.left:
        raise Misconfigured(f"this text was sent to these chats already: {line(known)}; change it to send it again")
    else:
        await store.broadcasts.resume(text.ident)
        print(f"goes on: {line(known)}", flush=True)
