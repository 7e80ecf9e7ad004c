"""Words for what a message contains that is neither text nor file (pure)."""

from collections.abc import Callable
from typing import Any

from bot.updates import rich
from bot.updates.content import formatted_text_of
from bot.updates.forms import around_link, moment
from bot.updates.markdown import formatted
from bot.updates.models import Content, Worded
from bot.updates.objects import (
    ChatName,
    Contact,
    Game,
    GiftInfo,
    Giveaway,
    Invoice,
    Location,
    PaidMedia,
    SharedUser,
    Story,
    UsersShared,
    Venue,
    WebAppData,
)
from bot.updates.polls import Checklist, Option, Poll, PollMedia
from bot.updates.vcard import details

_MOST_LINKS = 20
"""Buttons of one message; a post has a few."""


def describe(message: Content) -> str:
    """Words for what is neither text nor file; empty when there is nothing of the kind that we know."""
    for name, words in _WORDS.items():
        # What only this chat tells of, a message of another one does not have.
        if found := getattr(message, name, None):
            return words(found)
    return ""


def beside(message: Worded, *, own: bool = False) -> str:
    """What stands below a message's words: what has to be paid for, a page that is shown, and the links of buttons.

    Args:
        message: The message.
        own: It is the bot's own, whose buttons the agent has not written.
    """
    if own:
        return ""
    keyboard = message.reply_markup
    links = [
        link
        for row in (keyboard.inline_keyboard if keyboard is not None else ())
        for button in row
        if button.url and (link := _linked(button.text or "", button.url))
    ]
    paid = [_paid(message.paid_media)] if message.paid_media is not None and message.caption else []
    through = [f"[sent through {_person(message.via_bot)}]"] if message.via_bot is not None else []
    return "\n".join([*paid, *_page(message), *links[:_MOST_LINKS], *through])


def _page(message: Worded) -> list[str]:
    """The page that is shown below a text which does not name it."""
    shown = message.link_preview_options
    page = (shown.url or "") if shown is not None else ""
    said = formatted_text_of(message)
    bare = page.rpartition("://")[2].removesuffix("/").lower()
    return [page] if said and bare and bare not in said.lower() else []


def _linked(words: str, address: str) -> str:
    """A button that opens a page, as Markdown."""
    shown = " ".join(words.split()) or address
    before, behind = around_link(address, shown)
    return f"{before}{shown}{behind}"


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
    return _in_brackets("contact", name, found.phone_number, *details(found.vcard or "", found.phone_number))


def _poll(found: Poll) -> str:
    kind = f"{'closed ' if found.is_closed else ''}{'quiz' if found.type == 'quiz' else 'poll'}"
    kind += ", several answers" if found.allows_multiple_answers else ""
    ends = moment(found.close_date) if not found.is_closed else ""
    kind += f", ends {ends}" if ends else ""
    about, why = (
        _with_shown(formatted(words or "", entities), media)
        for words, entities, media in (
            (found.description, found.description_entities, found.media),
            (found.explanation, found.explanation_entities, found.explanation_media),
        )
    )
    right = found.correct_option_ids or (found.correct_option_id,)
    lines = [f"{kind}: {formatted(found.question or '', found.question_entities)}", *([about] if about else [])]
    lines += (f"- {_option(one, found, right=number in right)}" for number, one in enumerate(found.options))
    lines += [f"explanation: {why}"] if why else []
    return "[" + "\n".join(lines) + "]"


def _option(found: Option, poll: Poll, *, right: bool) -> str:
    """An option with what is known of it: how many chose it is told where anybody has voted."""
    votes = f"{found.voter_count} votes" if poll.total_voter_count and found.voter_count is not None else None
    known = ", ".join(filter(None, ("right" if right else None, votes)))
    shown = _with_shown(formatted(found.text or "", found.text_entities), found.media)
    return f"{shown} ({known})" if known else shown


def _with_shown(words: str, media: PollMedia | None) -> str:
    """Words, and what is shown with them that is no file."""
    if media is None:
        return words
    place = _venue(media.venue) if media.venue is not None else media.location and _location(media.location)
    return " ".join(filter(None, (words, place, media.link and media.link.url)))


def _checklist(found: Checklist) -> str:
    tasks = "".join(
        f"\n- [{'x' if task.completion_date else ' '}] {formatted(task.text or '', task.text_entities)}"
        for task in found.tasks
    )
    return f"[checklist: {formatted(found.title or '', found.title_entities)}{tasks}]"


def _game(found: Game) -> str:
    return _in_brackets(f"game: {found.title}", found.description, formatted(found.text or "", found.text_entities))


def of_story(found: Story) -> str:
    """Words for a story."""
    chat = found.chat or ChatName()
    name = chat.title or chat.first_name or (chat.username and f"@{chat.username}")
    return f"[a story of {name}]" if name else "[a story]"


def _paid(found: PaidMedia) -> str:
    return _in_brackets("paid media", f"{found.star_count} stars" if found.star_count is not None else None)


def _price(found: Invoice) -> str:
    # How many decimals a currency has, only a table of currencies can tell.
    unit = "stars" if found.currency == "XTR" else f"of the smallest unit of {found.currency}"
    return f"{found.total_amount} {unit}"


def _invoice(found: Invoice) -> str:
    return _in_brackets("invoice", found.title, _price(found), found.description)


def _payment(kind: str) -> Callable[[Invoice], str]:
    return lambda found: _in_brackets(kind, _price(found), found.invoice_payload and f"for {found.invoice_payload}")


def _gift(found: GiftInfo) -> str:
    gift, text = found.gift, formatted(found.text or "", found.entities)
    if gift is None:
        return _in_brackets("gift", text)
    emoji = gift.sticker.emoji if gift.sticker is not None else None
    worth = f"worth {gift.star_count} stars" if gift.star_count is not None else None
    return _in_brackets("gift", gift.name or emoji, worth, text)


def _giveaway(kind: str) -> Callable[[Giveaway], str]:
    def words(found: Giveaway) -> str:
        months, stars = found.premium_subscription_month_count, found.prize_star_count
        return _in_brackets(
            kind,
            f"{found.winner_count} winners" if found.winner_count is not None else None,
            f"{stars} stars" if stars is not None else None,
            f"Telegram Premium for {months} months" if months is not None else None,
            found.prize_description,
            *(f"in {chat.title}" for chat in found.chats if chat.title),
            f"drawn {drawn}" if (drawn := moment(found.winners_selection_date)) else None,
            *map(_person, found.winners),
            f"{found.unclaimed_prize_count} unclaimed" if found.unclaimed_prize_count else None,
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
    "game": _game,
    "sticker": lambda found: _in_brackets("sticker", found.emoji),
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
    "story": of_story,
    "paid_media": _paid,
    "link_preview_options": lambda found: found.url or "",
}
