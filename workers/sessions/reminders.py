"""What becomes of a session's reminders when its user says stop or new, and who may still be reminded."""

import logging
from collections.abc import Callable
from typing import Protocol

from tasks.access import access_of
from tasks.envelope import Button, Inbound
from tasks.session import SessionKey
from tasks.settings import Settings
from workers.sessions import texts

log = logging.getLogger("cohort.reminders")


class SessionReminders(Protocol):
    """A session's reminders (``tasks.store.reminders.ReminderStore``)."""

    async def cancel(self, session: SessionKey, *, chained: bool = False) -> int:
        """Take them back; ``chained``: those only that reminders have set. How many."""
        ...

    async def waiting(self, session: SessionKey) -> list[Inbound]:
        """Those that are set, the next one first."""
        ...


async def after_cut(
    reminders: SessionReminders, session: SessionKey, *, new: bool
) -> tuple[str, tuple[tuple[Button, ...], ...]]:
    """Stop and new end what reminders have set; new also names what people have set, with a button that cancels it.

    Returns:
        What to say beside (empty: nothing), and its buttons.
    """
    ended = await reminders.cancel(session, chained=True)
    said = [texts.CHAIN_ENDED] if ended else []
    left = len(await reminders.waiting(session)) if new else 0
    if left:
        said.append(texts.still_set(left))
    button = Button(text=texts.CANCEL_REMINDERS, data=texts.CANCEL_REMINDERS_DATA)
    return " ".join(said), ((button,),) if left else ()


def admission(settings: Settings) -> Callable[[Inbound], bool] | None:
    """Whether who set a reminder may still talk; None where this worker was not told who may, and fires none.

    One that an older release wrote does not say who set it: in a private chat that is the chat.
    """
    access = access_of(settings)
    if access.nobody:
        return None

    def admits(reminder: Inbound) -> bool:
        key = reminder.key
        older = reminder.set_by is None and key.chat < 0
        return older or access.decide(reminder.set_by, key.chat) == "admit"

    return admits
