"""``cohort sessions stop``: end the turn of a session, as the person's /stop does."""

import asyncio

from ops.context import Context
from tasks.app import make_app
from tasks.clock import SystemClock
from tasks.doorbell import Doorbells
from tasks.errors import Misconfigured
from tasks.session import SessionKey
from tasks.stopping import stop_word
from tasks.store.intake import Accept


async def stop(here: Context, key: SessionKey) -> int:
    """Put the word behind what waits and interrupt the turn; gives how many messages it ends.

    Raises:
        Misconfigured: nothing is to be ended there.
        StoreUnavailable: Redis is away.
    """
    async with here.store() as store:
        [facts] = await store.listing.read([key])
        if not facts.waiting:
            raise Misconfigured(f"{key}: no turn runs there, and no message waits")
        number = await store.reminders.number()
        word = stop_word(key, number, SystemClock().now())
        doorbells = Doorbells(make_app(here.settings), slots=here.settings.slots)
        await store.intake.accept(key.bot, [Accept(number, inbound=word, doorbell=doorbells.of(key, number))])
        await asyncio.to_thread(doorbells.interrupt, key)
    return facts.waiting
