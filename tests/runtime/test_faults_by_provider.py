"""The table of model faults through every provider's own wire: the right action, nothing shown, nothing remembered."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from llmock.pytest_plugin import LLMock
from llmock.scenarios import Reply

from tests.runtime.support import PROVIDERS, Configure, Open, Screen, ask, card
from tests.support.wire import HttpServer, Request
from workers.interfaces import TurnFailed
from workers.runtime.conversation import history
from workers.runtime.engine import Engine

type Cause = Callable[[LLMock], object]

CARD = "---\nname: assistant\ndefault: true\nmodel: {}\n---\nYou.\n"
HASTY = "---\nname: hasty\nmodel: {}\nrequest_params: {{streaming_timeout: 1}}\n---\nYou.\n"
"""The agent whose model falls silent: no other one is given up for a machine that stands still for a moment."""
LONG = "word " * 20
# Far enough into every provider's stream that words were shown.
BEGUN = 8


def status(number: int, code: str | None = None, message: str | None = None) -> Cause:
    return lambda llmock: llmock.fail(number, times=None, code=code, message=message, retry_after=0.01)


ROWS: dict[str, tuple[Cause, str]] = {
    "403": (status(403), "operator"),
    "404": (status(404), "operator"),
    "429 quota": (status(429, "insufficient_quota"), "operator"),
    "529": (status(529), "retry"),
    "413": (status(413), "tell"),
    # A window of one token: the mock refuses in each provider's own words.
    "400 context": (lambda llmock: llmock.limits(context_window=1), "tell"),
    "400 filter": (status(400, message="Output blocked by content filtering policy"), "tell"),
    "refusal": (lambda llmock: llmock.add(Reply("I can", finish_reason="content_filter", times=None)), "tell"),
    "empty reply": (lambda llmock: llmock.reply("", times=None), "tell"),
    "silent from the start": (lambda llmock: llmock.slow_first_token(60, times=None), "retry"),
    "silent mid-stream": (
        lambda llmock: llmock.reply(LONG, times=None).stall(after_chunks=BEGUN, seconds=60, times=None),
        "retry",
    ),
    "dropped mid-stream": (
        lambda llmock: llmock.reply(LONG, times=None).disconnect(after_chunks=BEGUN, times=None),
        "retry",
    ),
    "clean end, nothing finished": (
        lambda llmock: llmock.reply(LONG, times=None).truncate(after_chunks=BEGUN, times=None),
        "retry",
    ),
}

SHOWN_FIRST = {"refusal", "silent mid-stream", "dropped mid-stream", "clean end, nothing finished"}

NOT_HERE = {
    "responses": {"refusal": "llmock's stream has no refusal; the real one is played below"},
}
"""Provider -> the rows that llmock cannot play in it, and why."""


async def failed(
    engine: Engine, remembered: bytes | None = None, agent: str | None = None
) -> tuple[TurnFailed, list[str]]:
    screen = Screen()
    with pytest.raises(TurnFailed) as failure:
        await engine.run(ask(1, "please tell me", history=remembered, agent=agent), screen)
    return failure.value, screen.frames


def users(remembered: bytes) -> list[str]:
    """What users said, as a history has it."""
    return [message.all_text() for message in history.decode(remembered).messages if message.role == "user"]


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_each_fault_has_its_action_and_leaves_no_trace_with_every_provider(
    runtime: Open, provider: str, llmock: LLMock, configure: Configure, cards: Path
) -> None:
    name, path, more = PROVIDERS[provider]
    configure({provider: {"api_key": "secret-key", "base_url": llmock.base_url(path), **more}})
    card(cards, "assistant.md", CARD.format(name))
    card(cards, "hasty.md", HASTY.format(name))
    rows = {row: what for row, what in ROWS.items() if row not in NOT_HERE.get(provider, ())}
    seen = {}
    async with runtime(COHORT_LANES="1") as engine:
        llmock.reset().tool_mode("off")
        before = await engine.run(ask(1, "one"), Screen())
        for row, (cause, _) in rows.items():
            cause(llmock)
            failure, frames = await failed(engine, before.history, "hasty" if row.startswith("silent") else None)
            seen[row] = failure.action
            assert frames[-1:] in ([], [""]), f"{row}: what was shown is taken back"
            assert bool(frames) == (row in SHOWN_FIRST), row
            assert "please" not in failure.words + failure.detail
            llmock.reset().tool_mode("off")
            after = await engine.run(ask(1, "two", history=before.history), Screen())
            assert users(after.history) == ["one", "two"], row
            assert "please" not in json.dumps(llmock.last_request.body), row
    assert seen == {row: action for row, (_, action) in rows.items()}


def sse(*events: Mapping[str, Any]) -> bytes:
    named = ((f"event: {event['type']}\n" if "type" in event else "", json.dumps(event)) for event in events)
    return "".join(f"{name}data: {data}\n\n" for name, data in named).encode()


def response(status: str, *parts: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """An object of the Responses API with one message in it."""
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": parts}
    common = {"id": "r", "object": "response", "created_at": 0, "model": "gpt-5-mini", "status": status}
    used = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    fixed = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None}
    return {**common, **fixed, "output": [message] if parts else [], "usage": used, **more}


def responses(end: str, last: Mapping[str, Any]) -> bytes:
    """A stream of the Responses API."""
    begun = {"type": "response.created", "sequence_number": 0, "response": response("in_progress")}
    return sse(begun, {"type": f"response.{end}", "sequence_number": 1, "response": last})


REFUSAL = {"type": "refusal", "refusal": "I can't help with that."}
PARTIAL = {"type": "output_text", "text": "I can", "annotations": []}
METERED = {"promptTokenCount": 5, "totalTokenCount": 5}

WIRE: dict[str, tuple[str, bytes, str]] = {
    "responses: a refusal": (
        "responses",
        responses("completed", response("completed", REFUSAL)),
        "tell",
    ),
    "responses: stopped by a content filter": (
        "responses",
        responses("incomplete", response("incomplete", PARTIAL, incomplete_details={"reason": "content_filter"})),
        "tell",
    ),
    "responses: failed on the way": (
        "responses",
        responses("failed", response("failed", error={"code": "server_error", "message": "it broke"})),
        "retry",
    ),
    "responses: too long, said in the stream": (
        "responses",
        responses("failed", response("failed", error={"code": "context_length_exceeded", "message": "long"})),
        "tell",
    ),
    "anthropic: overloaded, said in the stream": (
        "anthropic",
        sse({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        "retry",
    ),
    "google: the prompt was blocked": (
        "google",
        sse({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": METERED}),
        "tell",
    ),
    "google: cut off, though it counted": (
        "google",
        sse({"candidates": [{"content": {"role": "model", "parts": [{"text": "I"}]}}], "usageMetadata": METERED}),
        "retry",
    ),
}
"""What llmock cannot say: provider, the whole stream, the action."""


class Says(HttpServer):
    """Every call of a model gets the same stream."""

    def __init__(self, stream: bytes) -> None:
        super().__init__()
        self._stream = stream

    async def handle(self, request: Request) -> None:
        await request.respond(self._stream, headers={"content-type": "text/event-stream"})


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize("case", WIRE)
async def test_a_refusal_or_a_failure_told_inside_a_stream_has_its_action(
    runtime: Open, case: str, configure: Configure
) -> None:
    provider, stream, action = WIRE[case]
    name, _, more = PROVIDERS[provider]
    async with Says(stream) as server:
        version = {"responses": "/v1", "google": "/v1beta"}.get(provider, "")
        configure({provider: {"api_key": "secret-key", "base_url": server.url + version, **more}})
        async with runtime(COHORT_LANES="1", COHORT_MODEL=name) as engine:
            failure, frames = await failed(engine)
    assert (failure.action, frames[-1:]) in ((action, []), (action, [""])), failure.detail
