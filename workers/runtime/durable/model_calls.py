"""Each call of a model of a turn passes its journal."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from fast_agent.constants import ANTHROPIC_ASSISTANT_RAW_CONTENT, OPENAI_ASSISTANT_MESSAGE_ITEMS
from fast_agent.llm.stream_types import StreamChunk
from fast_agent.types import PromptMessageExtended
from mcp_types import TextContent

from workers.runtime import spans
from workers.runtime.call_log import CallLog, ModelCall, message_in
from workers.runtime.durable import drawings
from workers.runtime.durable.journal import journal_of_turn
from workers.runtime.streams.thoughts import may_hold_thoughts, parted

_AS_SENT = (ANTHROPIC_ASSISTANT_RAW_CONTENT, OPENAI_ASSISTANT_MESSAGE_ITEMS)
"""The same text once more, as it came; without it fast-agent makes what a provider is sent of the message itself."""

type LiveModelCall = Callable[[], Awaitable[tuple[ModelCall, Any]]]


async def kept(llm: Any, call_log: CallLog, live: LiveModelCall, *asked: Any) -> Any:
    """What an earlier try of the turn got for a call, or what the model says now.

    Args:
        llm: fast-agent's object for the model.
        call_log: The turn's.
        live: Makes the call.
        asked: What fast-agent calls: a function of the provider, the conversation, and more.
    """
    journal = journal_of_turn.get()
    if journal is None:
        result = (await live())[1]
        without_thoughts(message_in(result))
        return result
    step = journal.asking(llm.name or "", asked[1], _form(*asked))
    message = journal.answer_to(step)
    if message is not None:
        await asyncio.to_thread(drawings.give_again, message)
        with call_log.replayed(), spans.replayed(llm):
            llm._notify_stream_listeners(StreamChunk(text=message.all_text()))  # noqa: SLF001 - as its own end does
            llm._notify_stream_listeners(StreamChunk(event="commit"))  # noqa: SLF001
        return message
    with journal.under_way():
        call, result = await live()
        message = message_in(result)
        without_thoughts(message)
        if message is not None and call.finished and not call_log.cut:
            journal.answered(step, drawings.noted(message), call.usage)
    return result


def without_thoughts(message: PromptMessageExtended | None) -> None:
    """Take out of a message what its model thought but wrote as text: neither answer nor history has it."""
    if message is None:
        return
    for place, block in enumerate(message.content):
        if isinstance(block, TextContent) and may_hold_thoughts(block.text):
            said = parted(block.text)[0].strip()
            if said == block.text.strip():
                return
            block.text = said
            message.channels = {
                name: blocks for name, blocks in (message.channels or {}).items() if name not in _AS_SENT
            } or None
            if not said and message.tool_calls:
                # Providers refuse a text that is empty.
                del message.content[place]
            return


def _form(call: Any, _messages: Any, wanted: Any = None, *_: Any) -> str:
    """What a model's answer is to be: a text, or fields of some names."""
    schema = wanted.model_json_schema() if isinstance(wanted, type) else getattr(wanted, "structured_schema", None)
    return f"{call.__name__} {json.dumps(schema, sort_keys=True, default=str) if schema else ''}"
