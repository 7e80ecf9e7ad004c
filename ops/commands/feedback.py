"""``cohort feedback``: people's thumbs at answers, with the reference of each turn."""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ops.commands.of_bot import OfBot, of_bot
from ops.context import Context, context, run
from tasks.chats.feedback import Opinion
from tasks.clock import SystemClock
from tasks.errors import Misconfigured
from tasks.store import Store

_UNITS = {"m": 60, "h": 3600, "d": 86400}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("feedback")(feedback)


def feedback(
    since: Annotated[str, typer.Option(help="How far back: 30m, 12h, 7d.")] = "7d",
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest.")] = 50,
    *,
    bot: OfBot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show who put a thumb up or down at which answer; `cohort find REF` shows the turn."""
    span = re.fullmatch(r"(\d{1,6})([mhd])", since.strip())
    if span is None:
        raise Misconfigured(f"--since: {since!r} is no time; say 30m, 12h or 7d")
    at = SystemClock().now() - int(span[1]) * _UNITS[span[2]]
    found = run(_found(context(), bot, at))
    counts = Counter(opinion.thumb for opinion in found)
    if as_json:
        shown = [told(opinion) for opinion in found[:limit]]
        print(json.dumps({"up": counts["up"], "down": counts["down"], "feedback": shown}))
        return
    print(f"{counts['up']} up, {counts['down']} down since {_time(at)}")
    for opinion in found[:limit]:
        where = f"{opinion.session}, message {opinion.message_id}"
        print(f"{_time(opinion.at)}  {opinion.thumb:<4}  ref {opinion.reference}  {where}, by {opinion.person}")
    if len(found) > limit:
        print(f"and {len(found) - limit} more: --limit")


async def _found(here: Context, bot: str | None, at: float) -> list[Opinion]:
    async def work(store: Store) -> list[Opinion]:
        return list(await store.feedback.since(at, await of_bot(here, store, bot)))

    return await here.read(work)


def told(opinion: Opinion) -> dict[str, Any]:
    """A thumb for programs."""
    return {
        "at": opinion.at,
        "thumb": opinion.thumb,
        "reference": opinion.reference,
        "session": str(opinion.session),
        "message": opinion.message_id,
        "update": opinion.update,
        "person": opinion.person,
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
