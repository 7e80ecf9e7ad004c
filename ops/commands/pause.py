"""``cohort pause | resume``: of the intake of updates, and of turns."""

from typing import Annotated

import typer

from ops.commands.of_bot import OfBot, of_bot
from ops.context import Context, context, run
from tasks.errors import Misconfigured, Terminal
from tasks.session import SessionKey
from tasks.store.pauses import What
from tasks.text import is_digits

Kind = Annotated[
    str, typer.Argument(metavar="intake|turns", help="What it is about: taking updates, or beginning turns.")
]
Session = Annotated[str | None, typer.Argument(help="The turns of this session alone.")]
_WITHIN = "within two seconds"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(pause)
    app.command()(resume)


def pause(what: Kind, session: Session = None, *, bot: OfBot = None) -> None:
    """Take no updates (Telegram keeps them for 24 hours), or begin no turns (messages are kept; running turns end)."""
    here = context()
    kind, key = _chosen(here, what, session, bot)

    async def work() -> None:
        async with here.store() as store:
            await of_bot(here, store, bot)
            try:
                await store.pauses.pause(kind, key)
            except Terminal as problem:
                raise Misconfigured(str(problem)) from None
            for line in (await store.pauses.look()).lines():
                print(line)
        print(f"in force {_WITHIN}")

    run(work())


def resume(what: Kind, session: Session = None, *, bot: OfBot = None) -> None:
    """Go on; what waits is answered."""
    here = context()
    kind, key = _chosen(here, what, session, bot)

    async def work() -> None:
        async with here.store() as store:
            if not await store.pauses.resume(kind, key):
                whose = f" of {f'bot {key}' if isinstance(key, int) else key}" if key else ""
                raise Misconfigured(f"{kind}{whose}: not paused")
            left = (await store.pauses.look()).lines()
        for line in left or [f"nothing is paused; it goes on {_WITHIN}"]:
            print(line)

    run(work())


def _chosen(here: Context, what: str, session: str | None, bot: str | None) -> tuple[What, SessionKey | int | None]:
    if what not in ("intake", "turns"):
        raise Misconfigured(f"{what}: expected intake or turns")
    if bot is not None:
        if session is not None:
            raise Misconfigured("name a session or a bot: a session names its bot")
        # One that was taken out has no name any more.
        return what, int(bot) if is_digits(bot) else here.bot_named(bot).id
    if session is None:
        return what, None
    if what == "intake":
        raise Misconfigured(
            "Telegram gives the updates of all chats in one stream: the whole intake is paused, or that of one --bot"
        )
    try:
        return what, SessionKey.parse(session)
    except ValueError as problem:
        raise Misconfigured(str(problem)) from None
