"""Chooses the agent and the model that answer a turn."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fast_agent.core.model_resolution import get_context_model_references, resolve_model_reference
from fast_agent.llm.model_factory import ModelFactory
from fast_agent.llm.resolved_model import ResolvedModelSpec

from tasks.chats.model_lines import KINDS
from tasks.config.settings import Settings
from tasks.operator_files.chat_rules import ChatRule
from tasks.session import SessionKey
from workers import texts
from workers.interfaces import TurnFailed, TurnRequest
from workers.many_bots import BotsOfTurns
from workers.runtime.faults import classify as faults
from workers.runtime.models.breaker import Breaker, Caller
from workers.runtime.models.card_parts import CardParts
from workers.runtime.models.descriptions import Descriptions
from workers.runtime.patches.card_entries import ISOLATION_MARK

if TYPE_CHECKING:
    from fast_agent import FastAgent

ECHO = "passthrough"
"""fast-agent's stand-in for a model."""
_PROVIDERS = {
    "generic": "",
    "fast-agent": "",
    "tensorzero": "",
    "openresponses": "",
    "responses": "OpenAI",
    "codexresponses": "OpenAI",
    "googleoai": "Google",
    "aliyun": "Alibaba Cloud",
    "hf": "Hugging Face",
}
"""Names of providers that fast-agent calls otherwise; of an address that an operator sets there is none."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The agent and the model that answer a turn."""

    agent: str
    model: str
    """The model's name as configured; the breaker counts by it."""
    switch: str | None = None
    """The model to set on the agents that call one; None leaves each agent its own."""
    speakers: tuple[str, ...] = ()
    """The agents whose words are the answer, and so are shown while they grow."""
    members: frozenset[str] = frozenset()
    """The agent and all agents that it may call."""
    workflow: bool = False
    """The agent only directs other agents."""
    chosen: bool = False
    """The session chose the model."""
    refused: dict[str, str] = field(default_factory=dict[str, str])
    """Choices of the session that do not apply (``agent``, ``model``) -> the sentence that tells the user why."""

    def past[T](self, messages: T) -> T | None:
        """What says to the model who writes; None for fast-agent's echo, which would repeat a line about that."""
        return None if self.model == ECHO else messages


class ModelChooser:
    """Chooses by the registered cards, the session's wishes and the state of the breaker."""

    def __init__(
        self,
        fast: "FastAgent",
        settings: Settings,
        breaker: Breaker,
        rule_of: Callable[[SessionKey], ChatRule] = lambda _: ChatRule(),
        bots: BotsOfTurns | None = None,
    ) -> None:
        """Choose by these.

        Args:
            fast: The registered cards.
            settings: The settings.
            breaker: Knows which models fail now.
            rule_of: What the operator says of a session.
            bots: What the operator says of its bot, among several.
        """
        self._bots = bots
        self._fast = fast
        self._rule_of = rule_of
        self._settings = settings
        self._breaker = breaker
        self._parts = CardParts(fast)
        self._reads: dict[str, Callable[[str], bool]] = {}
        self._facts: dict[str, tuple[str, ...]] = {}

    @property
    def agents(self) -> tuple[str, ...]:
        """Names a session may choose, the default first."""
        default = self.default
        return (default, *(name for name in self._fast.agents if name != default and self._choosable(name)))

    @property
    def descriptions(self) -> Descriptions:
        """What the cards of ``agents`` say of them."""
        return Descriptions.of({name: self._fast.agents[name].get("config") for name in self.agents})

    @property
    def default(self) -> str:
        """``COHORT_AGENT``, else the card marked so, else the first."""
        wanted = self._settings.agent
        if wanted is not None and wanted in self._fast.agents:
            return wanted
        return self._fast.get_default_agent_name() or next(iter(self._fast.agents))

    def own_model(self, agent: str) -> str | None:
        """The model that the agent's card names."""
        config: Any = self._fast.agents[agent].get("config")
        model: str | None = getattr(config, "model", None)
        return model

    def of(self, request: TurnRequest) -> ModelChoice:
        """Choose for a turn. A choice of the session that does not apply falls back to the default.

        Raises:
            TurnFailed: the model's breaker is open, and so is the fallback's.
        """
        model, refused, (agent, _) = request.model, dict[str, str](), self.answering(request)
        if request.agent not in (None, agent):
            refused["agent"] = texts.no_such_agent(request.agent or "", agent)
        if model is not None and (why := self._no_model(agent, model)):
            refused["model"] = why
            model = None
        chosen = model is not None
        if model is None and not self._parts.of(agent).without_model:
            # A workflow without a model of its own is no fault of the person who asks.
            model = self._rule_of(request.session).model or self._model_of_bot(request.session)
        return self._at_hand(request, agent, model, chosen=chosen, refused=refused)

    def answering(self, request: TurnRequest) -> tuple[str, bool]:
        """The agent that answers, and whether it is a workflow; whatever the state of its model is."""
        agent = self._agent(request.session, request.agent)
        return agent, self._parts.of(agent).workflow

    def offered(self, session: SessionKey) -> tuple[str, ...]:
        """The agents that a session may have, the default first.

        Raises:
            TurnFailed: its bot has agents of its own, and there is no card of any.
        """
        return self._own_agents(session) or self.agents

    def _own_agents(self, session: SessionKey) -> tuple[str, ...]:
        """The agents that the session's bot has of its own, the default first; empty: it has all.

        Raises:
            TurnFailed: there is no card of any.
        """
        own = self._bots.entry(session).agents if self._bots is not None else ()
        found = tuple(name for name in own if self._choosable(name))
        if own and not found:
            # Another bot's agent must not answer in their place.
            raise faults.no_agent(own)
        return found

    def _model_of_bot(self, session: SessionKey) -> str | None:
        return self._bots.entry(session).model if self._bots is not None else None

    def isolated(self, session: SessionKey, chosen: str | None) -> bool:
        """Whether a session's turns need a process of its own: the operator's file says so, or a card that takes part.

        Args:
            session: Whose turns.
            chosen: The agent that the session has chosen; None for the default.
        """
        if self._rule_of(session).isolation == "process":
            return True
        marked = {name for name, data in self._fast.agents.items() if _is_isolated(data)}
        with suppress(TurnFailed):  # its bot has no agent, so none runs
            return bool(marked) and not marked.isdisjoint(self._parts.of(self._agent(session, chosen)).members)
        return False

    def _agent(self, session: SessionKey, chosen: str | None) -> str:
        wishes = (chosen, self._rule_of(session).agent)
        own = self._own_agents(session)
        may_be = own.__contains__ if own else self._choosable
        agent = next((name for name in wishes if name is not None and may_be(name)), None)
        return agent or (own[0] if own else self.default)

    def _no_model(self, agent: str, model: str) -> str | None:
        """Why a session cannot have a model, as a sentence for the user; None if it can."""
        if model not in self._settings.models:
            return texts.no_such_model(model)
        return texts.model_does_not_apply(agent, model) if self._parts.of(agent).without_model else None

    def _at_hand(
        self, request: TurnRequest, agent: str, wanted: str | None, *, chosen: bool, refused: dict[str, str]
    ) -> ModelChoice:
        """Choose a model that the breaker lets through: the wanted one, else the fallback.

        Args:
            request: The turn.
            agent: The agent that answers.
            wanted: The session's model, else the operator's for it.
            chosen: It is the session's.
            refused: The session's choices that do not apply.

        Raises:
            TurnFailed: as ``of``.
        """
        config = self._fast.context.config
        model = wanted or self.own_model(agent) or (config.default_model if config else None) or "default"
        caller, part = Caller.of(request), self._parts.of(agent)
        wait = self._breaker.wait(model, caller)
        if wait <= 0:
            return ModelChoice(agent, model, wanted, part.speakers, part.members, part.workflow, chosen, refused)
        fallback = self._settings.fallback_model
        if fallback and fallback != model and self._breaker.wait(fallback, caller) <= 0:
            return ModelChoice(agent, fallback, fallback, part.speakers, part.members, part.workflow, refused=refused)
        raise faults.paused(model, wait)

    def several_models(self, choice: ModelChoice) -> bool:
        """Whether a turn of this choice calls more models than ``choice.model``: its members bring their own."""
        if not choice.workflow or choice.switch is not None:
            return False
        return len({self.own_model(member) or choice.model for member in choice.members}) > 1

    def reads(self, model: str) -> Callable[[str], bool]:
        """Make a function that tells whether a model reads a MIME type. One unknown to fast-agent reads no files."""
        if model not in self._reads:
            info = self._known(model, lambda resolved: resolved.build_model_info())
            self._reads[model] = lambda mime: info is not None and info.supports_mime(mime, resource_source="embedded")
        return self._reads[model]

    def facts(self, model: str) -> tuple[str, ...]:
        """What is known of a model without asking its provider, as people are told it (``model_lines``)."""
        if model not in self._facts:
            reads = self.reads(model)
            provider, kinds = self._provider(model), (kind for kind, mime in KINDS.items() if reads(mime))
            self._facts[model] = (provider, *kinds)
        return self._facts[model]

    def _provider(self, model: str) -> str:
        """The name of a model's provider; empty where the model's own name begins with it, or it is no company's."""
        found = self._known(model, lambda resolved: resolved.provider)
        named = "" if found is None else _PROVIDERS.get(found.value, found.display_name)
        return "" if named.casefold() == model.partition(".")[0].casefold() else named

    def _known[T](self, model: str, what: Callable[[ResolvedModelSpec], T]) -> T | None:
        """What fast-agent knows of a model; None for one that does not exist."""
        references = get_context_model_references(self._fast.context)
        try:
            return what(ModelFactory.resolve_model_spec(resolve_model_reference(model, references)))
        except Exception:  # noqa: BLE001 - several kinds for a model that does not exist
            return None

    def needed(self, agent: str) -> frozenset[str]:
        """The agents without which an agent gives no answer: itself, and all members of a workflow that asks each."""
        return self._parts.of(agent).needed

    def _choosable(self, agent: str) -> bool:
        return agent in self._fast.agents and not self._fast.agents[agent].get("tool_only", False)


def _is_isolated(data: Any) -> bool:
    return getattr(data.get("config"), ISOLATION_MARK, None) == "process"
