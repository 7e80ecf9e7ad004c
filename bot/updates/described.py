"""Words for what a message contains that is neither text nor file (pure)."""

from collections.abc import Callable
from typing import Any

from bot.updates import rich
from bot.updates.models import Content
from bot.updates.objects import (
    Checklist,
    Contact,
    GiftInfo,
    Giveaway,
    Invoice,
    Location,
    Poll,
    SharedUser,
    UsersShared,
    Venue,
    WebAppData,
)

_CARD = {"EMAIL": "mail", "ORG": "of", "TITLE": "as", "ADR": "at", "URL": "page", "BDAY": "born", "NOTE": "note"}
_CARD_LINES = 100


def describe(message: Content) -> str:
    """Words for what is neither text nor file; empty when there is nothing of the kind that we know."""
    for name, words in _WORDS.items():
        # What only a new message tells of, an answered one does not have.
        if found := getattr(message, name, None):
            return words(found)
    return ""


def _in_brackets(kind: str, *details: str | None) -> str:
    said = ", ".join(filter(None, details))
    return f"[{kind}: {said}]" if said else f"[{kind}]"


def _where(place: Location) -> str:
    return f"{place.latitude}, {place.longitude}"


def _venue(found: Venue) -> str:
    named = ", ".join(filter(None, (found.title, found.address)))
    return f"[place: {named} ({_where(found.location or Location())})]"


def _location(found: Location) -> str:
    return f"[{'live ' if found.live_period else ''}location: {_where(found)}]"


def _contact(found: Contact) -> str:
    name = " ".join(filter(None, (found.first_name, found.last_name)))
    return _in_brackets("contact", name, found.phone_number, *_card(found.vcard or ""))


def _card(vcard: str) -> list[str]:
    """What a vCard says besides name and number: addresses, firm, birthday."""
    found: list[str] = []
    for line in vcard.splitlines()[:_CARD_LINES]:
        key, _, value = line.partition(":")
        kind = key.partition(";")[0].rpartition(".")[2].upper()
        if kind in _CARD and (value := " ".join(value.replace(";", " ").split())):
            found.append(f"{_CARD[kind]} {value}")
    return found


def _poll(found: Poll) -> str:
    options = "".join(
        f"\n- {option.text or ''}{' (right)' if number in found.correct_option_ids else ''}"
        for number, option in enumerate(found.options)
    )
    about = f"\n{found.description}" if found.description else ""
    why = f"\nexplanation: {found.explanation}" if found.explanation else ""
    return f"[{'quiz' if found.type == 'quiz' else 'poll'}: {found.question or ''}{about}{options}{why}]"


def _checklist(found: Checklist) -> str:
    tasks = "".join(f"\n- [{'x' if task.completion_date else ' '}] {task.text or ''}" for task in found.tasks)
    return f"[checklist: {found.title or ''}{tasks}]"


def _price(found: Invoice) -> str:
    # How many decimals a currency has, only a table of currencies can tell.
    unit = "stars" if found.currency == "XTR" else f"of the smallest unit of {found.currency}"
    return f"{found.total_amount} {unit}"


def _invoice(found: Invoice) -> str:
    return _in_brackets("invoice", found.title, _price(found), found.description)


def _payment(kind: str) -> Callable[[Invoice], str]:
    return lambda found: _in_brackets(kind, _price(found), found.invoice_payload and f"for {found.invoice_payload}")


def _gift(found: GiftInfo) -> str:
    gift = found.gift
    if gift is None:
        return _in_brackets("gift", found.text)
    emoji = gift.sticker.emoji if gift.sticker is not None else None
    worth = f"worth {gift.star_count} stars" if gift.star_count is not None else None
    return _in_brackets("gift", gift.name or emoji, worth, found.text)


def _giveaway(kind: str) -> Callable[[Giveaway], str]:
    def words(found: Giveaway) -> str:
        months, stars = found.premium_subscription_month_count, found.prize_star_count
        return _in_brackets(
            kind,
            f"{found.winner_count} winners" if found.winner_count is not None else None,
            f"{stars} stars" if stars is not None else None,
            f"Telegram Premium for {months} months" if months is not None else None,
            found.prize_description,
            *map(_person, found.winners),
        )

    return words


def _person(found: SharedUser) -> str:
    name = " ".join(filter(None, (found.first_name, found.last_name)))
    return " ".join(filter(None, (name, found.username and f"@{found.username}"))) or "a person"


def _users(found: UsersShared) -> str:
    return _in_brackets("shared people", *map(_person, found.users))


def _web_app(found: WebAppData) -> str:
    button = f" by the button {found.button_text}" if found.button_text else ""
    return f"[data of a web app{button}: {found.data or ''}]"


_WORDS: dict[str, Callable[[Any], str]] = {
    # A venue comes with its location a second time, so the venue stands first.
    "venue": _venue,
    "location": _location,
    "contact": _contact,
    "poll": _poll,
    "dice": lambda found: f"[{found.emoji} shows {found.value}]",
    "checklist": _checklist,
    "rich_message": rich.plain,
    "game": lambda found: f"[game: {found.title}]",
    "sticker": lambda found: f"[sticker: {found.emoji}]",
    "invoice": _invoice,
    "successful_payment": _payment("payment received"),
    "refunded_payment": _payment("payment refunded"),
    "gift": _gift,
    "unique_gift": _gift,
    "gift_upgrade_sent": _gift,
    "giveaway_created": _giveaway("giveaway created"),
    "giveaway": _giveaway("giveaway"),
    "giveaway_winners": _giveaway("giveaway ended"),
    "giveaway_completed": _giveaway("giveaway ended"),
    "users_shared": _users,
    "user_shared": lambda _: "[shared people: a person]",
    "chat_shared": lambda found: _in_brackets("shared chat", found.title, found.username and f"@{found.username}"),
    "web_app_data": _web_app,
    # What bots may know of, but not see.
    "story": lambda _: "[a story]",
    "paid_media": lambda _: "[paid media]",
}
