"""Each call of a model of a turn passes its journal."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fast_agent.llm.stream_types import StreamChunk

from workers.runtime.call_log import CallLog, ModelCall, message_in
from workers.runtime.durable.journal import journal_of_turn

type Live = Callable[[], Awaitable[tuple[ModelCall, Any]]]


async def kept(llm: Any, call_log: CallLog, live: Live, *asked: Any) -> Any:
    """What an earlier try of the turn got for a call, or what the model says now.

    Args:
        llm: fast-agent's object for the model.
        call_log: The turn's.
        live: Makes the call.
        asked: What fast-agent calls: a function of the provider, the conversation, and more.
    """
    journal = journal_of_turn.get()
    if journal is None:
        return (await live())[1]
    step = journal.asking(llm.name or "", asked[1], _form(*asked))
    message = journal.answer_to(step)
    if message is not None:
        with call_log.replayed():
            llm._notify_stream_listeners(StreamChunk(text=message.all_text()))  # noqa: SLF001 - as its own end does
            llm._notify_stream_listeners(StreamChunk(event="commit"))  # noqa: SLF001
        return message
    with journal.under_way():
        call, result = await live()
        message = message_in(result)
        if message is not None and call.finished and not call_log.cut:
            journal.answered(step, message, call.usage)
    return result


def _form(call: Any, _messages: Any, wanted: Any = None, *_: Any) -> str:
    """What a model's answer is to be: a text, or fields of some names."""
    schema = wanted.model_json_schema() if isinstance(wanted, type) else getattr(wanted, "structured_schema", None)
    return f"{call.__name__} {json.dumps(schema, sort_keys=True, default=str) if schema else ''}"
