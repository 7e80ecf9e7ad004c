"""Chunks read by pydantic's validator are what OpenAI's own client makes of them, or are left to it."""

import inspect
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from fast_agent.llm.provider.openai import llm_openai
from openai import AsyncOpenAI
from openai._models import construct_type
from openai.types.chat.chat_completion_chunk import ChatCompletionChunk

from workers.runtime.patches import chunks, patch


def written(name: str) -> Callable[..., Any]:
    """A function as its source has it: what is in its place may be ours."""
    fresh: dict[str, Any] = {"__name__": llm_openai.__name__}
    exec(compile(inspect.getsource(llm_openai), llm_openai.__file__, "exec"), fresh)
    return fresh[name]


def search(_: object) -> None:
    raise AssertionError("the long way")


by_protocols = written("_openai_usage")

HEAD = {"id": "c-1", "object": "chat.completion.chunk", "created": 1_800_000_000, "model": "m"}
CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a":'}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}}

WELL_FORMED: dict[str, dict[str, Any]] = {
    "first": {**HEAD, "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]},
    "text": {**HEAD, "choices": [{"index": 0, "delta": {"content": "hé🙂"}}]},
    "tool call": {**HEAD, "choices": [{"index": 0, "delta": {"tool_calls": [CALL]}}]},
    "reasoning, which the type does not know": {
        **HEAD,
        "choices": [{"index": 0, "delta": {"reasoning_content": "hm", "reasoning": [{"text": "hm"}]}}],
        "provider": {"name": "somebody"},
    },
    "end": {**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "logprobs": None}]},
    "usage": {**HEAD, "choices": [], "usage": USAGE, "service_tier": "default", "system_fingerprint": "fp"},
    "usage in the choice": {**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]},
}
ODD: dict[str, dict[str, Any]] = {
    "no head": {"choices": [{"index": 0, "delta": {"content": "x"}}]},
    "a reason of its own": {**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "eos"}]},
    "nothing right": {"id": 7, "choices": "none", "usage": []},
    "an error": {"error": {"message": "no", "code": 500}},
}


@pytest.fixture
def client() -> AsyncOpenAI:
    patch.apply()
    return AsyncOpenAI(api_key="k", base_url="http://127.0.0.1:1")


def read(client: AsyncOpenAI, data: dict[str, Any]) -> ChatCompletionChunk:
    return client._process_response_data(data=data, cast_to=ChatCompletionChunk, response=httpx2.Response(200))


@pytest.mark.parametrize("name", [*WELL_FORMED, *ODD])
def test_a_chunk_is_the_same_however_it_is_read(client: AsyncOpenAI, name: str) -> None:
    data = {**WELL_FORMED, **ODD}[name]
    slow: Any = construct_type(type_=ChatCompletionChunk, value=data)
    quick = read(client, data)
    assert quick.model_dump(warnings=False) == slow.model_dump(warnings=False)
    assert quick.to_dict(warnings=False) == slow.to_dict(warnings=False)
    assert [type(choice) for choice in quick.choices or ()] == [type(choice) for choice in slow.choices or ()]


def test_a_server_s_usual_chunks_go_the_quick_way(client: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.construct_type", None)
    for data in WELL_FORMED.values():
        read(client, data)


@pytest.mark.parametrize("name", [*WELL_FORMED, *ODD])
def test_a_chunk_s_count_is_what_fast_agent_finds(client: AsyncOpenAI, name: str) -> None:
    chunk = read(client, {**WELL_FORMED, **ODD}[name])
    slow = by_protocols(chunk)
    assert chunks.counting(by_protocols)(chunk) == slow
    assert (slow is not None) == name.startswith("usage")


def test_a_usual_chunk_is_not_searched_for_a_count(client: AsyncOpenAI) -> None:
    quick = chunks.counting(search)
    assert [quick(read(client, WELL_FORMED[name])) for name in ("first", "text", "tool call", "end")] == [None] * 4


def test_fast_agent_counts_by_the_name_we_replace(client: AsyncOpenAI) -> None:
    assert "usage = _openai_usage(chunk)" in inspect.getsource(llm_openai)
    assert llm_openai._openai_usage.__qualname__.startswith("counting")


def test_installing_twice_changes_nothing(client: AsyncOpenAI) -> None:
    once = type(client)._process_response_data
    patch.apply()
    assert type(client)._process_response_data is once
