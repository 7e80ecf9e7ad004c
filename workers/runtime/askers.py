"""Who asks in a turn, and which tools, agents and models the least of them may use (``roles`` in ``chats.yaml``).

Of several people in one turn the lowest role counts: who wrote its messages, also those that joined it, who wanted it
again, and who answered its questions. Roles are looked up when a tool is called, so what was parked, or waits as a
reminder, is checked with the roles of then.
"""

import asyncio
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Self

from fast_agent.types import PromptMessageExtended

from tasks.chats.access import Access, People, access_by, operators_word, says_who_may_talk
from tasks.chats.roles import ROLES, Role, RoleRules, RuleKind, lowest, only
from tasks.config.settings import Settings
from tasks.envelope import Inbound
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from workers.interfaces import TurnFailed, TurnRequest
from workers.runtime.conversation.history import authors_of, with_authors
from workers.tool_stores import StoredPeople

_AGAIN_S = 0.5

_WHO: dict[Role, str] = {"owner": "the owner", "admin": "admins", "member": "members, not guests,"}
REFUSED = (
    "Not carried out: only {who} may use {tool} here, and this was asked by a person who may not. Do not try to reach"
    " the same in another way; say so to them."
)


class KnownRoles:
    """The roles of people, as far as this worker is told them: by its settings, or by the bot."""

    def __init__(self, settings_of: Callable[[int], Settings], people: StoredPeople | None) -> None:
        """``settings_of``: those of a bot."""
        self._settings_of = settings_of
        self._people = people
        self._seen = dict[int, People]()

    async def access(self, bot: int, rules: RoleRules) -> Access:
        """Who may talk, now. A worker that was not told takes each person for a stranger."""
        stored = await self._stored(bot)
        word = stored.operator
        settings = self._settings_of(bot)
        if says_who_may_talk(settings) or word is None:
            word = operators_word(settings)
        return access_by(word, stored, rules.everyone)

    async def _stored(self, bot: int) -> People:
        while self._people is not None:
            try:
                seen = self._seen.get(bot)
                if seen is None or await self._people.version(bot) != seen.version:
                    self._seen[bot] = await self._people.look(bot)
                return self._seen[bot]
            except StoreUnavailable:
                # The call could not be marked as begun either: it waits for Redis here as it would there.
                await asyncio.sleep(_AGAIN_S)
        return People()


@dataclass(slots=True)
class TurnAskers:
    """Those of one turn."""

    session: SessionKey
    rules: Callable[[], RoleRules]
    known: KnownRoles
    persons: set[int | None] = field(default_factory=set[int | None])
    lead: str = ""
    """The agent that answers; whether they may use it was decided when the turn began."""
    refused: TurnFailed | None = None
    """An agent that they may not use was reached through a workflow."""

    @classmethod
    def of(cls, request: TurnRequest, rules: Callable[[], RoleRules], known: KnownRoles) -> Self:
        """Those who are known when the turn begins, or goes on with answers."""
        answered = {said.person for said in request.answers.values() if said.person is not None}
        return cls(request.session, rules, known, persons_of(request.messages) | answered)

    def add(self, persons: Iterable[int | None]) -> None:
        """They have a part in the turn from now on."""
        self.persons.update(persons)

    def marked(self, message: PromptMessageExtended) -> PromptMessageExtended:
        """A user's message of a group, with its authors beside it: who asks for it again may be another person.

        Those of an earlier time have a part in this turn.
        """
        if self.session.chat > 0 or self.rules() == RoleRules():
            return message
        self.add(authors_of(message))
        return with_authors(message, self.persons)

    async def role(self) -> Role:
        """The lowest role among them; a person without one counts as a guest."""
        access = await self.known.access(self.session.bot, self.rules())
        return lowest(access.role(person, self.session.chat) or ROLES[-1] for person in self.persons)

    async def refusing(self, kind: RuleKind, *names: str) -> Role | None:
        """The lowest role that may use something, where theirs may not. Asks no one where no rule fits."""
        rules = self.rules()
        return rules.refuses(kind, await self.role(), *names) if rules.least(kind, *names) is not None else None

    @contextmanager
    def within(self, lead: str) -> Generator[None]:
        """Around a turn that ``lead`` answers.

        Raises:
            TurnFailed: it reached an agent that they may not use. Workflows make a text of a member's failure.
        """
        self.lead, self.refused = lead, None
        try:
            yield
        except Exception:
            if self.refused is None:
                raise
        if self.refused is not None:
            raise self.refused

    async def enter(self, agent: str) -> None:
        """Before an agent calls its model. Asks no one where no rule fits.

        Raises:
            TurnFailed: they may not use it, or a further agent is called after one that they may not use.
        """
        if self.refused is None and agent != self.lead:
            least = await self.refusing("agents", agent)
            if least is not None:
                self.refused = TurnFailed("tell", only(least, agent), "an agent that is not for the role of who asks")
        if self.refused is not None:
            raise self.refused

    async def least(self, person: int | None) -> int | None:
        """The person of the lowest role, for what acts later in their place; ``person`` where that is not lower."""
        rules = self.rules()
        if len(self.persons) < 2 or rules == RoleRules():  # noqa: PLR2004 - the one person is who asks
            return person
        access = await self.known.access(self.session.bot, rules)

        def rank(one: int | None) -> int:
            return ROLES.index(access.role(one, self.session.chat) or ROLES[-1])

        return max((person, *self.persons), key=rank)


askers_of_turn: ContextVar[TurnAskers | None] = ContextVar("askers_of_turn", default=None)
"""Set in a turn's task."""


def persons_of(messages: Iterable[Inbound]) -> set[int | None]:
    """Who wrote messages, and who wanted them again."""
    return {person for message in messages for person in (message.person, *message.again_by)}


def refused_tool(least: Role, tool: str) -> str:
    """What a model reads in place of a result."""
    return REFUSED.format(who=_WHO[least], tool=tool)
