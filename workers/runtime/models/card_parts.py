"""Who takes part in an agent's answer, as the cards say it."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import is_
from typing import TYPE_CHECKING, Any

from fast_agent.agents.agent_types import AgentType
from fast_agent.core.validation import get_agent_dependencies

if TYPE_CHECKING:
    from fast_agent import FastAgent

WORKFLOWS = frozenset(
    kind.value
    for kind in (
        AgentType.CHAIN,
        AgentType.EVALUATOR_OPTIMIZER,
        AgentType.ITERATIVE_PLANNER,
        AgentType.MAKER,
        AgentType.ORCHESTRATOR,
        AgentType.PARALLEL,
        AgentType.ROUTER,
    )
)
"""Types of cards whose agent does not answer itself."""

_ASKS_EACH = frozenset(
    kind.value for kind in (AgentType.CHAIN, AgentType.EVALUATOR_OPTIMIZER, AgentType.MAKER, AgentType.PARALLEL)
)
"""Types of cards whose members all take part in an answer; of others a model chooses some."""

_WITHOUT_MODEL = _ASKS_EACH | {AgentType.A2A.value}


@dataclass(frozen=True, slots=True)
class CardPart:
    """One agent's."""

    workflow: bool
    """It only directs other agents."""
    members: frozenset[str]
    """Itself and all agents that it may call."""
    needed: frozenset[str]
    """Those without which it gives no answer: itself, and all members of a workflow that asks each."""
    speakers: tuple[str, ...]
    """Those whose stream is the answer; empty where only the end shows which words count."""
    without_model: bool
    """Not one of them calls a model."""


class CardParts:
    """All agents'. What a card says is worked out once: every turn asks."""

    def __init__(self, fast: "FastAgent") -> None:
        self._fast = fast
        self._read_of: list[Any] = []
        """The cards that ``_read`` was read of."""
        self._read: dict[str, CardPart] = {}

    def of(self, agent: str) -> CardPart:
        """One agent's."""
        cards = list[Any](self._fast.agents.values())
        if len(cards) != len(self._read_of) or not all(map(is_, cards, self._read_of)):
            self._read_of, self._read = cards, {}
        found = self._read.get(agent)
        if found is None:
            found = self._read[agent] = self._part(agent)
        return found

    def _part(self, agent: str) -> CardPart:
        members = self._members(agent)
        return CardPart(
            self._type(agent) in WORKFLOWS,
            members,
            self._members(agent, lambda name: self._type(name) in _ASKS_EACH),
            self._speakers(agent),
            all(self._type(name) in _WITHOUT_MODEL for name in members),
        )

    def _members(self, agent: str, directs: Callable[[str], bool] = lambda _: True) -> frozenset[str]:
        found: set[str] = set()
        waiting = [agent]
        while waiting:
            name = waiting.pop()
            if name not in found and name in self._fast.agents:
                found.add(name)
                if directs(name):
                    waiting.extend(get_agent_dependencies(self._fast.agents[name]))
        return frozenset(found)

    def _speakers(self, agent: str) -> tuple[str, ...]:
        data: Any = self._fast.agents.get(agent) or {}
        match self._type(agent):
            case AgentType.CHAIN.value:
                return self._speakers(data["sequence"][-1])
            case AgentType.ROUTER.value:
                return tuple(name for member in data["router_agents"] for name in self._speakers(member))
            case AgentType.PARALLEL.value if data.get("fan_in"):
                return self._speakers(data["fan_in"])
            case kind if kind in WORKFLOWS:
                return ()
            case _:
                return (agent,)

    def _type(self, agent: str) -> str:
        kind: Any = (self._fast.agents.get(agent) or {}).get("type", AgentType.BASIC)
        return str(getattr(kind, "value", kind))
