"""What the models did in one turn: every call of every agent in it, its tokens, its fault."""

import asyncio
import json
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from fast_agent.constants import FAST_AGENT_ERROR_CHANNEL, FAST_AGENT_PROVIDER_ERROR
from fast_agent.llm.provider.error_utils import is_empty_completion
from fast_agent.types import LlmStopReason, PromptMessageExtended

from workers.interfaces import Usage, not_counted
from workers.runtime.faults import ModelFault
from workers.runtime.streams.meter import allowance

FILES_MOST = 20 * 2**20
"""Characters of base64 that tools' files may have in one turn: each further call of its models carries all of them."""

# As ``card_hooks`` words it.
_HOOK = re.compile(r"hook \w+ \([^()]*\) raised \w+")


@dataclass(slots=True)
class ModelCall:
    """One call of a model, of whichever agent. ``fault``: it failed, raised or returned as a message.

    ``unfinished``: its stream ended without a word that it was whole.
    """

    agent: str
    provider: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""
    fault: ModelFault | None = None
    unfinished: bool = False

    def took(self, message: PromptMessageExtended | None) -> None:
        """Note what the call returned."""
        if message is not None:
            self.fault, self.unfinished = fault_of(message), unfinished(message)

    @property
    def metered(self) -> bool:
        return bool(self.model)


@dataclass(slots=True)
class CallLog:
    """What the models did in one turn; child agents and workflow members included.

    ``over``: no call may begin now. ``left``: what may still be said (``meter``). ``cut``: a call was ended for that.
    ``events``: fast-agent's warnings in it. ``snapshots``: what fast-agent keeps of the user's message (``forget``).
    ``files``: characters of tools' files that may still come.
    """

    calls: list[ModelCall] = field(default_factory=list[ModelCall])
    over: bool = False
    left: dict[str, int] = field(default_factory=allowance)
    cut: bool = False
    files: int = FILES_MOST
    events: int = 0
    snapshots: list[Any] = field(default_factory=list[Any])

    @contextmanager
    def call(self, agent: str, provider: str) -> Generator[ModelCall]:
        """A call of a model, noted with the fault that it raises.

        Raises:
            asyncio.CancelledError: the turn is over.
        """
        if self.over:
            raise asyncio.CancelledError
        call = ModelCall(agent, provider)
        self.calls.append(call)
        try:
            yield call
        except Exception as problem:
            call.fault = ModelFault.of(problem)
            raise

    def usage(self, model: str) -> Usage:
        """Tokens over all calls; ``model`` names it where no call told."""
        used = [call for call in self.calls if call.metered]
        return Usage(
            input_tokens=sum(call.input_tokens for call in used),
            output_tokens=sum(call.output_tokens for call in used),
            model=used[-1].model if used else model,
        )

    def forget(self) -> None:
        """The turn is over: fast-agent's snapshots are empty. Timers of the turn would hold them for minutes."""
        for snapshot in self.snapshots:
            object.__setattr__(snapshot, "content", ())


call_log_of_turn: ContextVar[CallLog | None] = ContextVar("call_log_of_turn", default=None)
"""Set in a turn's task; every model call made under it is noted there."""


usage_listener: ContextVar[Callable[[Usage], None]] = ContextVar("usage_listener", default=not_counted)
"""Set for a turn: told what each model call has cost."""


def channel(message: PromptMessageExtended, name: str) -> str:
    """The text of one channel, empty when there is none."""
    blocks = (message.channels or {}).get(name, ())
    return "\n".join(str(getattr(block, "text", "")) for block in blocks)


def message_in(result: Any) -> PromptMessageExtended | None:
    """The message in what a provider's call returned."""
    parts: tuple[Any, ...] = result if isinstance(result, tuple) else (result,)
    return next((part for part in parts if isinstance(part, PromptMessageExtended)), None)


def unfinished(message: PromptMessageExtended) -> bool:
    """Whether its stream ended without a word that it was whole (``stream_end`` marks it so)."""
    return message.stop_reason == LlmStopReason.TIMEOUT


def unusable(message: PromptMessageExtended) -> bool:
    """Whether a model said nothing, or something that its provider could not use (half a tool call)."""
    return _unusable_call(message) or is_empty_completion(message)


def _unusable_call(message: PromptMessageExtended) -> bool:
    """Every other error says something, in its channels or in its text."""
    told = channel(message, FAST_AGENT_ERROR_CHANNEL) or channel(message, FAST_AGENT_PROVIDER_ERROR)
    return message.stop_reason == LlmStopReason.ERROR and not (told or message.all_text().strip())


def fault_of(message: PromptMessageExtended) -> ModelFault | None:
    """The fault that a returned message tells of, if it does."""
    if message.stop_reason != LlmStopReason.ERROR:
        return None
    if _unusable_call(message):
        return ModelFault(("UnusableAnswerError",))
    raw = channel(message, FAST_AGENT_PROVIDER_ERROR)
    told: dict[str, Any] = json.loads(raw) if raw else {}
    status = told.get("status")
    text = channel(message, FAST_AGENT_ERROR_CHANNEL) or message.all_text()
    kind = str(told.get("error_type") or "unknown error")
    hook = _HOOK.search(text)
    return ModelFault((kind,), status if isinstance(status, int) else None, text.casefold(), hook[0] if hook else "")
