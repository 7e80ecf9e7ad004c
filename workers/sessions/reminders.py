"""A session's reminders: what /stop and /new cancel, and whether the person who set one may still be reminded."""

import logging
from collections.abc import Callable
from typing import Protocol

from tasks.access import access_of
from tasks.envelope import Button, Inbound
from tasks.session import SessionKey
from tasks.settings import Settings
from workers import texts

log = logging.getLogger("cohort.reminders")


class SessionReminders(Protocol):
    """The reminders of a session, as ``tasks.store.reminders.ReminderStore`` keeps them."""

    async def cancel(self, session: SessionKey, *, chained: bool = False) -> int:
        """Cancel them and return how many; ``chained``: only those that were set by a turn of another reminder."""
        ...

    async def waiting(self, session: SessionKey) -> list[Inbound]:
        """The reminders that are set, the next one first."""
        ...


async def after_cut(
    reminders: SessionReminders, session: SessionKey, *, new: bool
) -> tuple[str, tuple[tuple[Button, ...], ...]]:
    """Cancel what reminders have set. After /new, also offer to cancel what people have set.

    Returns:
        A sentence for the user (empty when there is none), and its buttons.
    """
    ended = await reminders.cancel(session, chained=True)
    said = [texts.CHAIN_ENDED] if ended else []
    left = len(await reminders.waiting(session)) if new else 0
    if left:
        said.append(texts.still_set(left))
    button = Button(text=texts.CANCEL_REMINDERS, data=texts.CANCEL_REMINDERS_DATA)
    return " ".join(said), ((button,),) if left else ()


def admission(settings: Settings) -> Callable[[Inbound], bool] | None:
    """Make a check whether the person who set a reminder may still use the bot.

    A reminder of an older release does not name its person. In a private chat the chat is the person.

    Returns:
        The check; None when this worker has no access settings. Such a worker fires no reminders.
    """
    access = access_of(settings)
    if access.admits_no_one:
        return None

    def admits(reminder: Inbound) -> bool:
        key = reminder.key
        older = reminder.set_by is None and key.chat < 0
        return older or access.decide(reminder.set_by, key.chat) == "admit"

    return admits
