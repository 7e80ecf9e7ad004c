"""Limits one model call to its turn's allowance, and cleans the message that it returns."""

from collections.abc import Awaitable, Callable
from typing import Any

from fast_agent.llm.provider_types import Provider
from fast_agent.llm.stream_types import StreamChunk
from fast_agent.types import LlmStopReason, PromptMessageExtended
from mcp_types import TextContent

from tasks.text import clean, cleaned
from workers.runtime.call_log import CallLog, ModelCall, message_in, usage_listener
from workers.runtime.spans import ModelSpan
from workers.runtime.streams.meter import CALLS_KEPT, CHARACTERS_A_TOKEN, AnswerCut, Meter, metering
from workers.usage import Usage


async def within(
    call_log: CallLog,
    call: ModelCall,
    llm: Any,
    execute: Callable[..., Awaitable[Any]],
    *args: Any,
    traced: ModelSpan | None = None,
    **kwargs: Any,
) -> Any:
    """Run one model call within its turn's allowance. An answer that exceeds it is cut there."""
    meter = Meter(call_log.left) if traced is None else traced.metered(call_log.left)
    token = metering.set(meter)
    try:
        result = await execute(llm, *args, **kwargs)
    except AnswerCut:
        meter.over = True
        _charge(call, llm, meter)
        result = _cut(llm, meter, structured="structured" in args[0].__name__)
    except BaseException:
        _charge(call, llm, meter)
        raise
    finally:
        metering.reset(token)
        call.wait, call.said = meter.wait, meter.status
    message = message_in(result)
    if message is not None:
        _tidy(message, meter)
        # An error's text is fast-agent's, and an echo costs nothing.
        if message.stop_reason != LlmStopReason.ERROR and llm.provider is not Provider.FAST_AGENT:
            _charge(call, llm, meter)
    call_log.cut = call_log.cut or meter.over
    return result


def _charge(call: ModelCall, llm: Any, meter: Meter) -> None:
    """Charge a call by the characters that were read, if its provider states no count of tokens."""
    if meter.taken and not call.metered:
        call.model, call.output_tokens = llm.model_name or "", meter.taken // CHARACTERS_A_TOKEN
        usage_listener.get()(Usage(0, call.output_tokens, call.model))


def _cut(llm: Any, meter: Meter, *, structured: bool) -> Any:
    """Make the result of a call that was cut: its text so far; for structured output fast-agent expects a pair."""
    text = "".join(meter.said)
    message = PromptMessageExtended(
        role="assistant",
        content=[TextContent(type="text", text=text)] if text.strip() else [],
        stop_reason=LlmStopReason.MAX_TOKENS,
    )
    llm._notify_stream_listeners(StreamChunk(event="commit"))  # noqa: SLF001 - as its own end would have done
    return (None, message) if structured else message


def _tidy(message: PromptMessageExtended, meter: Meter) -> None:
    """Clean a message's texts, and drop text and tool calls beyond the limits."""
    streamed = sum(map(len, meter.said))
    for block in message.content:
        if isinstance(block, TextContent):
            text = clean(block.text)
            fits, streamed = text[:streamed], max(streamed - len(text), 0)
            # Text that did not come by a stream has not been counted yet.
            block.text = fits + meter.text(text[len(fits) :]) if len(fits) < len(text) else text
    for blocks in (message.channels or {}).values():
        for block in blocks:
            if isinstance(block, TextContent):
                block.text = clean(block.text)
    if message.tool_calls:
        calls = list(message.tool_calls.items())[:CALLS_KEPT]
        for _, call in calls:
            call.params.name = clean(call.params.name)
            call.params.arguments = cleaned(call.params.arguments)
        message.tool_calls = {clean(number): call for number, call in calls}
    if meter.over:
        message.stop_reason = LlmStopReason.MAX_TOKENS
        message.tool_calls = None
