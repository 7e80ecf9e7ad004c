"""``cohort sessions stop``: end the turn of a session, as the person's /stop does."""

import asyncio

from ops.context import Context
from tasks.app import make_app
from tasks.clock import SystemClock
from tasks.doorbell import Doorbells
from tasks.envelope import Inbound, Sender
from tasks.errors import Misconfigured
from tasks.session import SessionKey
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
        # No update of Telegram's has a number below 0; reminders count the same way.
        number = await store.reminders.number()
        kind = "private" if key.chat > 0 else "supergroup"
        word = Inbound(
            session=str(key),
            update_id=number,
            at=SystemClock().now(),
            kind="stop",
            sender=Sender(id=key.chat),
            chat_type=kind,
        )
        doorbells = Doorbells(make_app(here.settings), slots=here.settings.slots)
        await store.intake.accept(key.bot, [Accept(number, inbound=word, doorbell=doorbells.of(key, number))])
        await asyncio.to_thread(doorbells.interrupt, key)
    return facts.waiting
