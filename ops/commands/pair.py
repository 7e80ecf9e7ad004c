"""``cohort pair``: a code that lets its first user in."""

from typing import Annotated

import typer

from ops.context import Context, context, run
from ops.pairing import offer
from tasks.chats.access import mode_of
from tasks.chats.roles import ROLES
from tasks.errors import Misconfigured


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("pair")(pair)


def pair(
    *,
    role: Annotated[
        str | None,
        typer.Option(help="owner, admin, member or guest. Default: owner; once there is one, member."),
    ] = None,
    bot: Annotated[str | None, typer.Option(help="Which one of COHORT_BOTS: its name, or its number.")] = None,
) -> None:
    """Print a code, and a link that sends it to the bot: its first user gets access. A code before it is void."""
    if role is not None and role not in ROLES:
        raise Misconfigured(f"--role: {role} is no role; there are {', '.join(ROLES)}")
    here = context()

    async def work(here: Context) -> None:
        settings = here.one_bot(bot)
        if mode_of(settings) != "pairing":
            raise Misconfigured(
                f"access is `{mode_of(settings)}` here, which takes no codes: set COHORT_ACCESS=pairing"
            )
        async with here.store() as store:
            for line in (await offer(settings, store, role)).lines:
                print(line)

    run(work(here))
