"""``--bot`` of the commands that list: of several bots, the one whose things are wanted."""

from typing import Annotated

import typer

from ops.context import Context
from tasks.errors import Misconfigured
from tasks.store import Store
from tasks.text import is_digits, is_unsigned

OfBot = Annotated[str | None, typer.Option("--bot", help="Of this bot alone: its name in COHORT_BOTS, or its number.")]


async def of_bot(here: Context, store: Store, word: str | None) -> int | None:
    """The number of the bot that is meant; None: no bot is named, and all are meant.

    Raises:
        Misconfigured: there is no such bot, and nothing is kept of one.
    """
    if word is None:
        return None
    if not is_digits(word):
        return here.bot_named(word).id
    served = here.served()
    # One that was taken out has no name any more, but its data.
    if is_unsigned(word) and (int(word) in served or await store.oversight.keeps(int(word))):
        return int(word)
    there = ", ".join(f"{name} ({number})" if name else str(number) for number, name in served.items())
    raise Misconfigured(f"{word}: nothing is kept of such a bot" + (f"; there are {there}" if there else ""))
