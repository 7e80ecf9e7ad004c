"""Business accounts: one that ends its connection is answered no more, and what is deleted there is not answered."""

import logging
from collections.abc import Callable, Collection

from bot.acknowledgements import Acknowledgements
from bot.interrupts import Interrupts
from bot.updates.meaning import AccountChanged, Ignored, Incoming, Meaning, TakenBack, Understood
from tasks.envelope import Inbound
from tasks.session import SessionKey
from tasks.store.chats.business import BusinessStore

log = logging.getLogger("cohort.bot")

_CLOSED = "a business account that takes no answers"


class BusinessAccounts:
    """Reads what was understood, batch by batch."""

    def __init__(self, store: BusinessStore, interrupts: Interrupts, acks: Acknowledgements) -> None:
        self._store = store
        self._acks = acks
        self._interrupts = interrupts

    async def heard(self, understood: Understood, before: list[Meaning]) -> Meaning:
        """What an update means where accounts come and go.

        Args:
            understood: What it says.
            before: The meanings before it in its batch, which are not stored yet; those that it takes back ask for
                nothing from then on.

        Raises:
            StoreUnavailable: Redis is away.
        """
        match understood:
            case AccountChanged():
                return await self._changed(understood, before)
            case TakenBack(update_id, session, numbers):
                why = "a message that was deleted"
                _take_back(before, lambda one: one.key == session and one.message_id in numbers, why)
                await self._withdraw(session, numbers)
                return Ignored(update_id, "messages were deleted")
            case Incoming():
                key = understood.inbound.key
                if key.business is None or not await self._store.is_closed(key.bot, key.business):
                    return understood
                return Ignored(understood.update_id, _CLOSED, understood.callback)
            case _:
                return understood

    async def _changed(self, account: AccountChanged, before: list[Meaning]) -> Meaning:
        bot, connection = account.bot, account.connection
        log.info("business.changed", extra={"bot": bot, "answers": account.answers})
        if account.answers:
            await self._store.open(bot, connection)
            return Ignored(account.update_id, "a business account is connected")
        await self._store.close(bot, connection)
        _take_back(before, lambda one: one.key.business == connection, _CLOSED)
        for session in await self._store.at_work(bot, connection):
            await self._withdraw(session, None)
        return Ignored(account.update_id, _CLOSED)

    async def _withdraw(self, session: SessionKey, numbers: Collection[int] | None) -> None:
        went = await self._store.withdraw(session, numbers)
        if went.entries:
            log.info("business.withdrawn", extra={"session": str(session)})
            self._interrupts.begin_again(session)
        # Half an answer to what is no longer asked; an account that has ended its connection takes no call for it.
        self._acks.withdraw(session, went.shown if numbers is not None else ())


def _take_back(before: list[Meaning], which: Callable[[Inbound], bool], why: str) -> None:
    for place, one in enumerate(before):
        if isinstance(one, Incoming) and which(one.inbound):
            before[place] = Ignored(one.update_id, why, one.callback)
