"""fast-agent as the worker's runtime: one FastAgent, entered once, its agents lent as lanes."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tasks.clock import Clock
from tasks.errors import CohortError, Misconfigured
from tasks.settings import Settings
from workers.ports import MediaSource, Sink, TurnFailed, TurnRequest, TurnResult
from workers.runtime import content, failures, history, vendor
from workers.runtime.breaker import Breaker
from workers.runtime.failures import ProviderFault
from workers.runtime.lanes import Lane, Lanes
from workers.runtime.turns import Turn, Work

if TYPE_CHECKING:
    from fast_agent.core.fastagent import AgentInstance

log = logging.getLogger("cohort.runtime")


class Engine:
    """``async with Engine(settings, clock, media=...) as runtime``: enter and leave it in one task of the loop.

    Every turn must have ended before it is left. One per process: fast-agent keeps its settings in globals.
    """

    def __init__(self, settings: Settings, clock: Clock, *, media: MediaSource | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._media = media
        self._breaker = Breaker(clock)
        self._stack = AsyncExitStack()
        self._generation = 0
        self._metered: set[str] = set()
        self._initial: dict[str, list[Any]] = {}

    async def __aenter__(self) -> Self:
        """Load configuration and cards, and make the first lane.

        Raises:
            Misconfigured: what the operator has to put right, in one line.
        """
        self._fast = vendor.build(self._settings)
        vendor.load_cards(self._fast, self._settings)
        if not self._fast.agents:
            raise Misconfigured(f"{self._settings.cards}: no agent cards")
        try:
            self._harness = await self._stack.enter_async_context(self._fast.harness())
            if self._fast.context.config is not None:
                vendor.tame_servers(self._fast.context.config, self._settings)
            tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
            self._lanes = Lanes(self, tasks, self._settings.lanes)
            self._stack.callback(self._lanes.close)
            await self._lanes.start()
        except TurnFailed as problem:
            await self._stack.aclose()
            cause = problem.__cause__ or problem
            raise Misconfigured(f"no agent can be made: {str(cause).splitlines()[0]}") from cause
        except CohortError:
            await self._stack.aclose()
            raise
        except Exception as problem:
            await self._stack.aclose()
            raise Misconfigured(f"{self._settings.cards}: {str(problem).splitlines()[0]}") from problem
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The body's exception goes its own way: a TaskGroup that saw it would wrap it.
        await self._stack.aclose()

    # -- AgentRuntime

    @property
    def agents(self) -> tuple[str, ...]:
        """Names a session may choose, the default first."""
        default = self._default_agent
        return (default, *(name for name in self._fast.agents if name != default and self._choosable(name)))

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        """Run one turn; see ``AgentRuntime.run``."""
        agent = self._agent_of(request)
        model, switched = self._model_of(request, agent)
        limit = asyncio.timeout(self._settings.turn_timeout.total_seconds())
        try:
            async with limit:
                user = await content.user_turn(request.messages, self._media)
                work = Work(user.message, self._history_of(request), sink, metered=model in self._metered)
                async with self._lane(request, model) as lane:
                    await self._choose_model(lane, agent, switched)
                    answer = await Turn(lane.agents.agents, agent, model, request.session).run(work)
        except TimeoutError:
            if not limit.expired():
                raise
            raise failures.too_slow(model, self._settings.turn_timeout.total_seconds()) from None
        if answer.usage.output_tokens:
            self._metered.add(model)
        answer.record.messages = history.bound(answer.record.messages, self._settings.history_messages)
        return TurnResult(
            text=answer.text,
            history=history.encode(answer.record),
            usage=answer.usage,
            cut=answer.cut,
            notices=(*user.notices, *answer.notices),
        )

    # -- a turn

    @asynccontextmanager
    async def _lane(self, request: TurnRequest, model: str) -> AsyncGenerator[Lane]:
        """A lane for one turn, wiped afterwards; the breaker is told how the turn ended."""
        lane = await self._lanes.take(str(request.session))
        try:
            yield lane
        except ProviderFault:
            self._breaker.failed(model)
            raise
        except TurnFailed:
            self._breaker.succeeded(model)
            raise
        except BaseException:
            self._breaker.abandoned(model)
            raise
        else:
            self._breaker.succeeded(model)
        finally:
            self._clean(lane)
            self._lanes.give_back(lane)

    def _clean(self, lane: Lane) -> None:
        """Nothing of the turn may stay in the lane."""
        try:
            for name, agent in lane.agents.agents.items():
                vendor.wipe(agent, self._initial.get(name))
        except Exception:
            # What cannot be wiped is not lent again.
            log.exception("lane_wipe_failed", extra={"lane": lane.number})
            lane.spoil()

    def _history_of(self, request: TurnRequest) -> history.Record:
        record = history.decode(request.history)
        limit = self._settings.history_messages
        record.messages = history.bound(record.messages, limit)
        record.members = {name: history.bound(messages, limit) for name, messages in record.members.items()}
        return record

    # -- choices

    @property
    def _default_agent(self) -> str:
        if self._settings.agent in self._fast.agents:
            return str(self._settings.agent)
        return self._fast.get_default_agent_name() or next(iter(self._fast.agents))

    def _choosable(self, name: str) -> bool:
        return not self._fast.agents[name].get("tool_only", False)

    def _agent_of(self, request: TurnRequest) -> str:
        wanted = request.agent
        return wanted if wanted in self._fast.agents and self._choosable(wanted) else self._default_agent

    def _model_of(self, request: TurnRequest, agent: str) -> tuple[str, str | None]:
        """The model's name as configured (what the breaker counts by and logs name), and the one to switch to, if any.

        Raises:
            TurnFailed: the model's breaker is open, and so is the fallback's.
        """
        config: Any = self._fast.agents[agent].get("config")
        general = self._fast.context.config.default_model if self._fast.context.config else None
        name = request.model or getattr(config, "model", None) or general or "default"
        wait = self._breaker.wait(name)
        if wait <= 0:
            return name, request.model
        fallback = self._settings.fallback_model
        if fallback and fallback != name and self._breaker.wait(fallback) <= 0:
            return fallback, fallback
        raise failures.paused(name, wait)

    async def _choose_model(self, lane: Lane, agent: str, wanted: str | None) -> None:
        """Give the lane's agent the session's model, or its own again."""
        chosen: Any = lane.agents.agents[agent]
        own: Any = getattr(self._fast.agents[agent].get("config"), "model", None)
        model = wanted or own
        if model is not None and chosen.config.model != model:
            await chosen.set_model(model)

    # -- lanes.Maker

    @property
    def era(self) -> object:
        """Cards and day: an agent's ``{{currentDate}}`` is filled in when it is made."""
        day = datetime.fromtimestamp(self._clock.now(), UTC).astimezone().date()
        return self._generation, day

    async def create(self) -> "AgentInstance":
        instance = await vendor.create_instance(self._harness)
        if not self._initial:
            self._initial = {name: list(agent.message_history) for name, agent in instance.agents.items()}
        return instance

    async def dispose(self, instance: "AgentInstance") -> None:
        await vendor.dispose_instance(self._harness, instance)
