"""``cohort broadcast``: one message to many chats."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ops.context import context, run
from tasks.errors import Misconfigured

File = Annotated[Path | None, typer.Argument(help="The text, as Markdown; one message.")]
To = Annotated[list[str] | None, typer.Option("--to", help="all, active:DAYS, or a chat's number; may be repeated.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say how many chats would get it, and send nothing.")]
One = Annotated[str | None, typer.Option("--bot", help="Which one of COHORT_BOTS: its name, or its number.")]
Stop = Annotated[bool, typer.Option("--stop", help="Stop what is sent (with --bot: by it), wherever from.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(broadcast)


def broadcast(file: File = None, to: To = None, *, dry_run: Dry = False, stop: Stop = False, bot: One = None) -> None:
    """Send a text to many chats, within Telegram's limits. Cut off or stopped, the same command goes on with it."""
    from ops.commands.broadcast import steps  # noqa: PLC0415 - what sends takes long to import

    here = context()
    if stop:
        run(steps.stop(here, None if bot is None else here.bot_named(bot).id))
        return
    if file is None or not to:
        raise Misconfigured("broadcast needs a file and --to (all, active:DAYS or a chat's number)")
    settings = here.one_bot(bot)
    here = replace(here, settings=settings)
    text = steps.read_text(file, settings.bot_id, to)
    run(steps.dry(here, text, to) if dry_run else steps.send(here, text, to))
