"""A stream without its end is no answer, and a blocked prompt is a refusal: what fast-agent passes as a plain end.

Anthropic names its reason to stop in the last but one event, Google in the last chunk; both count tokens long before,
so a count does not show that a stream was whole. Google says in ``prompt_feedback`` that it blocked a prompt, and then
sends no candidate.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

from workers.runtime.replacing import replace_once

_ANTHROPIC = "fast_agent.llm.provider.anthropic.llm_anthropic"
_GOOGLE = "fast_agent.llm.provider.google.llm_google_native"


class UnfinishedStreamError(Exception):
    """The stream ended without a reason to stop."""


class PromptBlockedError(Exception):
    """The provider did not let its model see the prompt."""


def _whole(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """``AnthropicLLM._anthropic_stop_result`` that takes no missing reason."""

    async def stop_result(self: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        if response.stop_reason is None:
            raise UnfinishedStreamError
        return await original(self, response, *args, **kwargs)

    return stop_result


def _finished(original: Callable[..., Any]) -> Callable[..., Any]:
    """``GoogleNativeLLM._google_response_with_content``, told the last chunk of a stream, likewise."""

    def response(last_chunk: Any, final_content: Any) -> Any:
        if last_chunk is not None:
            feedback = last_chunk.prompt_feedback
            if feedback is not None and feedback.block_reason:
                raise PromptBlockedError
            # Some servers send a count alone at the very end.
            if last_chunk.candidates and last_chunk.candidates[0].finish_reason is None:
                raise UnfinishedStreamError
        return original(last_chunk, final_content)

    return response


def install() -> None:
    """In the providers that are loaded. Cheap to call again."""
    if _ANTHROPIC in sys.modules:
        replace_once(sys.modules[_ANTHROPIC].AnthropicLLM, "_anthropic_stop_result", _whole)
    if _GOOGLE in sys.modules:
        replace_once(sys.modules[_GOOGLE].GoogleNativeLLM, "_google_response_with_content", _finished, static=True)
