"""Logs the model calls of one turn: every call of every agent in it, its tokens, its fault."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from fast_agent.constants import FAST_AGENT_ERROR_CHANNEL, FAST_AGENT_PROVIDER_ERROR
from fast_agent.llm.provider.error_utils import is_empty_completion
from fast_agent.types import LlmStopReason, PromptMessageExtended

from workers.runtime.faults.model_fault import ModelFault
from workers.runtime.streams.meter import allowance
from workers.usage import CallSeen, Usage, not_counted, not_noted

FILES_MOST = 20 * 2**20
"""Characters of base64 that tools' files may have in one turn: each further call of its models carries all of them."""

# As ``card_hooks`` words it.
_HOOK = re.compile(r"hook \w+ \([^()]*\) raised \w+")


@dataclass(slots=True)
class ModelCall:
    """One call of a model."""

    agent: str
    """The agent that called the model."""
    provider: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""
    fault: ModelFault | None = None
    """The fault that the call raised, or returned as a message."""
    unfinished: bool = False
    """Its stream ended without a stop reason."""
    wait: float = 0.0
    """Seconds until its server wants to be asked again."""
    said: int | None = None
    """The HTTP status that an error in its stream stands for."""

    def took(self, message: PromptMessageExtended | None) -> None:
        """Note what the call returned."""
        if message is not None:
            self.fault, self.unfinished = self.told(fault_of(message)), unfinished(message)

    def told(self, fault: ModelFault | None) -> ModelFault | None:
        """A fault with what its server said beside it."""
        return fault and replace(fault, status=fault.status or self.said, wait=fault.wait or self.wait)

    def seen(self, seconds: float, asked: str) -> CallSeen:
        """What a timeline shows of it; ``asked``: the model's name, where the provider did not state it."""
        model, failed = self.model or asked, not self.finished
        return CallSeen(self.agent, model, seconds, self.input_tokens, self.output_tokens, failed)

    @property
    def metered(self) -> bool:
        """Whether the call's tokens are counted."""
        return bool(self.model)

    @property
    def finished(self) -> bool:
        """Whether it gave an answer that is whole."""
        return self.fault is None and not self.unfinished

    @property
    def usage(self) -> Usage:
        """What it cost."""
        return Usage(self.input_tokens, self.output_tokens, self.model)


@dataclass(slots=True)
class CallLog:
    """The model calls of one turn, those of child agents and workflow members included."""

    calls: list[ModelCall] = field(default_factory=list[ModelCall])
    over: bool = False
    """The turn has ended: further calls are refused."""
    left: dict[str, int] = field(default_factory=allowance)
    """Characters that the models may still write, by kind (``streams.meter``)."""
    cut: bool = False
    """A call was ended because it used up ``left``."""
    files: int = FILES_MOST
    """Characters of tools' files that may still come."""
    events: int = 0
    """Warnings of fast-agent in this turn."""
    snapshots: list[Any] = field(default_factory=list[Any])
    """Copies of the user's message that fast-agent holds; ``forget`` empties them."""

    @contextmanager
    def call(self, agent: str, provider: str) -> Generator[ModelCall]:
        """Log a model call, and the fault that it raises.

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
            call.fault = call.told(ModelFault.of(problem))
            raise

    @contextmanager
    def timed(self, model: str) -> Generator[None]:
        """Around ``call`` and the reading of what it gave: its times are told when that is known.

        Args:
            model: The name that was asked for.
        """
        began, before = time.monotonic(), len(self.calls)
        try:
            yield
        finally:
            # Calls of other agents of this turn may have begun meanwhile, behind ours.
            if len(self.calls) > before:
                call_listener.get()(self.calls[before].seen(time.monotonic() - began, model))

    @contextmanager
    def replayed(self) -> Generator[None]:
        """A call that an earlier try of the turn made.

        Raises:
            asyncio.CancelledError: the turn is over.
        """
        if self.over:
            raise asyncio.CancelledError
        yield

    def usage(self, model: str) -> Usage:
        """Sum the tokens of all calls; ``model`` is the name to use if no call states one."""
        used = [call for call in self.calls if call.metered]
        return Usage(
            input_tokens=sum(call.input_tokens for call in used),
            output_tokens=sum(call.output_tokens for call in used),
            model=used[-1].model if used else model,
        )

    def forget(self) -> None:
        """Empty fast-agent's copies of the user's message, which timers of the turn would hold for minutes."""
        for snapshot in self.snapshots:
            object.__setattr__(snapshot, "content", ())


call_log_of_turn: ContextVar[CallLog | None] = ContextVar("call_log_of_turn", default=None)
"""Set in a turn's task; every model call in that task is logged there."""


call_listener: ContextVar[Callable[[CallSeen], None]] = ContextVar("call_listener", default=not_noted)
"""Set for a turn; called with each model call that ended."""


usage_listener: ContextVar[Callable[[Usage], None]] = ContextVar("usage_listener", default=not_counted)
"""Set for a turn; called with the usage of each model call."""


def listen(spent: Callable[[Usage], None], called: Callable[[CallSeen], None]) -> None:
    """For the turn of this task: what is told of its calls' costs, and of the calls."""
    usage_listener.set(spent)
    call_listener.set(called)


def channel(message: PromptMessageExtended, name: str) -> str:
    """The text of one channel, empty when there is none."""
    blocks = (message.channels or {}).get(name, ())
    return "\n".join(str(getattr(block, "text", "")) for block in blocks)


def message_in(result: Any) -> PromptMessageExtended | None:
    """Find the message in what a provider's call returned."""
    if isinstance(result, PromptMessageExtended):
        return result
    parts: tuple[Any, ...] = result if isinstance(result, tuple) else ()
    return next((part for part in parts if isinstance(part, PromptMessageExtended)), None)


def unfinished(message: PromptMessageExtended) -> bool:
    """Whether a message's stream ended without a stop reason (``patches.stream_end`` marks it)."""
    return message.stop_reason == LlmStopReason.TIMEOUT


def unusable(message: PromptMessageExtended) -> bool:
    """Whether a model wrote no text, or something that its provider could not use (half a tool call)."""
    return _unusable_call(message) or is_empty_completion(message)


def _unusable_call(message: PromptMessageExtended) -> bool:
    """Whether an error has no text, neither in its channels nor in its content: every other kind of error has one."""
    told = channel(message, FAST_AGENT_ERROR_CHANNEL) or channel(message, FAST_AGENT_PROVIDER_ERROR)
    return message.stop_reason == LlmStopReason.ERROR and not (told or message.all_text().strip())


def fault_of(message: PromptMessageExtended) -> ModelFault | None:
    """Read the fault that a returned message reports; None for an answer.

    The provider's error stands in a channel, as JSON: ``{"error_type": str, "status": int or null, ...}``.
    """
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
    # An error within a stream has the status of the stream, which began well.
    status = status if isinstance(status, int) and status >= HTTPStatus.MULTIPLE_CHOICES else None
    return ModelFault((kind,), status, text.casefold(), hook[0] if hook else "")
