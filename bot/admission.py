"""People get in, or are kept out: pairing codes, and what admins decide by commands and buttons."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot import texts
from bot.access.people import PeopleView
from bot.commands.saying import here, say
from bot.recent import Allowance
from bot.updates.commands import Command
from tasks.bounded_dict import BoundedDict
from tasks.chats.access import AccessStanding, Applicant, Person
from tasks.chats.pages import page_of, paged, turning
from tasks.chats.roles import ROLES, Role, outranks
from tasks.clock import Clock
from tasks.envelope import Button, Inbound, Reply
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.text import is_digits

log = logging.getLogger("cohort.bot")

_CODES, _CODES_IN = 5, timedelta(hours=1)
"""Codes of one person that are looked at within that time."""
_REQUESTS, _REQUESTS_IN = 10, timedelta(hours=1)
"""Requests of strangers that admins hear of within that time, in all: a crowd must not fill their chats."""
_REMEMBERED = 10_000

_WORDS: dict[str, AccessStanding] = {"deny": "denied", "allow": "member"}


type Rows = Callable[[], tuple[tuple[Button, ...], ...]]


@dataclass(frozen=True, slots=True)
class LaterLine:
    """What a person is to hear who did not write just now: it is said once their language is known."""

    session: SessionKey
    tongue: str | None
    """Their language, as far as Telegram tells it."""
    said: Callable[[], Reply]


class AccessControl:
    """Changes who may talk, and builds the replies that say so."""

    def __init__(self, view: PeopleView, clock: Clock) -> None:
        self._view = view
        self._clock = clock
        self._lines: list[LaterLine] = []
        self._titles = BoundedDict[int, str](_REMEMBERED)
        """Of groups in which a command decided about them."""
        self._renamed = BoundedDict[int, int](_REMEMBERED)
        self._codes = Allowance(_CODES, _CODES_IN, _REMEMBERED, clock)
        self._requests = Allowance(_REQUESTS, _REQUESTS_IN, 1, clock)
        self._logged = Allowance(1, _REQUESTS_IN, 1, clock)

    def lines(self) -> list[LaterLine]:
        """What admins, and people whom they let in, are to hear since the last call."""
        lines, self._lines = self._lines, []
        return lines

    async def pair(self, inbound: Inbound, code: str) -> Reply | None:
        """A person has sent a pairing code in their private chat.

        Returns:
            What they hear; None for a stranger whose code is not valid, who hears what every stranger hears. A code
            that gives a person nothing is not spent, so they hear that they need none, and not that it is void.

        Raises:
            StoreUnavailable: Redis is away.
        """
        who, access = inbound.key.chat, self._view.access
        has = access.role(who, who)
        name = texts.one_line(inbound.sender.name if inbound.sender else "")
        if not self._view.pairs or not self._codes.take(who, inbound.update_id):
            return say(inbound, phrase("code-useless")) if has else None
        role = await self._view.store.pair(self._view.bot, code, who, name=name, has=has)
        if role in ("wrong", "no gain"):
            return say(inbound, phrase("code-useless")) if has else None
        log.info("access.paired", extra={"role": role})
        joined: AccessStanding = role
        self._lines += [
            self._to(admin, lambda: texts.joined(name, who, joined)) for admin in sorted(access.in_charge - {who})
        ]
        await self._view.refresh()
        return say(inbound, texts.paired(role))

    def admits(self, user: int, chat: int) -> bool:
        """Whether a person may talk in a chat."""
        return self._view.access.role(user, chat) is not None

    async def request(self, stranger: Inbound, group: str = "") -> None:
        """Have the admins hear, in their private chats, that a stranger has written; ``group``: the title of theirs.

        Raises:
            StoreUnavailable: Redis is away.
        """
        admins = self._view.access.in_charge
        if not admins:
            return
        if not self._requests.take("all"):
            if self._logged.take("all"):
                log.warning("access.not_told", extra={"an_hour": _REQUESTS})
            return
        key, sender = stranger.key, stranger.sender
        who = sender.id if sender is not None else key.chat
        name, title = texts.one_line(sender.name if sender is not None else ""), texts.one_line(group)
        wants = who if key.chat > 0 else key.chat

        def said() -> str:
            return texts.request(name, who) if key.chat > 0 else texts.group_request(name, who, key.chat, title)

        def row() -> tuple[Button, ...]:
            return (
                Button(text=phrase("button-allow"), data=f"allow:{wants}"),
                Button(text=phrase("button-deny"), data=f"deny:{wants}"),
            )

        asked = Applicant(name=name, tongue=stranger.tongue) if wants == who else Applicant(name=title)
        await self._view.store.ask(self._view.bot, wants, asked)
        self._lines += [self._to(admin, said, lambda: (row(),)) for admin in sorted(admins)]

    def _to(
        self, person: int, said: Callable[[], str], rows: Rows = lambda: (), *, tongue: str | None = None
    ) -> LaterLine:
        """A line for a person's private chat, made when their language is known."""
        session = SessionKey(self._view.bot, person)
        return LaterLine(session, tongue, lambda: Reply(session=str(session), text=said(), buttons=rows()))

    async def answer(self, ask: Command, inbound: Inbound) -> Reply:
        """The answer to /allow, /deny or /people.

        Raises:
            StoreUnavailable: Redis is away.
        """
        # Another process of the bot may have decided a moment ago: about who asks, and about whom they mean.
        await self._view.refresh()
        mine = self._view.access.role(inbound.person, inbound.key.chat)
        if mine not in ("owner", "admin"):
            return say(inbound, phrase("admins-only"))
        if ask.name == "people":
            return self._people(ask.argument, inbound)
        whom, role = self._named(ask, inbound)
        if whom is None or role is None:
            return say(inbound, phrase("allow-how") if ask.name == "allow" else phrase("deny-how"))
        if whom == inbound.key.chat and ask.group:
            self._titles[whom] = texts.one_line(ask.group)
        said = await self._decide(whom, role, inbound, mine)
        reply = say(inbound, said)
        # The request that the button stands under becomes what came of it.
        return reply.model_copy(update={"edit": inbound.message_id, "reply_to": None}) if inbound.pressed else reply

    def _people(self, wanted: str, inbound: Inbound) -> Reply:
        """A page of the list, by its number; or those who have the words in their line."""
        lines, words = texts.people_lines(self._listed()), " ".join(wanted.split())
        by_words = bool(words) and not (is_digits(words) and len(words) < _PAGE_DIGITS)
        pages = paged([line for line in lines if words.casefold() in line.casefold()] if by_words else lines)
        page = 0 if by_words else page_of(words, len(pages))
        turned = () if by_words else turning("people", page, len(pages))
        return here(inbound, say(inbound, texts.people(pages, page, words if lines else ""), turned))

    def _named(self, ask: Command, inbound: Inbound) -> tuple[int | None, AccessStanding | None]:
        """Whom a command means, and the role that it gives."""
        standing: AccessStanding = _WORDS[ask.name]
        whom: int | None = None
        for word in ask.argument.split():
            if whom is None and _is_id(word):
                whom = int(word)
            elif ask.name == "allow" and word.lower() in ROLES:
                standing = word.lower()  # type: ignore[assignment]
            else:
                # A name, perhaps: names change hands, and what is meant by this word is not known.
                return None, None
        chat, quoted = inbound.key.chat, inbound.quoted
        if whom is None and quoted is not None:
            # A reply to the bot, or to who writes in the group's name, means no person, and surely not all of them.
            whom = quoted.sender.id if quoted.sender is not None and quoted.sender.id != chat else None
        elif whom is None and not ask.argument and chat < 0:
            whom = chat
        return whom, standing

    async def _decide(self, whom: int, standing: AccessStanding, inbound: Inbound, mine: Role) -> str:
        access, store, bot = self._view.access, self._view.store, self._view.bot
        asked_as, whom = whom, self._renamed.get(whom, whom)
        has = access.role(whom, whom)
        if whom in access.admins or (standing == "denied" and whom in access.allow):
            return texts.by_settings(whom)
        above = has is not None and has in ("owner", "admin") and not outranks(mine, has)
        raises = standing == "owner" or (standing == "admin" and mine != "owner")
        if whom == inbound.person or above or raises:
            return phrase("owner-only")
        if whom < 0 and standing in ("owner", "admin"):
            return phrase("allow-how")
        known = self._view.people.entries.get(whom)
        if inbound.pressed and known is not None:
            # The request is older than what was decided meanwhile, perhaps by another admin.
            return texts.decided_before(known.name, whom, has or "denied")
        asked = await store.asked(bot, asked_as)
        name = known.name if known is not None else self._name_of(whom, inbound, asked)
        person = Person(role=standing, name=name, at=self._clock.now(), by=inbound.person)
        await store.put(bot, whom, person)
        await store.decided(bot, asked_as)
        await self._view.refresh()
        log.info("access.changed", extra={"role": standing})
        if asked is not None and whom > 0 and standing != "denied":
            self._lines.append(self._to(whom, lambda: texts.paired(standing), tongue=asked.tongue))
        return texts.decided(name, whom, standing)

    def _name_of(self, whom: int, inbound: Inbound, asked: Applicant | None) -> str:
        """As far as the message tells it."""
        quoted = inbound.quoted.sender if inbound.quoted is not None else None
        if quoted is not None and quoted.id == whom:
            return texts.one_line(quoted.name)
        return self._titles.get(whom) or (asked.name if asked is not None else "")

    def _listed(self) -> list[tuple[AccessStanding, str, int]]:
        """Everyone with a role or without: (standing, name, id), the highest first."""
        access, entries = self._view.access, self._view.people.entries
        ids = {*entries, *access.allow, *access.admins}
        found: list[tuple[AccessStanding, str, int]] = []
        for who in ids:
            name = entries[who].name if who in entries else ""
            found.append((access.role(who, who) or "denied", name, who))
        order = [*ROLES, "denied"]
        return sorted(found, key=lambda one: (order.index(one[0]), one[1].casefold(), one[2]))

    async def moved(self, old: int, new: int) -> None:
        """A group became a supergroup, and keeps what was decided about it.

        Raises:
            StoreUnavailable: Redis is away.
        """
        # A request that names the old number may be answered later.
        self._renamed[old] = new
        view = self._view
        entries, named = view.people.entries, old in (*view.access.allow, *view.access.admins)
        if named and new not in {*entries, *view.access.allow, *view.access.admins}:
            # The settings know it by its old number alone, and their word stands above an admin's.
            known, let_in = entries.get(old), Person(role="member", at=self._clock.now())
            await view.store.put(view.bot, new, let_in if known is None or known.role == "denied" else known)
            await view.store.remove(view.bot, old)
            await view.refresh()
            remedy = f"name {new} in COHORT_ALLOW in place of {old}"
            log.warning("access.moved", extra={"group": old, "now": new, "remedy": remedy})
        elif old in entries:
            await view.store.rename(view.bot, old, new)
            await view.refresh()


_PAGE_DIGITS = 4
"""A number of more digits is a person's."""
_LONGEST_ID = 20
"""Characters."""
_BEYOND_IDS = 2**53
"""Telegram's ids have at most 52 bits."""


def _is_id(word: str) -> bool:
    """Whether a word is the number of a person or a group."""
    digits = word.removeprefix("-").isdecimal() and len(word) <= _LONGEST_ID
    return digits and 0 < abs(int(word)) < _BEYOND_IDS
