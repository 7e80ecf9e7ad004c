"""Words for what a message contains that is neither text nor file (pure)."""

from bot.updates import rich
from bot.updates.models import Content
from bot.updates.objects import Checklist, Contact, Dice, File, Game, Location, Poll, Venue


def describe(message: Content) -> str:
    """Words for what is neither text nor file; empty when there is nothing of the kind that we know."""
    # A venue comes with its location a second time, so the venue stands first.
    for found in (
        message.venue,
        message.location,
        message.contact,
        message.poll,
        message.dice,
        message.checklist,
        message.rich_message,
        message.game,
        message.sticker,
    ):
        if found is not None:
            return _words(found)
    # What bots may know of, but not see.
    return "[a story]" if message.story else "[paid media]" if message.paid_media else ""


def _words(found: Venue | Location | Contact | Poll | Dice | Checklist | rich.RichMessage | Game | File) -> str:
    match found:
        case Venue():
            named = ", ".join(filter(None, (found.title, found.address)))
            return f"[place: {named} ({_where(found.location or Location())})]"
        case Location():
            return f"[{'live ' if found.live_period else ''}location: {_where(found)}]"
        case Contact():
            name = " ".join(filter(None, (found.first_name, found.last_name)))
            return f"[contact: {name}, {found.phone_number}]"
        case Poll():
            return f"[poll: {found.question or ''}{''.join(f'\n- {option.text or ""}' for option in found.options)}]"
        case Dice():
            return f"[{found.emoji} shows {found.value}]"
        case Checklist():
            tasks = (f"\n- [{'x' if task.completion_date else ' '}] {task.text or ''}" for task in found.tasks)
            return f"[checklist: {found.title or ''}{''.join(tasks)}]"
        case rich.RichMessage():
            return rich.plain(found)
        case Game():
            return f"[game: {found.title}]"
        case File():
            return f"[sticker: {found.emoji}]"


def _where(place: Location) -> str:
    return f"{place.latitude}, {place.longitude}"
