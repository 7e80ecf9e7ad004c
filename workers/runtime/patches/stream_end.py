"""The ends of streams in fast-agent's providers are those of ``streams.ends``.

fast-agent takes a stream that ends for an answer, runs what has come of a tool call, and knows few reasons to stop.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from importlib import import_module
from typing import Any

from fast_agent.types import LlmStopReason

from workers.runtime.patches import pictures
from workers.runtime.patches.pictures import Drawn
from workers.runtime.streams import ends
from workers.runtime.streams.ends import UNFINISHED, UnfinishedStreamError, meaning, reason_of

type _Async = Callable[..., Awaitable[Any]]


class _Passed:
    """A stream with other events and the rest of its attributes."""

    def __init__(self, stream: Any, events: AsyncIterator[Any]) -> None:
        self._stream = stream
        self._events = events

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._events


# -- chat completions


def chat(original: _Async) -> _Async:
    """``OpenAILLM._process_stream``."""

    async def process_stream(self: Any, stream: Any, *args: Any, **kwargs: Any) -> Any:
        ended: list[None] = []
        delta_of = import_module("openai.types.chat.chat_completion_chunk").ChoiceDelta
        drawn = Drawn()
        events = pictures.of_chat(ends.chat(stream, partial(ended.append, None), delta_of), drawn, delta_of)
        completion, reasoning = await original(self, _Passed(stream, events), *args, **kwargs)
        if drawn.marks:
            message = completion.choices[0].message
            message.content = drawn.behind(message.content)
        if ended:
            completion.choices[0].finish_reason = UNFINISHED
        return completion, reasoning

    return process_stream


def chat_stop(original: _Async) -> _Async:
    """``OpenAILLM._openai_stop_result``, which also sees answers that did not come as a stream."""

    async def stop_result(self: Any, choice: Any, message: Any) -> Any:
        reason = reason_of(choice.finish_reason)
        ended = meaning(reason) if reason else "stop"
        if ended == "error":
            raise UnfinishedStreamError
        if ended == "length" and message.tool_calls:
            message.tool_calls = None
        result = await original(self, choice, message)
        if ended == "filter" or (isinstance(message.refusal, str) and message.refusal.strip()):
            result.stop_reason, result.requested_tool_calls = LlmStopReason.SAFETY, None
        elif ended == "length":
            result.stop_reason = LlmStopReason.MAX_TOKENS
        elif choice.finish_reason == UNFINISHED:
            result.stop_reason = LlmStopReason.TIMEOUT
        return result

    return stop_result


# -- responses


def responses(original: _Async) -> _Async:
    """``ResponsesStreamingMixin._process_stream``."""

    async def process_stream(self: Any, stream: Any, *args: Any, **kwargs: Any) -> Any:
        drawn = Drawn()
        events = ends.responses(stream, import_module("openai.types.responses").Response.construct)
        response, summary = await original(self, _Passed(stream, pictures.of_responses(events, drawn)), *args, **kwargs)
        return pictures.in_response(ends.whole_items(response), drawn), summary

    return process_stream


def responses_stream(_: Callable[..., Any]) -> Callable[..., Any]:
    """``ResponsesLLM._response_sse_stream``: events as they are read, without the client's own account of them, which
    raises at whatever is not as OpenAI sends it.
    """

    def sse_stream(_self: Any, *, client: Any, arguments: dict[str, Any], timeout_seconds: float | None = None) -> Any:
        opened = import_module("fast_agent.llm.provider.openai.responses_raw_stream").open_raw_responses_stream
        return opened(client=client, arguments=arguments, timeout_seconds=timeout_seconds, label="Responses")

    return sse_stream


def unseen(_: Callable[..., Any]) -> Callable[..., Any]:
    """``ResponsesOutputMixin._seen_tool_call_ids_state``, for which a call is a repetition when an earlier answer had
    one of its id: servers count their calls from one in each answer.
    """

    def seen_tool_call_ids(_self: Any) -> set[str]:
        return set()

    return seen_tool_call_ids


def responses_stop(original: Callable[..., Any]) -> Callable[..., Any]:
    """``_map_response_stop_reason``, for which a response that is incomplete for a new reason is whole."""

    def map_stop_reason(self: Any, response: Any) -> Any:
        reason = original(self, response)
        incomplete = getattr(response, "status", None) == "incomplete"
        return LlmStopReason.MAX_TOKENS if incomplete and reason == LlmStopReason.END_TURN else reason

    return map_stop_reason


# -- Anthropic


def anthropic(original: _Async) -> _Async:
    """``AnthropicLLM._process_stream``."""

    async def process_stream(self: Any, stream: Any, *args: Any, **kwargs: Any) -> Any:
        stop_of = import_module("anthropic.types.beta").BetaRawContentBlockStopEvent
        return await original(self, _Passed(stream, ends.anthropic(stream, stop_of)), *args, **kwargs)

    return process_stream


def anthropic_stop(original: _Async) -> _Async:
    """``AnthropicLLM._anthropic_stop_result`` that takes no missing reason and no half of a tool call."""

    async def stop_result(self: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        reason = reason_of(response.stop_reason)
        if reason is None:
            raise UnfinishedStreamError
        ended = meaning(reason)
        if ended != "stop":
            response.content = [block for block in response.content if block.type != "tool_use"]
        elif reason != "pause_turn" and any(block.type == "tool_use" for block in response.content):
            # Some servers end every answer alike, as of chat completions.
            response.stop_reason = "tool_use"
        if ended == "length":
            response.stop_reason = "max_tokens"
        result = await original(self, response, *args, **kwargs)
        if result.stop_reason == LlmStopReason.PAUSE:
            # The provider's own tools take longer than one answer; it goes on when it is sent back.
            result.stop_reason = LlmStopReason.CONTINUE
        return result

    return stop_result


# -- Google


def google(original: _Async) -> _Async:
    """``GoogleNativeLLM._consume_google_stream``, and the pictures that the model draws: fast-agent drops them."""

    async def consume(self: Any, response_stream: Any, **kwargs: Any) -> Any:
        types, drawn = import_module("google.genai.types"), Drawn()
        stream = pictures.of_google(ends.google(response_stream, types.Candidate), drawn)
        result = await original(self, stream, **kwargs)
        if drawn.marks and result is not None and result.candidates:
            said = result.candidates[0].content
            # Behind all else, so that a stream's text stays in one piece.
            said.parts = [*(said.parts or ()), types.Part(text=f"\n\n{drawn.text}")]
        return result

    return consume


def google_content(original: Callable[..., Any]) -> Callable[..., Any]:
    """``GoogleNativeLLM._google_response_with_content`` without calls that a limit or a filter ended."""

    def response(last_chunk: Any, final_content: Any) -> Any:
        candidates = last_chunk.candidates if last_chunk is not None else None
        reason = reason_of(candidates[0].finish_reason) if candidates else None
        if reason is not None and meaning(reason) != "stop":
            final_content.parts = [part for part in final_content.parts if part.function_call is None]
        return original(last_chunk, final_content)

    return response


def google_call(original: Callable[[Any, Any, Any], None]) -> Callable[[Any, Any, Any], None]:
    """``GoogleNativeLLM._handle_google_function_call_part``, for which all calls of a stream are one: the last."""

    def function_call_part(self: Any, state: Any, part: Any) -> None:
        call = part.function_call
        if call is not None and call.name:
            # A piece of a call that goes on has no name.
            self._close_google_active_tool(state)
        original(self, state, part)

    return function_call_part
