"""Holds the agents that the cards describe: loads them, makes instances for lanes, reloads all of them or not one."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from fast_agent.core.model_resolution import get_context_model_references, resolve_model_reference
from fast_agent.types import PromptMessageExtended

from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.errors import Misconfigured
from tasks.operator_files import kept_cards
from workers.interfaces import TurnRequest
from workers.runtime import hardening, instances, shell_processes
from workers.runtime.cards import checks as cards
from workers.runtime.cards.refused import check, why_no_agent
from workers.runtime.cards.servers import CardServers
from workers.runtime.durable import tool_facts
from workers.runtime.lanes.baseline import Baseline
from workers.runtime.lanes.lane import Lane
from workers.runtime.models import switching
from workers.runtime.patches import file_kinds, harness_tools
from workers.runtime.servers import calls as server_calls
from workers.runtime.servers.health import Alert, ServerHealth
from workers.runtime.servers.isolation import Isolation
from workers.runtime.servers.persons import PersonsServers
from workers.tool_stores import Logins

if TYPE_CHECKING:
    from fast_agent.core.fastagent import AgentInstance

log = logging.getLogger("cohort.runtime")


@dataclass(slots=True)
class _Kept:
    """What is known of a lane's instance."""

    fresh: Baseline
    """Its state when it was made."""
    resting: Baseline
    """Its state between the turns of a session: as made, or with the session's own servers attached."""
    owner: str
    """The mark of its shells' processes (``patches.shells``)."""


class AgentRegistry:
    """One directory of cards, and the instances that are made of it."""

    def __init__(
        self, settings: Settings, clock: Clock, logins: Logins | None = None, beside: "AgentRegistry | None" = None
    ) -> None:
        """Read the configuration and the cards.

        Args:
            settings: The settings, with the directory.
            clock: Tells the time.
            logins: Of persons.
            beside: An open one, whose fast-agent, servers and connections this one has as well.

        Raises:
            Misconfigured: one of them cannot be used.
        """
        self._settings = self.wanted = settings
        self.stands_in: str | None = None
        """Why these agents are of cards that were kept, and not of the operator's."""
        self.mended = False
        """Those of the operator can be used by now, by a worker that starts."""
        self._made_of = kept_cards.snapshot(settings)
        """What is kept when an agent was made of it."""
        self._clock = clock
        self._reloads = 0
        self._initial: dict[str, list[PromptMessageExtended]] = {}
        self._kept: dict[int, _Kept] = {}
        self.servers = ServerHealth() if beside is None else beside.servers
        self._family: list[AgentRegistry] = [] if beside is None else beside._family  # noqa: SLF001 - of this class
        self._brought = CardServers(settings) if beside is None else beside._brought  # noqa: SLF001 - of this class
        self._isolation = Isolation(settings.home, self.servers)
        self._persons = PersonsServers(settings, self.servers, logins, clock)
        check(settings, whole=beside is not None)
        if beside is None:
            try:
                self.fast = instances.build(settings)
            except Misconfigured:
                check(settings)  # It tells the line, too.
                raise
            self._brought.take(self.fast)
            instances.load_cards(self.fast, settings)
        else:
            self.fast, self._harness = instances.another(beside.fast, beside._harness)  # noqa: SLF001 - of this class
            self._brought.take(self.fast)
            instances.reload_cards(self.fast, settings)
            self._say_what_cards_want()
            self._settle()
        if not self.fast.agents:
            raise Misconfigured(f"{settings.cards}: no agent cards")
        self._family.append(self)

    def stand_in(self, wanted: Settings, problem: str) -> None:
        """These cards are kept ones, in place of those that the operator wants, which cannot be used now."""
        self.wanted, self.stands_in, self._made_of = wanted, problem, None

    async def open(self, stack: AsyncExitStack) -> None:
        """Enter fast-agent; it is left when the stack is, in the same task."""
        await shell_processes.end_strays()
        self._say_what_cards_want()
        self._harness = await stack.enter_async_context(self.fast.harness())
        await instances.end_log_queue()
        references = get_context_model_references(self.fast.context)
        file_kinds.declare(self._settings.model_reads, lambda model: resolve_model_reference(model, references))
        server_calls.share(self._registry, self.servers)
        self._settle()

    @property
    def _registry(self) -> Any:
        return self.fast.context.server_registry

    async def watch_servers(self, came_back: Callable[[], None], alert: Alert | None) -> None:
        """Try again the servers that are down, until cancelled."""
        await self.servers.watch(partial(server_calls.probe, self.fast.context), came_back, alert)

    def _say_what_cards_want(self) -> None:
        """Name the cards that ask for a shell or for tools that change the runtime, and whether they get them."""
        for asks, event in (
            ("shell", "shell.given" if self._settings.shell else "shell.withheld"),
            ("harness_tools", "runtime_tools.given" if self._settings.runtime_tools else "runtime_tools.withheld"),
        ):
            names = [name for name, data in self.fast.agents.items() if hardening.asks_for(data, asks)]
            if names:
                log.warning(event, extra={"agents": names})

    def leave(self) -> None:
        """No bot has these cards any more; instances that are lent end as they come back."""
        self._family.remove(self)
        self._brought.drop(self.fast)
        self._family[0].forget_others()

    def initial(self, agent: str) -> list[PromptMessageExtended]:
        """The messages that an agent's card begins with."""
        return list(self._initial.get(agent, ()))

    async def prepare(self, lane: Lane, agents: Iterable[Any], request: TurnRequest) -> None:
        """Make a lane ready for a turn by these agents of it.

        Raises:
            TurnFailed: a server of the session does not start, or one of another does not end; the lane is spoiled.
        """
        agents, session = list(agents), request.session
        kept = self._kept[id(lane.agents)]
        if lane.warm is not None and lane.warm != str(session):
            await self._persons.cool(lane)
            await self._isolation.cool(lane)
            kept.fresh.restore()
            kept.resting = kept.fresh
        changed = await self._persons.prepare(lane, agents, request)
        if await self._isolation.prepare(lane, agents, session) or changed:
            kept.resting = self._baseline(lane.agents)
        if any(shell_processes.has_shell(agent) or harness_tools.has(agent) for agent in agents):
            # Processes and attached servers may stay between this session's turns.
            lane.warm, lane.sealed = str(session), True

    def reset(self, lane: Lane) -> None:
        """Reset a lane after a turn; one that cannot be reset is replaced."""
        try:
            instance = lane.agents
            agents = instance.agents.values()
            used = [getattr(agent, "llm", None) for agent in agents]
            if instances.hold_connection(used):
                lane.spoil()
            self._kept[id(instance)].resting.restore()
            for agent, model in zip(agents, used, strict=True):
                if model is not getattr(agent, "llm", None):
                    lane.orders.put_nowait(partial(switching.close, model))
        except Exception:
            log.exception("lane.wipe_failed", extra={"lane": lane.number})
            lane.spoil()

    def _baseline(self, instance: "AgentInstance") -> Baseline:
        # The cards' own settings are shared by all lanes.
        return Baseline(instance.agents, outside=[data.get("config") for data in self.fast.agents.values()])

    async def reload(self) -> None:
        """Let changed cards in, all or none; where kept ones stand in, only look whether the changed ones can be used.

        Raises:
            Misconfigured: one line for each problem; nothing has changed.
        """
        made_of = await asyncio.to_thread(kept_cards.snapshot, self.wanted)
        await asyncio.to_thread(check, self.wanted)
        if self.stands_in is not None:
            self.mended = True
            return
        config = self.fast.context.config
        known = set(config.mcp.servers) if config is not None and config.mcp is not None else set[str]()
        if restart := cards.needs_restart(self._settings, known):
            raise Misconfigured("\n".join(map(str, restart)))
        before, named = dict(self.fast.agents), self.named()
        try:
            instances.reload_cards(self.fast, self._settings)
        except Misconfigured:
            self._settle()  # the cards of before are back as their files say it
            raise
        self._settle()
        try:
            # The proof is an agent made of them, in a task of its own as a lane's is.
            async with asyncio.TaskGroup() as group:
                trial = group.create_task(self._trial(named), name="try-cards")
        except* Exception as failed:
            instances.restore_cards(self.fast, before)
            self._settle()
            self.forget_others()
            reason = why_no_agent(failed.exceptions[0])
            raise Misconfigured(f"{self._settings.cards}: {reason}") from failed
        self._initial, self._made_of = trial.result(), made_of
        self.forget_others()
        self._reloads += 1

    async def _trial(self, named: frozenset[str]) -> dict[str, list[PromptMessageExtended]]:
        """Make an instance of the new cards, and dispose of it.

        Args:
            named: Servers that were in use before; these may be down.

        Returns:
            Agent -> the messages that its card begins with.

        Raises:
            Misconfigured: a server that the cards bring does not start.
            Exception: no agent can be made of the cards.
        """
        instance = await instances.create_instance(self._harness)
        initial = {name: list(agent.message_history) for name, agent in instance.agents.items()}
        await instances.dispose_instance(self._harness, instance)
        for name in self.named() - named:
            if (why := self.servers.why_down(name)) is not None:
                raise Misconfigured(why)
        return initial

    def named(self) -> frozenset[str]:
        """Shared servers that agents have."""
        configs: list[Any] = [data.get("config") for data in self.fast.agents.values()]
        return frozenset(name for config in configs for name in config.servers)

    def forget_others(self) -> None:
        """Forget the state of servers that no card names any more."""
        named = frozenset(name for each in self._family for name in each.named())
        for name in self.servers.down:
            if name not in named:
                self.servers.forget(name)

    def _settle(self) -> None:
        """Harden every MCP server, those of cards included, and find those of sessions."""
        config = self.fast.context.config
        if config is not None:
            hardening.harden_servers(config, self._settings)
            tool_facts.read_process(
                config.mcp.server_declarations if config.mcp is not None else {},
                destructive=self._settings.approve != "listed",
            )
            self._isolation.read(self.fast)
            self._persons.read(self.fast)

    # -- instances of lanes

    @property
    def generation(self) -> object:
        """Changes with the cards, with a server that came back, and with the day (``{{currentDate}}`` in a card)."""
        day = datetime.fromtimestamp(self._clock.now(), UTC).astimezone().date()
        return self._reloads, self.servers.changes, day

    async def create(self) -> "AgentInstance":
        instance = await instances.create_instance(self._harness)
        for agent in instance.agents.values():
            await server_calls.tell_missing(agent, self.servers)
        owner = shell_processes.mark(instance.agents)
        fresh = self._baseline(instance)
        self._kept[id(instance)] = _Kept(fresh, fresh, owner)
        made_of, self._made_of = self._made_of, None
        await asyncio.to_thread(kept_cards.keep, self.wanted, made_of)
        if not self._initial:
            self._initial = {name: list(agent.message_history) for name, agent in instance.agents.items()}
        return instance

    async def dispose(self, lane: Lane, instance: "AgentInstance") -> None:
        self._isolation.forget(lane)
        self._persons.forget(lane)
        kept = self._kept.pop(id(instance))
        try:
            await instances.dispose_instance(self._harness, instance)
        finally:
            await shell_processes.end(kept.owner)
