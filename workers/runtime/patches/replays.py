"""Calls of tools in a replayed history: fast-agent gives Google their results and leaves the calls themselves out.

Google refuses a result whose call does not stand before it (400), so a chat would be stuck once a tool had run.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fast_agent.types import PromptMessageExtended


def with_calls(original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """``GoogleConverter.convert_to_google_content`` that has the calls of an assistant's message, too."""
    types = import_module("google.genai.types")

    def convert(self: Any, messages: "Iterable[PromptMessageExtended]") -> list[Any]:
        contents: list[Any] = []
        for message in messages:
            made = original(self, [message])
            calls = [
                types.Part(function_call=types.FunctionCall(id=key, name=call.params.name, args=call.params.arguments))
                for key, call in (message.tool_calls or {}).items()
            ]
            if calls and made:
                made[-1].parts.extend(calls)
            elif calls:
                made = [types.Content(role="model", parts=calls)]
            contents.extend(made)
        return contents

    return convert
