"""A session's reminders: what /stop and /new cancel, and whether the person who set one may still be reminded."""

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from tasks.chats.access import People, access_by, access_of, says_who_may_talk
from tasks.config.settings import Settings
from tasks.envelope import Button, Inbound
from tasks.phrases import phrase, sentences
from tasks.session import SessionKey
from workers import texts

log = logging.getLogger("cohort.reminders")


class SessionReminders(Protocol):
    """The reminders of a session, as ``tasks.store.reminders.ReminderStore`` keeps them."""

    async def cancel(self, session: SessionKey, *, chained: bool = False) -> int:
        """Cancel them and return how many; ``chained``: only those that were set by a turn of another reminder."""
        ...

    async def number(self) -> int:
        """A number below 0, as no update has it."""
        ...

    async def waiting(self, session: SessionKey) -> list[Inbound]:
        """The reminders that are set, the next one first."""
        ...

    async def move(self, old: SessionKey, new: SessionKey) -> int:
        """Have those of a group come to the supergroup that it became; returns how many."""
        ...


class KnownPeople(Protocol):
    """Who was let in, as ``tasks.store.chats.people.PeopleStore`` keeps it."""

    async def look(self, bot: int) -> People:
        """All that is stored of one bot."""
        ...


async def after_cut(
    reminders: SessionReminders, session: SessionKey, *, new: bool
) -> tuple[str, tuple[tuple[Button, ...], ...]]:
    """Cancel what reminders have set. After /new, also offer to cancel what people have set.

    Returns:
        A sentence for the user (empty when there is none), and its buttons.
    """
    ended = await reminders.cancel(session, chained=True)
    said = [phrase("chain-ended")] if ended else []
    left = len(await reminders.waiting(session)) if new else 0
    if left:
        said.append(texts.still_set(left))
    button = Button(text=phrase("button-cancel-reminders"), data=texts.CANCEL_REMINDERS_DATA)
    return sentences(*said), ((button,),) if left else ()


type SettingsOf = Callable[[SessionKey], Settings | None]
"""The settings of a session's bot; None where the bot is not served here."""


def admission(settings: SettingsOf, people: KnownPeople) -> Callable[[Inbound], Awaitable[bool | None]]:
    """Make a check whether the person who set a reminder may still use the bot.

    A reminder of an older release does not name its person. In a private chat the chat is the person.

    Returns:
        The check. It gives None where this worker does not serve the bot, or is not told who may talk: neither by
        settings of its own nor by a bot. Such a worker leaves the reminder to others, or to a later day.
    """
    warned = False

    async def admits(reminder: Inbound) -> bool | None:
        key = reminder.key
        if (own := settings(key)) is None:
            return None
        stored = await people.look(key.bot)
        if says_who_may_talk(own):
            access = access_of(own, stored)
        elif stored.operator is not None:
            access = access_by(stored.operator, stored)
        else:
            nonlocal warned
            if not warned:
                log.warning("reminders.left", extra={"remedy": "start the bot, or set COHORT_ALLOW or COHORT_ACCESS"})
            warned = True
            return None
        older = reminder.set_by is None and key.chat < 0
        return older or access.decide(reminder.set_by, key.chat) == "admit"

    return admits
