"""fast-agent as the worker's runtime: one FastAgent, entered once, whose agents are lent as lanes."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from tasks import session_files
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.errors import CohortError
from tasks.operator_files.chat_rules import ChatRulesFile
from tasks.session import SessionKey
from workers.interfaces import MediaSource, Sink, TurnFailed, TurnRequest, TurnResult, Usage
from workers.many_bots import BotsOfTurns
from workers.runtime import spans
from workers.runtime.askers import KnownRoles, TurnAskers, askers_of_turn
from workers.runtime.asking.elicitation import holds_of_turn
from workers.runtime.call_log import listen
from workers.runtime.cards.bot_rules import BotRules
from workers.runtime.cards.refused import misconfigured
from workers.runtime.cards.sets import CardSets
from workers.runtime.conversation import content
from workers.runtime.durable.journal import journal_of_turn
from workers.runtime.durable.opening import brought, opened_journal
from workers.runtime.faults import classify as faults
from workers.runtime.faults.model_fault import ModelFault
from workers.runtime.files_in import FilesIn, opened
from workers.runtime.histories import Histories
from workers.runtime.lanes.borrowing import borrowed
from workers.runtime.lanes.lane import Lane
from workers.runtime.lanes.pool import Lanes
from workers.runtime.models import outcome, switching
from workers.runtime.models.breaker import Breaker
from workers.runtime.models.choice import ModelChoice
from workers.runtime.models.permitted import permitted
from workers.runtime.patches import connections
from workers.runtime.servers.health import Alert, plain_name
from workers.runtime.tools.session_tools import Origin, Toolbox, origin_of_turn
from workers.runtime.turns import compaction, titling
from workers.runtime.turns.answer_check import EndMarkers
from workers.runtime.turns.shortening import Shortening
from workers.runtime.turns.time_limit import TurnLimit, limited
from workers.runtime.turns.turn import Turn, TurnAnswer, TurnInput
from workers.tool_stores import Logins, Notes, Reminders, StoredPeople

log = logging.getLogger("cohort.runtime")

_START = "{start}"  # in a card's instruction: the payload of the link by which a person came


class Engine:
    """The ``AgentRuntime`` of a worker: ``async with Engine(settings, clock, media=...) as runtime``.

    It is entered and left in one task of the loop, and left only when every turn has ended. A process has one, because
    fast-agent keeps its settings in globals.
    """

    def __init__(  # noqa: PLR0913 - each is optional, and tests leave most of them out
        self,
        settings: Settings,
        clock: Clock,
        *,
        media: MediaSource | None = None,
        notes: Notes | None = None,
        reminders: Reminders | None = None,
        logins: Logins | None = None,
        people: StoredPeople | None = None,
        alert: Alert | None = None,
        bots: BotsOfTurns | None = None,
    ) -> None:
        """What turns may use: without one its use is refused in words. ``alert`` tells that an MCP server is down."""
        self._bots, self._alert = bots, alert
        self._settings, self._clock = settings, clock
        self._files = FilesIn(settings, media, bots)
        self._toolbox = Toolbox(notes, reminders)
        self._logins = logins
        self._roles = KnownRoles(bots.settings if bots is not None else lambda _: settings, people)
        self.breaker, self.chats = Breaker(clock), BotRules(ChatRulesFile(settings.chats, settings.home), bots, people)
        self._stack, self._ends = AsyncExitStack(), EndMarkers()

    async def __aenter__(self) -> Self:
        """Load configuration and cards, and make the first lane.

        Raises:
            Misconfigured: what the operator has to put right, in one line.
        """
        self.sets = CardSets(
            self._settings, self._clock, self._logins, breaker=self.breaker, rule_of=self.chats.of, bots=self._bots
        )
        self._registry, self._choices = self.sets.common.registry, self.sets.common.choices
        self.histories = Histories(self.sets, self._settings)
        self._stack.push_async_callback(connections.close)
        await self._files.open(self._stack, self._alert)
        try:
            await self._registry.open(self._stack)
            tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
            self.lanes = Lanes(self.sets, tasks, self._settings.lanes)
            self._stack.callback(self.lanes.close)
            servers = self._registry.watch_servers(self.lanes.renew, self._alert)
            self._stack.callback(tasks.create_task(servers, name="servers").cancel)
            self._stack.callback(tasks.create_task(self.chats.watch(self.sets.every_agent), name="chats").cancel)
            await self.lanes.start()
        except BaseException as problem:
            await self._stack.aclose()
            if isinstance(problem, TurnFailed) or not isinstance(problem, CohortError | asyncio.CancelledError):
                raise misconfigured(self._settings, problem) from problem
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The body's exception goes its own way: a TaskGroup that saw it would wrap it.
        await self._stack.aclose()

    @property
    def agents(self) -> tuple[str, ...]:
        """Names a session may choose, the default first."""
        return self._choices.agents

    def isolated(self, session: SessionKey, chosen: str | None) -> bool:
        """Whether a session, with the agent that it has chosen, needs a process of its own."""
        return self.sets.isolated(session, chosen)

    def serves(self, session: SessionKey) -> bool:
        """Whether the cards and rules of the session's bot can be used. Until then its messages are kept."""
        return self.chats.usable(session) and self.sets.usable(session)

    @property
    def busy(self) -> int:
        """Lanes that are lent now."""
        return self.lanes.busy

    @property
    def servers_down(self) -> tuple[str, ...]:
        """MCP servers that lanes do without."""
        return tuple(plain_name(name) for name in self._registry.servers.down)

    @property
    def waiting(self) -> int:
        """Turns that wait for a lane."""
        return self.lanes.waiting

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        """Run one turn; see ``AgentRuntime.run``."""
        askers_of_turn.set(askers := TurnAskers.of(request, self.chats.roles_of(request.session), self._roles))
        choices = self.sets.of(request.session).choices
        request, told = await permitted(request, askers, choices, self.chats.of)
        choice = choices.of(request)
        with spans.agent(choice.agent, choice.model), askers.within(choice.agent):
            done = await self._run(request, choice, sink, askers)
        return replace(done, notices=(*told, *done.notices), standing=done.standing.union(told)) if told else done

    async def _run(self, request: TurnRequest, choice: ModelChoice, sink: Sink, askers: TurnAskers) -> TurnResult:
        origin_of_turn.set(Origin.of(request.messages))
        listen(request.spent, request.called)
        lead = None if choice.workflow else choice.agent
        journal = await opened_journal(request, session_files.where(self._settings.home, request.session), lead)
        holds_of_turn.set(request.holds)
        async with self._reported(request, choice), limited(self._settings, choice.model, request.session) as limit:
            record, again, lost = self.histories.before(request, choice.agent)
            past = (record.messages, again)
            async with self._files.share(request, past, self._choices.reads(choice.model), sink) as files:
                if again is not None:
                    message = await files.again(again)
                else:
                    message = await opened(content.user_turn(request.messages, files.new, choice.past(record.messages)))
                message = askers.marked(message)
                files.show_heard(sink)
                record.messages = await files.before(record.messages)
                work = TurnInput(message, record, sink, open_ended=self._ends.never(choice.model))
                async with self._lane(request, limit) as lane:
                    answer = await self._ended(choice, self._answer(request, choice, lane, work))
                    if answer.dead_server:
                        lane.spoil()
        done = TurnResult(
            text=answer.text,
            history=self.histories.stored(answer.record),
            usage=answer.usage,
            cut=answer.cut,
            spoken=content.is_spoken(message),
            notices=(*choice.refused.values(), *lost, *files.new.notices, *answer.notices),
            standing=frozenset(files.new.notices) & files.new.unread,
            dropped=tuple(choice.refused),
        )
        return brought(done, journal)

    async def compact(self, request: TurnRequest) -> TurnResult:
        """Summarise the older part of the history; see ``AgentRuntime.compact``."""
        listen(request.spent, request.called)
        journal_of_turn.set(None)
        choice = self.sets.of(request.session).choices.of(request)
        async with (
            self._reported(request, choice),
            limited(self._settings, choice.model) as limit,
            self._lane(request, limit) as lane,
        ):
            record, lost = self.histories.record(request, choice.agent)
            agent = await self._agent(request, lane, choice)
            done = await compaction.compact(agent, record, request.session, choice.model)
        return TurnResult(
            text=done.words,
            history=self.histories.stored(done.record),
            usage=done.usage,
            notices=(*choice.refused.values(), *lost),
            dropped=tuple(choice.refused),
        )

    async def title(self, session: SessionKey, asked: str, answer: str) -> tuple[str, Usage]:
        """A model's title for a conversation, and its cost; see ``workers.sessions.commands.titles``."""
        journal_of_turn.set(None)
        request = titling.request_of(session)
        choice = replace(self.sets.of(session).choices.of(request), switch=self._settings.title_model)
        async with limited(self._settings, choice.model) as limit, self._lane(request, limit) as lane:
            return await titling.title(await self._agent(request, lane, choice), request, asked, answer)

    async def reload(self, *, every_bot: bool = True) -> tuple[str, ...]:
        """Let changed cards in, all or none; running turns end with the old ones. ``every_bot``: see ``CardSets``.

        Returns:
            The agents that sessions may choose now.

        Raises:
            Misconfigured: one line for each problem; nothing has changed.
        """
        await self.sets.reload(every_bot=every_bot)
        self.lanes.renew()
        return self.agents

    # -- a turn

    async def _answer(self, request: TurnRequest, choice: ModelChoice, lane: Lane, work: TurnInput) -> TurnAnswer:
        """Run the turn, with as much of the conversation as fits."""
        agent = await self._agent(request, lane, choice)
        tools = self._toolbox if request.session.inline is None else Toolbox()  # that session has no later
        turn = Turn(lane.agents.agents, choice, request.session, tools)
        limit = self._settings.history_messages
        full = compaction.due(work.record.messages, limit, compaction.window_of(agent))
        prepare, reset = partial(self._agent, request, lane, choice), partial(self._reset, lane)
        shortening = Shortening(turn, agent, request.session, choice.model, limit, reset, prepare)
        return await shortening.answer(work, full=full)

    async def _ended(self, choice: ModelChoice, answering: Awaitable[TurnAnswer]) -> TurnAnswer:
        """Remember whether the model ends its answers with a stop reason."""
        try:
            answer = await answering
        except faults.Unfinished:
            self._ends.broke_off(choice.model)
            raise
        if not answer.broke_off:
            self._ends.whole(choice.model)
        return answer

    def _reported(self, request: TurnRequest, choice: ModelChoice) -> AbstractAsyncContextManager[None]:
        """Report the turn's end to the breaker, however it ended: the turn may be the probe."""
        several = self.sets.of(request.session).choices.several_models(choice)
        return outcome.reported(self.breaker, request, choice, several=several)

    @asynccontextmanager
    async def _lane(self, request: TurnRequest, limit: TurnLimit) -> AsyncGenerator[Lane]:
        """Borrow a lane for one turn, and reset it afterwards."""
        lane = await borrowed(self.lanes, request)
        limit.begin()
        try:
            await self.sets.fit(lane, request.session)
            yield lane
        finally:
            self._reset(lane)
            self.lanes.give_back(lane)

    def _reset(self, lane: Lane) -> None:
        """Wipe a lane; the tests of isolation leave this out, and must notice."""
        self.sets.reset(lane)

    async def _agent(self, request: TurnRequest, lane: Lane, choice: ModelChoice) -> Any:
        """Prepare a lane that was reset: the chosen agent and its members, with the session's model.

        Raises:
            TurnFailed: that model, or a server of the session's own, cannot be had.
        """
        agents: Any = lane.agents.agents
        members = [agents[name] for name in choice.members if name in agents]
        await self.sets.of(request.session).registry.prepare(lane, members, request)
        if choice.switch is not None:
            try:
                await switching.switch(switching.answering(members), choice.switch)
            except Exception as problem:
                # What was changed in part is put back with the lane: a chat that chose such a model must not have each
                # of its messages start the servers of a lane again.
                raise faults.unusable(choice.switch, ModelFault.of(problem).detail, chosen=choice.chosen) from problem
        for member in members:
            # Resetting the lane puts the card's own words back.
            if _START in (instruction := member.instruction):
                member.set_instruction(instruction.replace(_START, request.start))
        return agents[choice.agent]
