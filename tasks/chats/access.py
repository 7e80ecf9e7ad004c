"""Who may talk, and in which role (pure): asked by the bot for each update, and by a worker when a reminder is due."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.chats.roles import Role
from tasks.config.settings import Settings

type Decision = Literal["admit", "tell", "ignore"]
"""What becomes of a message.

- ``tell``: a stranger, who hears so with their id.
- ``ignore``: a stranger who must not hear from us.
"""

type AccessStanding = Literal["owner", "admin", "member", "guest", "denied"]

type Mode = Literal["pairing", "allowlist", "open"]


class Person(BaseModel):
    """A person or a group as an admin, or a pairing code, let it in or kept it out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: AccessStanding
    name: str = ""
    at: float = 0.0
    """When, seconds since the epoch."""
    by: int | None = None
    """The admin; None for a pairing code, and where the admin is forgotten."""


class Applicant(BaseModel):
    """What is known of a stranger, or of a group, whom admins have heard of and not decided about."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = ""
    tongue: str | None = None
    """Their language, as far as Telegram tells it."""


class OperatorsWord(BaseModel):
    """What the bot's own settings say, kept for workers that have no such settings."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    mode: Mode = "allowlist"
    allow: tuple[int, ...] = ()
    admins: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class People:
    """What is stored of one bot's people and groups."""

    entries: Mapping[int, Person] = field(default_factory=dict[int, Person])
    operator: OperatorsWord | None = None
    version: int = 0
    """Counts the changes."""

    @property
    def owned(self) -> bool:
        """Whether the bot has an owner."""
        return any(person.role == "owner" for person in self.entries.values())


@dataclass(frozen=True, slots=True)
class Access:
    """Everybody, or those whom the operator (``allow``, ``admins``) or an admin (``people``) has let in."""

    everybody: bool
    allow: frozenset[int]
    """User and chat ids."""
    admins: frozenset[int] = frozenset()
    people: Mapping[int, Person] = field(default_factory=dict[int, Person])
    everyone: Role = "member"
    """The role of a person without one, where ``everybody`` may talk."""

    def role(self, user: int | None, chat: int) -> Role | None:
        """The role of a person in a chat, None for a stranger and for a person who is kept out.

        The operator's settings stand above what admins decide. Without a role of their own, people have the role that
        their group has.
        """
        mine, ours = self._standing(user), self._standing(chat) if chat < 0 else None
        if mine in ("owner", "admin"):
            return mine
        if mine == "denied" or ours == "denied":
            return None
        return mine or ours or (self.everyone if self.everybody else None)

    def denied(self, user: int | None, chat: int) -> bool:
        """Whether an admin keeps the person or the chat out."""
        return "denied" in (self._standing(user), self._standing(chat)) and self.role(user, chat) is None

    def _standing(self, who: int | None) -> AccessStanding | None:
        if who is None:
            return None
        stored = self.people.get(who)
        role = stored.role if stored is not None else None
        if who in self.admins:
            return "owner" if role == "owner" else "admin"
        if who in self.allow and role in (None, "denied"):
            return "member"
        return role

    def decide(self, user: int | None, chat: int, *, business: bool = False) -> Decision:
        """Admit a user, or everybody in a chat.

        A business account's customers write to its owner, not to a bot: their strangers hear nothing. The same goes
        (as ``business``) for a channel, where all readers would see the line.
        """
        if self.role(user, chat) is not None:
            return "admit"
        return "ignore" if business or user is None or self.denied(user, chat) else "tell"

    @property
    def admits_no_one(self) -> bool:
        """No user or chat may talk: the operator has to be told."""
        stored = any(person.role != "denied" for person in self.people.values())
        return not (self.everybody or self.allow or self.admins or stored)

    @property
    def in_charge(self) -> frozenset[int]:
        """The owner and the admins."""
        stored = (who for who, person in self.people.items() if person.role in ("owner", "admin"))
        return self.admins.union(stored)


def mode_of(settings: Settings) -> Mode:
    """How people get in. A deployment that has a list, and no word about access, goes on with its list."""
    if settings.access is not None:
        return settings.access
    return "allowlist" if settings.allow or settings.admins else "pairing"


def operators_word(settings: Settings) -> OperatorsWord:
    """What the settings say."""
    return OperatorsWord(mode=mode_of(settings), allow=settings.allow, admins=settings.admins)


def access_by(word: OperatorsWord, people: People, everyone: Role = "member") -> Access:
    """What the operator's word and the stored decisions make together.

    Args:
        word: The operator's.
        people: What is stored.
        everyone: The role of those whom the mode ``open`` lets in.
    """
    return Access(word.mode == "open", frozenset(word.allow), frozenset(word.admins), people.entries, everyone)


def access_of(settings: Settings, people: People | None = None) -> Access:
    """What the operator has set, with what is stored; operators themselves may always talk."""
    return access_by(operators_word(settings), people or People())


def says_who_may_talk(settings: Settings) -> bool:
    """Whether a process has access settings of its own."""
    return bool(settings.access or settings.allow or settings.admins)


def person_from(raw: bytes | str) -> Person | None:
    """A stored person; None for what this release cannot read."""
    try:
        return Person.model_validate_json(raw)
    except ValidationError:
        return None
