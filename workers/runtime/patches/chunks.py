"""A streamed answer's chunks are read by pydantic's compiled validator: a quarter of a turn's processor time less.

OpenAI's client builds them in Python, to take whatever a server sends. What the validator refuses goes that way still.
fast-agent then looks for a count of tokens in each, by protocols, checked name by name; most plainly have none.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError

from workers.runtime.patches.patch import replace_once

_CLIENT = "openai._base_client"
_CHUNK = "openai.types.chat.chat_completion_chunk"
_PROVIDER = "fast_agent.llm.provider.openai.llm_openai"


def _validating(original: Callable[..., Any], chunk: Any) -> Callable[..., Any]:
    """``BaseClient._process_response_data`` that tries the validator first for chunks."""

    def process(self: Any, *, data: object, cast_to: type, response: Any) -> Any:
        if cast_to is chunk:
            try:
                return chunk.model_validate(data)
            except ValidationError:
                # A server that is not quite OpenAI.
                pass
        return original(self, data=data, cast_to=cast_to, response=response)

    return process


def _counting(original: Callable[[Any], Any], chunk: Any) -> Callable[[Any], Any]:
    """``_openai_usage`` that sees at once where a chunk can have none."""

    def usage(value: Any) -> Any:
        if type(value) is chunk and getattr(value, "usage", value) is None:
            choices = value.choices
            # Some servers count within a choice.
            if type(choices) is list and all(isinstance(one, BaseModel) and not one.model_extra for one in choices):
                return None
        return original(value)

    return usage


def install() -> None:
    """If OpenAI's client is loaded. Cheap to call again."""
    if _CLIENT not in sys.modules or _CHUNK not in sys.modules:
        return
    chunk = sys.modules[_CHUNK].ChatCompletionChunk
    replace_once(sys.modules[_CLIENT].BaseClient, "_process_response_data", partial(_validating, chunk=chunk))
    if _PROVIDER in sys.modules:
        replace_once(sys.modules[_PROVIDER], "_openai_usage", partial(_counting, chunk=chunk))
