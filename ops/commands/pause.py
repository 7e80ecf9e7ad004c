"""``cohort pause | resume``: of the intake of updates, and of turns."""

from typing import Annotated

import typer

from ops.context import Context, context, run
from tasks.errors import Misconfigured, Terminal
from tasks.session import SessionKey
from tasks.store.pauses import What

Kind = Annotated[str, typer.Argument(metavar="intake|turns", help="What.")]
Session = Annotated[str | None, typer.Argument(help="The turns of this session alone.")]
_WITHIN = "within two seconds"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(pause)
    app.command()(resume)


def pause(what: Kind, session: Session = None) -> None:
    """Take no updates (Telegram keeps them for 24 hours), or begin no turns (messages are kept; running turns end)."""
    kind, key = _chosen(what, session)

    async def work(here: Context) -> None:
        async with here.store() as store:
            try:
                await store.pauses.pause(kind, key)
            except Terminal as problem:
                raise Misconfigured(str(problem)) from None
            for line in (await store.pauses.look()).lines():
                print(line)
        print(f"in force {_WITHIN}")

    run(work(context()))


def resume(what: Kind, session: Session = None) -> None:
    """Go on; what waits is answered."""
    kind, key = _chosen(what, session)

    async def work(here: Context) -> None:
        async with here.store() as store:
            if not await store.pauses.resume(kind, key):
                raise Misconfigured(f"{kind}{f' of {key}' if key else ''}: not paused")
            left = (await store.pauses.look()).lines()
        for line in left or [f"nothing is paused; it goes on {_WITHIN}"]:
            print(line)

    run(work(context()))


def _chosen(what: str, session: str | None) -> tuple[What, SessionKey | None]:
    if what not in ("intake", "turns"):
        raise Misconfigured(f"{what}: expected intake or turns")
    if session is None:
        return what, None
    if what == "intake":
        raise Misconfigured("Telegram gives the updates of all chats in one stream: only the whole intake is paused")
    try:
        return what, SessionKey.parse(session)
    except ValueError as problem:
        raise Misconfigured(str(problem)) from None
