"""Spans of agents, model calls and tool calls, in the words of OpenTelemetry's conventions for generative AI.

Names and values are those of https://github.com/open-telemetry/semantic-conventions-genai. What people, models and
tools say is an attribute only where COHORT_TRACES=text asks for it.
"""

import json
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, override

from fast_agent.types import LlmStopReason, PromptMessageExtended
from mcp_types import CallToolResult

from tasks.telemetry import tracing
from tasks.telemetry.tracing import TraceSpan
from workers.runtime.call_log import ModelCall
from workers.runtime.streams.meter import Meter

MOST = 32_768
"""Characters of text that one attribute has; of a longer conversation the newest messages."""

_PROVIDERS: Mapping[str, str] = {
    "google": "gcp.gemini",
    "googleoai": "gcp.gemini",
    "anthropic-vertex": "gcp.vertex_ai",
    "responses": "openai",
    "codexresponses": "openai",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "xai": "x_ai",
    "mistral": "mistral_ai",
}
"""The convention's names of providers that fast-agent names in another way."""

_FINISHED: Mapping[LlmStopReason, str] = {
    LlmStopReason.END_TURN: "stop",
    LlmStopReason.STOP_SEQUENCE: "stop",
    LlmStopReason.MAX_TOKENS: "length",
    LlmStopReason.TOOL_USE: "tool_call",
    LlmStopReason.SAFETY: "content_filter",
    LlmStopReason.ERROR: "error",
}


def agent(name: str, model: str | None = None) -> TraceSpan:
    """An agent works: the turn's, or one that another agent calls as its tool."""
    span = tracing.step(f"invoke_agent {name}")
    if span:
        span.set("gen_ai.operation.name", "invoke_agent")
        span.set("gen_ai.agent.name", name)
        span.set("gen_ai.request.model", model)
    return span


# -- model calls


@dataclass(slots=True)
class TimedMeter(Meter):
    """A meter that knows when a call's first event came."""

    first_at: float | None = None

    @override
    def take(self, event: dict[str, Any]) -> bool:
        if self.first_at is None:
            self.first_at = time.monotonic()
        return super(TimedMeter, self).take(event)


@dataclass(slots=True)
class ModelSpan:
    """One call of a model that is traced."""

    span: TraceSpan
    begun: float = field(default_factory=time.monotonic)
    meter: TimedMeter | None = None

    def metered(self, left: dict[str, int]) -> Meter:
        """The call's meter."""
        self.meter = TimedMeter(left)
        return self.meter

    def ended(self, call: ModelCall, message: PromptMessageExtended | None) -> None:
        """The call ended, perhaps with a fault that fast-agent returned."""
        span = self.span
        if call.fault is not None:
            span.failed(call.fault.kinds[0] if call.fault.kinds else "unknown")
        elif call.unfinished:
            span.failed("unfinished")
        span.set("gen_ai.response.model", call.model or None)
        if call.metered:
            span.set("gen_ai.usage.input_tokens", call.input_tokens)
            span.set("gen_ai.usage.output_tokens", call.output_tokens)
        if self.meter is not None and self.meter.first_at is not None:
            span.set("gen_ai.response.time_to_first_chunk", round(self.meter.first_at - self.begun, 4))
        if message is not None and message.stop_reason is not None:
            span.set("gen_ai.response.finish_reasons", [_finished(message)])
        if message is not None and call.fault is None and tracing.has_texts():
            span.set("gen_ai.output.messages", _said([message], finished=True))


@contextmanager
def model_call(llm: Any, asked: Sequence[Any]) -> Generator[ModelSpan | None]:
    """Around one call of a model; None where it is not traced.

    Args:
        llm: fast-agent's object for the model.
        asked: What fast-agent calls: a function of the provider, the conversation, and more.
    """
    model = str(llm.model_name or "")
    span = tracing.step(f"chat {model}".strip(), "client")
    if not span:
        yield None
        return
    with span:
        provider = str(llm.provider.config_name)
        span.set("gen_ai.operation.name", "chat")
        span.set("gen_ai.provider.name", _PROVIDERS.get(provider, provider))
        span.set("gen_ai.request.model", model)
        span.set("gen_ai.request.stream", value=True)
        span.set("gen_ai.agent.name", llm.name or None)
        if tracing.has_texts():
            span.set("gen_ai.input.messages", _said(asked[1]))
        yield ModelSpan(span)


def replayed(llm: Any) -> TraceSpan:
    """A model call that an earlier try of the turn made: it costs nothing now."""
    span = tracing.step(f"chat {llm.model_name or ''}".strip(), "internal")
    span.set("cohort.step", "replayed")
    return span


# -- tool calls


def tool_call(agent_name: str, name: str, call_id: str | None, arguments: Mapping[str, Any] | None) -> TraceSpan:
    """A tool is called."""
    span = tracing.step(f"execute_tool {name}")
    if span:
        span.set("gen_ai.operation.name", "execute_tool")
        span.set("gen_ai.tool.name", name)
        span.set("gen_ai.tool.call.id", call_id)
        span.set("gen_ai.agent.name", agent_name or None)
        span.set("cohort.step", "live")
        if tracing.has_texts():
            span.set("gen_ai.tool.call.arguments", _cut(_json(arguments or {})))
    return span


def tool_ended(span: TraceSpan, result: CallToolResult) -> None:
    """What a tool gave."""
    if not span:
        return
    if result.is_error:
        span.failed("tool_error")
    if tracing.has_texts():
        span.set("gen_ai.tool.call.result", _cut(_texts(result)))


# -- what was said


def _finished(message: PromptMessageExtended) -> str:
    reason = message.stop_reason
    return _FINISHED.get(reason, str(getattr(reason, "value", reason))) if reason is not None else "stop"


def _said(messages: Sequence[PromptMessageExtended], *, finished: bool = False) -> str:
    """Messages in the form of the convention, the newest first taken, as far as there is room."""
    kept: list[str] = []
    room = MOST
    for message in reversed(messages):
        told: dict[str, Any] = {"role": message.role, "parts": _parts(message)}
        if finished:
            told["finish_reason"] = _finished(message)
        written = _json(told)
        room -= len(written)
        if room < 0 and kept:
            break
        if room < 0:
            written = _json({**told, "parts": [{"type": "text", "content": _cut(written)}]})
        kept.append(written)
    return f"[{', '.join(reversed(kept))}]"


def _parts(message: PromptMessageExtended) -> list[dict[str, Any]]:
    """Texts and calls; a file is named by its type only."""
    parts: list[dict[str, Any]] = [
        {"type": "tool_call_response", "id": number, "response": _texts(result)}
        for number, result in (message.tool_results or {}).items()
    ]
    for block in message.content:
        text = getattr(block, "text", None)
        parts.append({"type": "text", "content": text} if isinstance(text, str) else {"type": str(block.type)})
    parts += [
        {"type": "tool_call", "id": number, "name": call.params.name, "arguments": call.params.arguments}
        for number, call in (message.tool_calls or {}).items()
    ]
    return parts


def _texts(result: CallToolResult) -> str:
    return "\n".join(text for block in result.content if isinstance(text := getattr(block, "text", None), str))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _cut(text: str) -> str:
    return text if len(text) <= MOST else f"{text[:MOST]}…"
