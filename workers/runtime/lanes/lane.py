"""A lane, and what makes and disposes of its instances."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from workers.runtime.lanes.fair_queue import TurnParties

if TYPE_CHECKING:
    from fast_agent.core.fastagent import AgentInstance

NO_PARTIES = TurnParties()


class InstanceFactory(Protocol):
    """Makes and disposes of instances, in the lane's own task: anyio scopes have to end where they began."""

    async def create(self) -> "AgentInstance": ...

    async def dispose(self, lane: "Lane", instance: "AgentInstance") -> None: ...

    def suits(self, lane: "Lane", bot: int) -> bool:
        """Whether the lane's instance is of the agents that this bot has."""
        ...

    @property
    def generation(self) -> object:
        """Changes when lanes made before are out of date (cards reloaded, another day)."""
        ...


type Order = Callable[[], Awaitable[None]]


@dataclass(eq=False, slots=True)
class Lane:
    """One agent instance. The lane's own task makes it, runs orders for it, and disposes of it."""

    number: int
    orders: "asyncio.Queue[Order | None]" = field(default_factory=asyncio.Queue)
    """What the lane's task has to run; None disposes of the instance."""
    instance: "AgentInstance | None" = None
    generation: object = None
    """``InstanceFactory.generation`` when the instance was made."""
    spoiled: bool = False
    """The instance is replaced when the lane comes back."""
    turns: int = 0
    """How many turns this instance has served."""
    warm: str | None = None
    """The session whose own MCP servers run in this lane."""
    lent: TurnParties = NO_PARTIES
    """Whose turn uses the lane now."""
    sealed: bool = False
    """Only the session that the lane is warm for may have this instance."""
    ending: bool = False
    """The instance is being replaced."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this instance was disposed of; the next instance has another one."""

    @property
    def agents(self) -> "AgentInstance":
        assert self.instance is not None, "a lane is lent only with an instance"  # noqa: S101 - an invariant
        return self.instance

    def fits(self, session: str) -> bool:
        """Whether a session may have this lane."""
        return not self.sealed or self.warm == session

    def spoil(self) -> None:
        """Replace this lane when it comes back."""
        self.spoiled = True

    async def order(self, action: Order) -> None:
        """Run an action in the lane's own task, and wait for it."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def act() -> None:
            try:
                await action()
            except Exception as problem:  # noqa: BLE001 - raised in the task that gave the order
                if not done.done():
                    done.set_exception(problem)
            else:
                if not done.done():
                    done.set_result(None)

        self.orders.put_nowait(act)
        await done
