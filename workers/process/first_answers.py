"""What models' clients build at a first request and answer, for a process that others are forked from."""

import platform
import sys
from importlib import import_module
from typing import Any

from workers.runtime.patches import shortcuts

_BUILT = {
    "openai.resources.chat.chat": (
        "openai.types.chat:ChatCompletionChunk",
        "openai.types.chat:ChatCompletionMessage",
        "openai.types:CompletionUsage",
    ),
}
"""Types of answers, by the module of the client. Each builds its reader when the first one comes, for 10 ms in all."""
_READ = {
    "openai.resources.responses.responses": ("openai.types.responses:ResponseStreamEvent", "response.completed"),
    "anthropic.resources.beta.messages.messages": ("anthropic.types.beta:BetaRawMessageStreamEvent", "message_start"),
}
"""Unions of events, each with one of them, by the module of the client: half a second and 40 MiB in all."""
_TYPES = "openai.types"
_SENT = {
    "openai.resources.chat.chat": f"{_TYPES}.chat.completion_create_params:CompletionCreateParamsStreaming",
    "openai.resources.responses.responses": f"{_TYPES}.responses.response_create_params:ResponseCreateParamsStreaming",
}
"""Types of requests, whose names are looked through once."""


def build() -> None:
    """Build it for the clients that are loaded."""
    platform.platform()  # An agent's instructions may name it, and a process is started to ask.
    for client, types in _BUILT.items():
        for name in types if client in sys.modules else ():
            _named(name).model_rebuild()
    for client, (events, one) in _READ.items():
        if client in sys.modules:
            models = import_module(f"{client.partition('.')[0]}._models")
            models.construct_type(type_=_named(events), value={"type": one})
    for client, body in _SENT.items():
        if client in sys.modules:
            shortcuts.renames(_named(body))


def _named(name: str) -> Any:
    module, _, member = name.partition(":")
    return getattr(import_module(module), member)
