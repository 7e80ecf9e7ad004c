"""What the tools of a turn may use (Protocols): notes of a session, reminders, and logins of people."""

from collections.abc import Callable, Mapping
from typing import Protocol

from tasks.chats.access import People
from tasks.chats.logins import Login
from tasks.envelope import Inbound
from tasks.secret_box import SecretBox
from tasks.session import SessionKey


class Notes(Protocol):
    """What the agent was asked to remember in a session, for its tools (``tasks.store.notes.NoteStore``)."""

    async def remember(self, session: SessionKey, topic: str, note: str) -> None:
        """Keep ``note`` under ``topic``; an empty note forgets the topic.

        Raises:
            Terminal: too long, or too many; the message is for the model and the user.
        """
        ...

    async def recall(self, session: SessionKey) -> dict[str, str]:
        """All notes of the session: topic -> note."""
        ...


class StoredPeople(Protocol):
    """Who was let in, and in which role (``tasks.store.chats.people.PeopleStore``)."""

    async def look(self, bot: int) -> People:
        """All that is stored of one bot."""
        ...

    async def version(self, bot: int) -> int:
        """The count of changes."""
        ...

    async def followed(self) -> Mapping[int, int]:
        """Supergroups, each with the group that rules name it by."""
        ...


class Zones(Protocol):
    """In which time zone people mean their times (``tasks.store.chats.zones.ZoneStore``)."""

    async def look(self, bot: int, person: int) -> str | None:
        """A person's zone, an IANA name; None where it was not told."""
        ...

    async def keep(self, bot: int, person: int, zone: str) -> None:
        """Keep it."""
        ...


class Reminders(Protocol):
    """Messages that a session sends to itself later (``tasks.store.reminders.ReminderStore``)."""

    def now(self) -> float:
        """The time that they count from, seconds since the epoch."""
        ...

    @property
    def zones(self) -> Zones:
        """Where times are meant."""
        ...

    async def repeat(  # noqa: PLR0913 - what is said of it, and by whom
        self, session: SessionKey, text: str, rule: str, at: str, zone: str, *, by: int | None = None, depth: int = 0
    ) -> Inbound:
        """Have ``text`` come back again and again, by an RRULE; the first one.

        Raises:
            Terminal: as ``add``, and where the rule cannot be used.
        """
        ...

    async def add(
        self, session: SessionKey, text: str, seconds: float, *, by: int | None = None, depth: int = 0
    ) -> float:
        """Have ``text`` come back as a turn, ``seconds`` from now; when that is, in seconds since the epoch.

        Args:
            session: The session of the turn.
            text: What the agent is to be told then.
            seconds: From now.
            by: The person whose turn sets it.
            depth: How many reminders led to it since a person wrote.

        Raises:
            Terminal: too near or too far off, too long, too many, or a chain without end.
        """
        ...


class Logins(Protocol):
    """Logins of people at MCP servers (``tasks.store.chats.logins.LoginStore``)."""

    @property
    def kept(self) -> bool:
        """Whether logins can be kept here."""
        ...

    @property
    def box(self) -> SecretBox:
        """What seals them."""
        ...

    async def read(self, bot: int, person: int, server: str) -> Login | None:
        """What is kept of a person at a server."""
        ...

    async def change(
        self, bot: int, person: int, server: str, change: Callable[[Login | None], Login | None]
    ) -> Login | None:
        """Replace it by what ``change`` makes of it, which may be called several times."""
        ...
