"""Who may use commands, and in a group start over, choose for all, or press buttons (``COHORT_GROUP_CONTROL``)."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

from bot.access.people import PeopleView
from bot.commands.offered import IN_CHARGE, CommandOffer, WhoControls
from bot.commands.role_control import role_refusal
from bot.groups.admin_lists import AdminLists
from bot.updates.commands import LOGINS
from bot.updates.meaning import Incoming
from tasks.chats.access import Access
from tasks.chats.command_names import ADMINS
from tasks.chats.roles import Role, RoleRules, RuleKind
from tasks.envelope import Inbound
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.text import within

type Askers = Callable[[SessionKey], Awaitable[frozenset[int]]]
"""Who asks in a session now (``tasks.store.views``)."""
_CONTROLS = ("new", "choose", "compact", "undo", "conversation")
_OF_A_TURN = ("stop", "retry", "undo")
_OF_SEVERAL = ("stop", "retry")
_FOR_ALL = frozenset({"reminders", "forget"})
_OTHER_RULES = ADMINS | LOGINS
"""Commands whose buttons are for admins only, or stand in private chats only."""
_SHOWN_BY = {"resume": "sessions", "forget": "memory"}
"""What shows the list in which a command's buttons stand, where that is another command."""
_NAME = 64
"""UTF-16 units of a name in a toast."""


class GroupControl:
    """Decides by roles, by whose question it is, and by who administers the group."""

    def __init__(
        self,
        control: WhoControls,
        admins: AdminLists,
        rules: Callable[[], RoleRules],
        askers: Askers,
    ) -> None:
        """Prepare it; ``rules``: what the operator's file says of roles now."""
        self._askers = askers
        self._rules = rules
        self._control = control
        self._admins = admins

    async def refusal(self, heard: Incoming, role: Role | None) -> str | None:
        """What a person hears who may not do this; None when they may.

        Args:
            heard: What they say: a message, a command or a pressed button.
            role: The person's role with the bot.
        """
        if (by_role := role_refusal(self._rules(), heard, role)) is not None:
            return by_role
        inbound = heard.inbound
        if inbound.key.chat > 0 or role in IN_CHARGE or (self._control == "everyone" and not _opened_by_another(heard)):
            return None
        pressed = inbound.pressed and inbound.kind != "answer"
        if not pressed and (self._control == "asker" or not _changes(heard)):
            return None
        person = inbound.person
        asked = heard.asker is not None and heard.asker.id == person
        if pressed and asked and (self._control != "admins" or inbound.kind in _OF_A_TURN):
            return None
        if pressed and inbound.kind in _OF_SEVERAL and person in await self._askers(inbound.key):
            # An answer to several people stands under the question of one of them.
            return None
        if pressed and self._control == "asker" and heard.asker is None:
            # Telegram does not say whose it is: the question was deleted.
            return None
        if await self.administers(person, inbound.key.chat):
            return None
        if self._control != "admins" and (words := _not_yours(heard)):
            return words
        if await self._admins.of(inbound.key.chat) is None:
            return phrase("group-admins-unknown")
        return phrase("group-admins-only") if self._control == "admins" else phrase("asker-only")

    async def administers(self, person: int | None, chat: int) -> bool:
        """Whether a person is one of a group's administrators; who writes in the group's own name is."""
        return person == chat or await self._admins.has(person, chat)

    async def offered(self, offer: CommandOffer, inbound: Inbound, role: Role | None) -> tuple[str, ...]:
        """The commands that are not refused to a person where they ask."""
        group, administers = await self._place(offer, inbound, role)
        return offer.names(role, group=group, administers=administers)

    async def allows(self, offer: CommandOffer, inbound: Inbound, role: Role | None, name: str) -> bool:
        """Whether a command is not refused to a person where they ask."""
        group, administers = await self._place(offer, inbound, role)
        return offer.allows(name, role, group=group, administers=administers)

    async def presses(self, inbound: Inbound, role: Role | None) -> bool:
        """Whether buttons of a list that a person opens are not refused to that person."""
        free = self._control != "admins" or inbound.key.chat > 0 or role in IN_CHARGE
        return free or await self.administers(inbound.person, inbound.key.chat)

    async def _place(self, offer: CommandOffer, inbound: Inbound, role: Role | None) -> tuple[bool, bool]:
        """Whether a person asks in a group, and whether they administer it as far as that makes a difference."""
        chat, group = inbound.key.chat, inbound.chat_type != "private"
        asks = group and chat < 0 and offer.control == "admins" and role not in IN_CHARGE
        return group, asks and await self.administers(inbound.person, chat)


@dataclass(frozen=True, slots=True)
class RightsHere:
    """What people may do in the chats of this bot (``bot.commands.offered.PersonalRights``)."""

    control: GroupControl
    offer: CommandOffer
    people: PeopleView

    async def offered(self, inbound: Inbound) -> tuple[str, ...]:
        """The commands that are not refused to a message's person."""
        role = self.people.access.role(inbound.person, inbound.key.chat)
        return await self.control.offered(self.offer, inbound, role)

    async def may(self, inbound: Inbound, name: str) -> bool:
        """Whether a command would not be refused to a message's person."""
        role = self.people.access.role(inbound.person, inbound.key.chat)
        return await self.control.allows(self.offer, inbound, role, name)

    def refused(self, inbound: Inbound, kind: RuleKind, names: Iterable[str]) -> frozenset[str]:
        """Those of the names that the role of a message's person may not use."""
        role, rules = self.people.access.role(inbound.person, inbound.key.chat), self.offer.rules()
        return frozenset(name for name in names if rules.refuses(kind, role, name) is not None)

    async def presses(self, inbound: Inbound) -> bool:
        """Whether buttons of a list would not be refused to a message's person."""
        role = self.people.access.role(inbound.person, inbound.key.chat)
        return await self.control.presses(inbound, role)

    async def administers(self, person: int | None, chat: int) -> bool:
        """Whether a person is one of a group's administrators."""
        return await self.control.administers(person, chat)


def _changes(heard: Incoming) -> bool:
    """Whether it changes something for all in the group."""
    ask = heard.ask
    return heard.inbound.kind in _CONTROLS or (ask is not None and ask.name in _FOR_ALL and bool(ask.argument))


def _command_of(heard: Incoming) -> str | None:
    """The command that shows the picker or the list whose button is pressed; None where the button stands elsewhere."""
    if heard.callback is None or heard.ask is None or heard.ask.name in _OTHER_RULES:
        return None
    return _SHOWN_BY.get(heard.ask.name, heard.ask.name)


def _opened_by_another(heard: Incoming) -> bool:
    """Whether it is a button of a picker or a list that another one is known to have opened.

    What is asked in the name of the group (or of a channel, in it) was asked by an administrator; who asks in another
    chat's name is not known.
    """
    asker, inbound = heard.asker, heard.inbound
    if _command_of(heard) is None or asker is None or asker.id == inbound.person:
        return False
    return asker.id > 0 or asker.id == inbound.key.chat


def _not_yours(heard: Incoming) -> str | None:
    """What is said to who presses a button of another's picker or list: whose it is, and how to get one."""
    command, asker = _command_of(heard), heard.asker
    if command is None or asker is None or asker.id < 0 or not (name := " ".join(asker.name.split())):
        return None
    return phrase("picker-only", name=within(name, _NAME), command=command)


def with_roles(heard: Incoming, role: Role | None, access: Access) -> Incoming:
    """What the agent and later people have to know of the roles of those who speak.

    What the bot's owner and admins say in a group may answer what others are asked. A guest's words are marked where
    others are heard, too: in a group, and in a quotation. A stranger's quoted words count as a guest's.
    """
    inbound, changed = heard.inbound, dict[str, object]()
    if inbound.key.chat < 0 and role in IN_CHARGE:
        changed["in_charge"] = True
    if inbound.key.chat < 0 and role == "guest":
        changed["guest"] = True
    quoted = inbound.quoted
    author = quoted.sender.id if quoted is not None and quoted.sender is not None else inbound.person
    if quoted is not None and author != inbound.person and access.role(author, inbound.key.chat) in (None, "guest"):
        changed["quoted"] = quoted.model_copy(update={"guest": True})
    return replace(heard, inbound=inbound.model_copy(update=changed)) if changed else heard
