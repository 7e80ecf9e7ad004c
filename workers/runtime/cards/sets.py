"""The agents of a worker: those of ``COHORT_CARDS``, and those of directories that single bots have of their own.

All directories share fast-agent's one context, the MCP servers and the lanes. A lane has the agents of one directory:
no agent of another is among them, so that a name of another means nothing there. Where no free lane has those of a
turn's bot, the lane that the turn borrows is made again with them.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.errors import Misconfigured
from tasks.operator_files import kept_cards
from tasks.operator_files.chat_rules import ChatRule
from tasks.session import SessionKey
from workers.interfaces import TurnFailed
from workers.many_bots import BotsOfTurns
from workers.runtime.cards.agent_registry import AgentRegistry
from workers.runtime.cards.refused import check
from workers.runtime.faults import classify as faults
from workers.runtime.lanes.lane import Lane
from workers.runtime.models.breaker import Breaker
from workers.runtime.models.choice import ModelChooser
from workers.runtime.models.descriptions import Descriptions
from workers.tool_stores import Logins

if TYPE_CHECKING:
    from fast_agent.core.fastagent import AgentInstance

log = logging.getLogger("cohort.runtime")


@dataclass(frozen=True, slots=True)
class CardSet:
    """The agents of one directory."""

    registry: AgentRegistry
    choices: ModelChooser


class CardSets:
    """All of them; the ``InstanceFactory`` of the lanes."""

    def __init__(  # noqa: PLR0913 - what each set is made with
        self,
        settings: Settings,
        clock: Clock,
        logins: Logins | None,
        *,
        breaker: Breaker,
        rule_of: Callable[[SessionKey], ChatRule],
        bots: BotsOfTurns | None,
    ) -> None:
        """Read the configuration and the cards of ``COHORT_CARDS``.

        Raises:
            Misconfigured: one of them cannot be used.
        """
        self._settings = settings
        self._clock = clock
        self._logins = logins
        self._bots = bots

        def chooser(registry: AgentRegistry, own: Settings) -> ModelChooser:
            return ModelChooser(registry.fast, own, breaker, rule_of, bots)

        self._chooser = chooser
        registry = AgentRegistry(settings, clock, logins)
        self.common = CardSet(registry, self._chooser(registry, settings))
        self._own: dict[Path, CardSet] = {}
        self._refused: dict[Path, str] = {}
        """Why a directory cannot be used."""
        self._made: dict[int, AgentRegistry] = {}
        """Of which agents a lane's instance was made, where these are a bot's own."""
        self._changes = 0
        """How often a directory of a bot's own was read again."""

    # -- which agents

    def of(self, session: SessionKey) -> CardSet:
        """The agents of the session's bot.

        Raises:
            TurnFailed: the bot has cards of its own, and they cannot be used. Others never answer in their place.
        """
        return self.common if self._bots is None else self._of_bot(session.bot)

    def _of_bot(self, bot: int) -> CardSet:
        directory = self._directory(bot)
        if directory is None:
            return self.common
        if directory not in self._own:
            self._load(directory)
        if (found := self._own.get(directory)) is None:
            raise faults.no_cards(self._refused[directory])
        return found

    def _directory(self, bot: int) -> Path | None:
        entry = self._bots.entries().get(bot) if self._bots is not None and bot else None
        return None if entry is None else entry.cards

    def usable(self, session: SessionKey) -> bool:
        """Whether the agents of the session's bot can be used."""
        try:
            self.of(session)
        except TurnFailed:
            return False
        return True

    def isolated(self, session: SessionKey, chosen: str | None) -> bool:
        """Whether a session, with the agent that it has chosen, needs a process of its own."""
        return self.usable(session) and self.of(session).choices.isolated(session, chosen)

    def agents_of(self, bot: int) -> tuple[str, ...]:
        """The agents that a bot has, the default first; none where its cards cannot be used."""
        try:
            return self._of_bot(bot).choices.agents
        except TurnFailed:
            return ()

    def every_agent(self) -> frozenset[str]:
        """The agents that any chat may have, of all directories that were read."""
        return frozenset(name for one in (self.common, *self._own.values()) for name in one.choices.agents)

    def descriptions_of(self, bot: int) -> Descriptions:
        """What the cards of a bot's agents say of them."""
        return self._of_bot(bot).choices.descriptions if self.agents_of(bot) else Descriptions({}, {})

    def named(self) -> dict[str, tuple[str, ...]]:
        """Bot -> its agents, of the bots that have cards of their own."""
        entries = self._bots.entries() if self._bots is not None else {}
        return {str(bot): self.agents_of(bot) for bot, entry in entries.items() if entry.cards is not None}

    # -- reading cards

    def _load(self, directory: Path) -> None:
        if directory in self._refused:
            return
        own = self._settings_of(directory)
        try:
            registry = self._registry_of(own)
        except Misconfigured as problem:
            if (kept := self._kept_registry(own, problem)) is None:
                self._refuse(directory, problem)
                return
            registry = kept
        self._own[directory] = CardSet(registry, self._chooser(registry, own))

    def _registry_of(self, own: Settings) -> AgentRegistry:
        return AgentRegistry(own, self._clock, self._logins, beside=self.common.registry)

    def _kept_registry(self, own: Settings, problem: Misconfigured) -> AgentRegistry | None:
        """Agents of the cards that were kept of a bot's directory; none where these cannot be used either."""
        for kept in kept_cards.kept(own):
            with suppress(Misconfigured):
                registry = self._registry_of(kept.model_copy(update={"config": own.config}))
                registry.stand_in(own, str(problem))
                return registry
        return None

    @property
    def stand_ins(self) -> list[str]:
        """Why agents are of cards that were kept, a line for each directory."""
        found = [(place, one.registry.stands_in) for place, one in ((None, self.common), *self._own.items())]
        return [self._named_lines(directory, why)[0] for directory, why in found if why]

    def _settings_of(self, directory: Path) -> Settings:
        # The agent of the deployment is one of the other cards.
        return self._settings.model_copy(update={"cards": directory, "agent": None})

    def _refuse(self, directory: Path, problem: Misconfigured) -> None:
        self._refused[directory] = str(problem)
        for line in str(problem).splitlines():
            log.error("cards.refused", extra={"bots": self._bots_of(directory), "problem": line})

    def _named_lines(self, directory: Path | None, problem: str) -> list[str]:
        """A problem's lines, each with the bots whose cards these are."""
        whose = f"bots.{', bots.'.join(self._bots_of(directory))}: " if directory is not None else ""
        return [f"{whose}{line}" for line in problem.splitlines()]

    def _bots_of(self, directory: Path) -> list[str]:
        entries = self._bots.entries() if self._bots is not None else {}
        return sorted(entry.name for entry in entries.values() if entry.cards == directory)

    async def refresh(self) -> None:
        """Read the directories that bots have by now, and let those go that no bot has any more."""
        entries = self._bots.entries() if self._bots is not None else {}
        wanted = {entry.cards for entry in entries.values() if entry.cards is not None}
        for directory in [one for one in self._own if one not in wanted]:
            self._own.pop(directory).registry.leave()
        for directory in [one for one in self._refused if one not in wanted]:
            del self._refused[directory]
        for directory in sorted(wanted - self._own.keys() - self._refused.keys()):
            await self._check(directory)
            self._load(directory)

    async def _check(self, directory: Path) -> None:
        own = self._settings_of(directory)
        try:
            await asyncio.to_thread(check, own)
        except Misconfigured as problem:
            if not list(kept_cards.kept(own)):
                self._refuse(directory, problem)

    async def reload(self, *, every_bot: bool = True) -> None:
        """Let changed cards in: of each directory all or none. One that cannot be used holds up no other.

        Args:
            every_bot: Read also the directories that no turn here has needed yet.

        Raises:
            Misconfigured: one line for each problem.
        """
        problems: list[str] = []
        for directory, found in ((None, self.common), *tuple(self._own.items())):
            try:
                await found.registry.reload()
                if found.registry.mended and directory is not None:
                    self._own.pop(directory).registry.leave()
                    self._load(directory)
                self._changes += directory is not None
            except Misconfigured as problem:
                problems += self._named_lines(directory, str(problem))
        self._refused.clear()
        if every_bot:
            await self.refresh()
        for directory, said in self._refused.items():
            problems += self._named_lines(directory, said)
        if problems:
            raise Misconfigured("\n".join(problems))

    @property
    def wanted(self) -> list[Settings]:
        """The operator's files, of each directory."""
        return [one.registry.wanted for one in (self.common, *self._own.values())]

    @property
    def mended(self) -> bool:
        """Whether the cards in whose place kept ones are used can be used by now, by a worker that starts."""
        return self.common.registry.mended

    # -- instances of lanes

    @property
    def generation(self) -> object:
        return self.common.registry.generation, self._changes

    def suits(self, lane: Lane, bot: int) -> bool:
        if self._bots is None:
            return True
        try:
            return self._maker(lane) is self._of_bot(bot).registry
        except TurnFailed:
            return False

    def _maker(self, lane: Lane) -> AgentRegistry:
        return self._made.get(id(lane.agents), self.common.registry)

    async def create(self) -> "AgentInstance":
        return await self.common.registry.create()

    async def dispose(self, lane: Lane, instance: "AgentInstance") -> None:
        await self._made.pop(id(instance), self.common.registry).dispose(lane, instance)

    async def fit(self, lane: Lane, session: SessionKey) -> None:
        """Give a borrowed lane the agents of the session's bot.

        Raises:
            TurnFailed: they cannot be made.
        """
        if self._bots is None or (wanted := self.of(session).registry) is self._maker(lane):
            return
        try:
            await lane.order(partial(self._change, lane, wanted))
        except Exception as problem:
            raise faults.no_lane(problem) from problem

    async def _change(self, lane: Lane, wanted: AgentRegistry) -> None:
        made, before = await wanted.create(), lane.agents
        lane.instance = made
        maker = self._made.pop(id(before), self.common.registry)
        if wanted is not self.common.registry:
            self._made[id(made)] = wanted
        lane.sealed = False
        try:
            await maker.dispose(lane, before)
        except Exception:
            log.warning("lane.dispose_failed", extra={"lane": lane.number}, exc_info=True)

    def reset(self, lane: Lane) -> None:
        """Reset a lane after a turn; one that cannot be reset is replaced."""
        self._maker(lane).reset(lane)
