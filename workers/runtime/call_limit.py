"""A model call's message as the turn goes on with it: whole text, within the turn's allowance, marked if it was cut."""

from collections.abc import Awaitable, Callable
from typing import Any

from fast_agent.llm.provider_types import Provider
from fast_agent.llm.stream_types import StreamChunk
from fast_agent.types import LlmStopReason, PromptMessageExtended
from mcp_types import TextContent

from tasks.text import clean, cleaned
from workers.interfaces import Usage
from workers.runtime.call_log import CallLog, ModelCall, message_in, usage_listener
from workers.runtime.streams.meter import CALLS_KEPT, CHARACTERS_A_TOKEN, AnswerCut, Meter, metering


async def within(
    call_log: CallLog, call: ModelCall, llm: Any, execute: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any
) -> Any:
    """Run one call of a model within its turn's allowance; an answer that goes over it is what came until then."""
    meter = Meter(call_log.left)
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
    message = message_in(result)
    if message is not None:
        _tidy(message, meter)
        # An error's text is fast-agent's, and an echo costs nothing.
        if message.stop_reason != LlmStopReason.ERROR and llm.provider is not Provider.FAST_AGENT:
            _charge(call, llm, meter)
    call_log.cut = call_log.cut or meter.over
    return result


def _charge(call: ModelCall, llm: Any, meter: Meter) -> None:
    """A call whose provider tells no count costs what was read of it: it was broken off, or its server never counts."""
    if meter.taken and not call.metered:
        call.model, call.output_tokens = llm.model_name or "", meter.taken // CHARACTERS_A_TOKEN
        usage_listener.get()(Usage(0, call.output_tokens, call.model))


def _cut(llm: Any, meter: Meter, *, structured: bool) -> Any:
    """What a call gives whose stream was ended: its text so far. ``structured``: fast-agent expects a pair then."""
    text = "".join(meter.said)
    message = PromptMessageExtended(
        role="assistant",
        content=[TextContent(type="text", text=text)] if text.strip() else [],
        stop_reason=LlmStopReason.MAX_TOKENS,
    )
    llm._notify_stream_listeners(StreamChunk(event="commit"))  # noqa: SLF001 - as its own end would have done
    return (None, message) if structured else message


def _tidy(message: PromptMessageExtended, meter: Meter) -> None:
    """Clean texts, no more of them than may be, and no more tool calls than are read."""
    streamed = sum(map(len, meter.said))
    for block in message.content:
        if isinstance(block, TextContent):
            text = clean(block.text)
            fits, streamed = text[:streamed], max(streamed - len(text), 0)
            # What no stream brought is counted now.
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
