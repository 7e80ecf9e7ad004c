"""``cohort chats``: the chats that take no messages of the bot, and why."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from ops.commands.of_bot import OfBot, of_bot
from ops.context import context, run
from tasks.chats.closed import ClosedChat, summary
from tasks.store import Store


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("chats")(chats)


def chats(
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest.")] = 50,
    *,
    bot: OfBot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show chats that take no messages: blocked, removed, muted, gone, migrated to a supergroup, or shut (topics)."""
    here = context()

    async def work(store: Store) -> Sequence[ClosedChat]:
        return await store.closed.look(await of_bot(here, store, bot))

    closed = run(here.read(work))
    if as_json:
        print(json.dumps({**summary(closed), "chats": [asdict(one) for one in closed[:limit]]}))
        return
    print(told(summary(closed)) or "all known chats take messages")
    for one in closed[:limit]:
        print(f"{datetime.fromtimestamp(one.at, UTC):%Y-%m-%d %H:%M}  {one.why:<8}  {one.chat} (bot {one.bot})")
    if len(closed) > limit:
        print(f"and {len(closed) - limit} more: --limit")


def told(counts: dict[str, int]) -> str:
    """``3 blocked, 1 muted``."""
    return ", ".join(f"{count} {why}" for why, count in counts.items())
