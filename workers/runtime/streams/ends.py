"""How each provider says that its answer is whole, and what ended it (pure: streams in, streams out).

What decides is the reason to stop (``finish_reason``, ``stop_reason``), else ``[DONE]``; a count of tokens decides only
where a server has neither. Each generator passes a stream on in the form that fast-agent takes for its plain case:
known reasons, tool calls only when they are whole. What is no answer is raised.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal

type EndReason = Literal["stop", "length", "filter", "error"]

UNFINISHED = "cohort_unfinished"
"""The reason to stop of an answer whose stream ended without one."""

_LENGTH = frozenset(
    {
        "length",
        "max_tokens",
        "max_output_tokens",
        "max_completion_tokens",
        "max_length",
        "model_length",
        "token_limit",
        "limit",
        "context_length_exceeded",
        "context_window_exceeded",
        "model_context_window_exceeded",
        "incomplete",
        "continuation",
    }
)
_FILTER = frozenset(
    {
        "content_filter",
        "content_filtered",
        "sensitive",
        "safety",
        "refusal",
        "recitation",
        "prohibited_content",
        "blocklist",
        "blocked",
        "spii",
        "language",
        "image_safety",
        "image_recitation",
        "image_prohibited_content",
        "guardrail_intervened",
        "error_toxic",
    }
)
_ERROR = frozenset(
    {
        "error",
        "network_error",
        "insufficient_system_resource",
        "abort",
        "aborted",
        "cancelled",
        "canceled",
        "timeout",
        "unavailable",
        "malformed_function_call",
    }
)
_NONE = frozenset({"", "null", "none", "finish_reason_unspecified"})

# A model that said nothing in so few tokens had no room to; one that used more has thought.
_NO_ROOM = 16


class UnfinishedStreamError(Exception):
    """The stream ended without a reason to stop."""


class PromptBlockedError(Exception):
    """The provider did not let its model see the prompt."""


class RefusedError(Exception):
    """The model declined."""


class LengthReachedError(Exception):
    """The model reached the limit of its answer before it said anything: while it thought, or within a tool call."""


class NoRoomError(Exception):
    """The prompt left the model no room for an answer."""


def reason_of(value: object) -> str | None:
    """A reason to stop as a word, None where it is none; Google's are members of an enumeration."""
    word = str(getattr(value, "value", value) or "").rpartition(".")[2].casefold()
    return None if word in _NONE else word


def meaning(reason: str) -> EndReason:
    """What a reason to stop says about the answer; one that is not known ends a whole one."""
    if reason in _LENGTH:
        return "length"
    if reason in _FILTER:
        return "filter"
    return "error" if reason in _ERROR else "stop"


# -- chat completions (OpenAI's and everything that speaks like it)


@dataclass(slots=True)
class _Chat:
    """What a stream has shown so far."""

    delta_of: Callable[[], Any]
    reason: str | None = None
    """The stop reason."""
    refusal: bool = False
    spoke: bool = False
    """There was text or reasoning."""
    called: bool = False
    held: list[Any] = field(default_factory=list[Any])
    """Chunks with tool calls, held until it is known that the calls are whole."""
    used: int | None = None
    counted_last: bool = False

    def take(self, chunk: Any) -> list[Any]:
        """The chunks that may go on now."""
        usage = getattr(chunk, "usage", None)
        if usage is not None:
            self.used = getattr(usage, "completion_tokens", None)
        self.counted_last = not chunk.choices and usage is not None
        if not chunk.choices:
            return [chunk]
        choice = chunk.choices[0]
        reason = None if choice.finish_reason is None else reason_of(choice.finish_reason)
        if choice.delta is None:
            choice.delta = self.delta_of()
        self._note(choice.delta)
        passed = [chunk]
        if choice.delta.tool_calls:
            choice.finish_reason = None
            self.held += passed
            self.called = True
            passed = []
        if reason is None:
            return passed
        self.reason = reason
        return self._end(passed)

    def _note(self, delta: Any) -> None:
        # As extra fields of other servers, these may be of any type.
        refusal = delta.refusal
        self.refusal = self.refusal or (isinstance(refusal, str) and bool(refusal.strip()))
        if not self.spoke:
            extra = delta.model_extra or {}
            thought = extra.get("reasoning_content") or extra.get("reasoning")
            self.spoke = bool(thought) or bool(delta.content and delta.content.strip())

    def _end(self, last: list[Any]) -> list[Any]:
        """What was held, if it is whole, and the chunk that ends it (if that was not held itself)."""
        held, self.held = self.held, []
        match meaning(self.reason or ""):
            case "error":
                raise UnfinishedStreamError
            case "stop":
                reason = "tool_calls" if held else "stop"
            case ended:
                reason = "length" if ended == "length" else "content_filter"
                for part in held:
                    part.choices[0].delta.tool_calls = None
        chunks = held + last
        chunks[-1].choices[0].finish_reason = reason
        return chunks

    def finish(self, *, done: bool) -> list[Any]:
        """At the end of the stream: what was still held.

        Raises:
            Exception: it was no answer.
        """
        if self.refusal:
            raise RefusedError
        if self.held and self.reason is None and not done and not self.counted_last:
            raise UnfinishedStreamError
        if self.reason is not None and meaning(self.reason) == "length" and not self.spoke:
            raise LengthReachedError if self.called or (self.used or 0) > _NO_ROOM else NoRoomError
        return self._end([]) if self.held else []


async def chat(
    stream: AsyncIterable[Any], unfinished: Callable[[], None], delta_of: Callable[[], Any]
) -> AsyncGenerator[Any]:
    """Chunks of a chat completion.

    Args:
        stream: As the client gives it.
        unfinished: Called where text ended without any sign of an end.
        delta_of: Makes the empty delta of a chunk that has none.
    """
    seen, any_chunk = _Chat(delta_of), False
    async for chunk in stream:
        any_chunk = True
        for passed in seen.take(chunk):
            yield passed
    done = bool(getattr(stream, "cohort_done", False))
    for passed in seen.finish(done=done):
        yield passed
    if any_chunk and seen.reason is None and not done and not seen.counted_last:
        unfinished()


# -- Google


async def google(stream: Any, candidate_of: Callable[..., Any]) -> AsyncGenerator[Any]:
    """Chunks of a generated content, each after the end with the reason to stop; ``candidate_of`` makes a candidate."""
    reason, any_chunk = None, False
    try:
        async for chunk in stream:
            any_chunk = True
            if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason:
                raise PromptBlockedError
            first = chunk.candidates[0] if chunk.candidates else None
            if first is not None and reason_of(first.finish_reason) is not None:
                reason = first.finish_reason
            elif reason is not None and first is not None:
                first.finish_reason = reason
            elif reason is not None:
                # A count alone.
                chunk.candidates = [candidate_of(finish_reason=reason)]
            yield chunk
    finally:
        with suppress(Exception):
            await stream.aclose()
    if any_chunk and reason is None:
        raise UnfinishedStreamError


# -- OpenAI's responses

RESPONSES_ENDS = frozenset({"response.completed", "response.done", "response.incomplete", "response.failed", "error"})
_CALLS = frozenset({"function_call", "custom_tool_call", "mcp_call", "computer_call", "local_shell_call"})


async def responses(stream: AsyncIterable[Any], response_of: Callable[..., Any]) -> AsyncGenerator[Any]:
    """Events of a response, of which one has to end it; ``response_of`` reads one that the client did not know."""
    ended = False
    async for event in stream:
        passed = event
        if getattr(event, "type", None) in RESPONSES_ENDS:
            ended = True
            said = getattr(event, "response", None)
            if isinstance(said, dict):
                event.response = response_of(**said)
            elif said is not None and not hasattr(said, "to_dict"):
                # Of a web socket: a view, which takes nothing that is put into it.
                passed = SimpleNamespace(type=event.type, response=response_of(**said.model_dump()))
        yield passed
    if not ended:
        raise UnfinishedStreamError


def whole_items(response: Any) -> Any:
    """A response without the calls that its length limit or a filter cut off.

    Raises:
        UnfinishedStreamError: it failed.
    """
    status = getattr(response, "status", None)
    if status in ("failed", "cancelled"):
        raise UnfinishedStreamError
    if status == "incomplete":
        response.output = [item for item in response.output or [] if getattr(item, "type", None) not in _CALLS]
    return response


# -- Anthropic


async def anthropic(stream: AsyncIterable[Any], stop_of: Callable[..., Any]) -> AsyncGenerator[Any]:
    """Events of a message; blocks that a limit or a filter left open are closed by events that ``stop_of`` makes."""
    begun: set[int] = set()
    async for event in stream:
        match getattr(event, "type", None):
            case "content_block_start":
                begun.add(event.index)
            case "content_block_stop":
                begun.discard(event.index)
            case "message_delta" if begun and meaning(reason_of(event.delta.stop_reason) or "") != "stop":
                for index in sorted(begun):
                    yield stop_of(index=index, type="content_block_stop")
                begun.clear()
            case _:
                pass
        yield event
