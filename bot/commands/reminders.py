"""What people ask about reminders, and the time zone that they mean their times in."""

from bot.commands import reminder_texts as texts
from bot.commands.saying import here, say
from bot.updates.commands import Command
from tasks.chats.pages import page_of, turning
from tasks.clock import Clock
from tasks.envelope import Button, Inbound, Reply
from tasks.phrases import phrase
from tasks.reminders.due import named
from tasks.reminders.timezones import find_zone, nearest_zone
from tasks.store.reminders import ReminderStore
from tasks.text import is_digits

_CANCEL, _ALL = "cancel", "all"
_A_ROW = 4
"""Buttons side by side."""


class ReminderCommands:
    """Answers /reminders and /timezone."""

    def __init__(self, reminders: ReminderStore, clock: Clock) -> None:
        self._reminders = reminders
        self._clock = clock

    async def answer(self, ask: Command, inbound: Inbound) -> Reply:
        """The answer; what a button has changed stands in the message under which it was pressed.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if ask.name == "timezone":
            return say(inbound, await self._timezone(ask.argument, inbound))
        word, which, page, *_ = [*ask.argument.lower().split(), "", "", ""]
        if word == _CANCEL and which in ("", _ALL):
            if inbound.pressed and not which and (count := len(await self._reminders.waiting(inbound.key))):
                # All at once, by a finger that may have slipped.
                return here(inbound, say(inbound, phrase("cancel-all-sure", count=count), _sure()))
            return here(inbound, say(inbound, texts.cancelled(await self._reminders.cancel(inbound.key))))
        if word == _CANCEL and is_digits(which) and len(which) < 19:  # noqa: PLR2004 - digits of what Redis counts
            only = int(which) if inbound.pressed else await self._at(int(which), inbound)
            done = await self._reminders.cancel(inbound.key, only=only) if only is not None else 0
            shown = page if inbound.pressed else str(1 + (int(which) - 1) // texts.SHOWN)
            listed, said = await self._listed(inbound, shown), texts.one_cancelled(done)
            return here(inbound, listed.model_copy(update={"text": f"{said}\n\n{listed.text}"}))
        return here(inbound, await self._listed(inbound, word))

    async def _at(self, place: int, inbound: Inbound) -> int | None:
        """The reminder at a place of the list: that is what a person writes. A button has the number of its own."""
        waiting = await self._reminders.waiting(inbound.key)
        return named(waiting[place - 1]) if 0 < place <= len(waiting) else None

    async def _listed(self, inbound: Inbound, which: str) -> Reply:
        """The list; ``which``: the number of its page."""
        waiting = await self._reminders.waiting(inbound.key)
        page = page_of(which, texts.pages(waiting))
        zone = await self._reminders.zones.look(inbound.key.bot, _person(inbound)) if waiting else None
        said = texts.reminders(waiting, zone or "UTC", self._clock.now(), page)
        return say(inbound, said, _buttons(waiting, page))

    async def _timezone(self, wanted: str, inbound: Inbound) -> str:
        zones, bot, person = self._reminders.zones, inbound.key.bot, _person(inbound)
        if not wanted:
            zone = await zones.look(bot, person)
            return texts.zone(zone, self._clock.now()) if zone else phrase("timezone-none")
        if wanted.lower() in ("off", "default"):
            await zones.drop(bot, person)
            return phrase("timezone-dropped")
        zone = find_zone(wanted)
        if zone is None:
            near = nearest_zone(wanted)
            return phrase("timezone-near", near=near) if near else phrase("timezone-unknown")
        await zones.keep(bot, person, zone)
        return texts.zone(zone, self._clock.now())


def _person(inbound: Inbound) -> int:
    return inbound.sender.id if inbound.sender is not None else inbound.key.chat


def _sure() -> tuple[tuple[Button, ...], ...]:
    """Below the question whether all are to be cancelled."""
    cancel = Button(text=phrase("button-cancel-reminders"), data=f"reminders:{_CANCEL} {_ALL}")
    return ((cancel,), (Button(text=phrase("button-keep"), data="reminders:1"),))


def _buttons(waiting: list[Inbound], page: int) -> tuple[tuple[Button, ...], ...]:
    """One for each reminder that is listed, by its place, those that turn the page, and one for several."""
    if not waiting:
        return ()
    stays = f" {page + 1}" if page else ""
    one = [
        Button(
            text=phrase("button-cancel-one", number=str(place)), data=f"reminders:{_CANCEL} {named(reminder)}{stays}"
        )
        for place, reminder in texts.on_page(waiting, page)
    ]
    rows = [tuple(one[start : start + _A_ROW]) for start in range(0, len(one), _A_ROW)]
    turned = turning("reminders", page, texts.pages(waiting))
    for_all = (Button(text=phrase("button-cancel-reminders"), data=f"reminders:{_CANCEL}"),)
    return (*rows, *turned, *((for_all,) if len(waiting) > 1 else ()))
