"""Which commands a person is offered, in menus and by /help: those that are not refused to them (pure)."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol

from bot import texts
from bot.commands.role_control import refuses
from tasks.chats.choices import CHAT_CHOICES
from tasks.chats.command_names import CONTROL
from tasks.chats.roles import Role, RoleRules, RuleKind
from tasks.config.forms import MENU
from tasks.envelope import Inbound, Reply

type WhoControls = Literal["everyone", "admins", "asker"]

_NEW = frozenset(name for name, kind in CONTROL.items() if kind == "new")
"""/new and its other names."""
_FOR_ALL = frozenset({*_NEW, "undo", "compact", "title", "resume", "model", "agent", *CHAT_CHOICES})
"""Those that change something for all in a group."""
IN_CHARGE = ("owner", "admin")


class PersonalRights(Protocol):
    """What a person may do where they speak."""

    async def offered(self, inbound: Inbound) -> Sequence[str]:
        """The commands that are not refused to a message's person."""
        ...

    async def may(self, inbound: Inbound, name: str) -> bool:
        """Whether a command would not be refused to a message's person."""
        ...

    def refused(self, inbound: Inbound, kind: RuleKind, names: Iterable[str]) -> frozenset[str]:
        """Those of the names that the role of a message's person may not use."""
        ...

    async def presses(self, inbound: Inbound) -> bool:
        """Whether buttons of a list would not be refused to a message's person."""
        ...

    async def administers(self, person: int | None, chat: int) -> bool:
        """Whether a person is one of a group's administrators."""
        ...


@dataclass(frozen=True, slots=True)
class CommandOffer:
    """The commands of this bot."""

    rules: Callable[[], RoleRules]
    """What the operator's file says of roles now."""
    control: WhoControls = "everyone"
    own: Callable[[], Mapping[str, str]] = dict[str, str]
    """Those that the agents answer now, and what the menu says of each; empty for the usual words."""
    without: Container[str] = ()
    """Those of ours that are of no use here."""

    def names(self, role: Role | None, *, group: bool = False, administers: bool = False) -> tuple[str, ...]:
        """What a person is offered, in the order of menus.

        Args:
            role: Theirs.
            group: In a group; what admins decide by is not offered there.
            administers: They are one of the group's administrators.
        """
        admins = () if group else texts.ADMIN_COMMANDS
        room = MENU - len(texts.COMMANDS) - len(texts.ADMIN_COMMANDS)
        names = (*texts.COMMANDS, *islice(self.own(), room), *admins)
        return tuple(name for name in names if self.allows(name, role, group=group, administers=administers))

    def allows(self, name: str, role: Role | None, *, group: bool = False, administers: bool = False) -> bool:
        """Whether a command is of use here and not refused to a person; ``group`` and ``administers`` as above."""
        if name in self.without or (name in texts.ADMIN_COMMANDS and role not in IN_CHARGE):
            return False
        shut = group and self.control == "admins" and not administers and role not in IN_CHARGE
        return not refuses(self.rules(), CONTROL.get(name, name), role) and not (shut and name in _FOR_ALL)


async def usable(reply: Reply, viewer: Inbound, rights: PersonalRights) -> Reply:
    """A list without the buttons whose press would be refused to its person."""
    if not await rights.presses(viewer):
        return reply.model_copy(update={"buttons": ()})
    words = {button.data.partition(":")[0] for row in reply.buttons for button in row}
    kept = {word for word in words if await rights.may(viewer, word)}
    rows = (tuple(one for one in row if one.data.partition(":")[0] in kept) for row in reply.buttons)
    return reply.model_copy(update={"buttons": tuple(row for row in rows if row)})
