"""The short ways end where the long ones do, and are taken."""

import copy
import inspect
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace
from typing import Annotated, Any

import openai
import pytest
from fast_agent.types import LlmStopReason, PromptMessageExtended, RequestParams
from mcp_types import (
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    ImageContent,
    SamplingMessage,
    TextContent,
)
from openai._utils import PropertyInfo
from openai._utils._transform import async_maybe_transform
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params
from pydantic import BaseModel, PrivateAttr
from typing_extensions import TypedDict

from workers.runtime.patches import patch, shortcuts

CHAT = completion_create_params.CompletionCreateParamsStreaming
RESPONSES = response_create_params.ResponseCreateParamsStreaming
CALL = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {}}}}}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BODY: dict[str, Any] = {
    "model": "m",
    "stream": True,
    "temperature": 0.5,
    "max_tokens": 7,
    "user": openai.NOT_GIVEN,
    "seed": openai.omit,
    "stream_options": {"include_usage": True},
    "tools": [TOOL],
    "unheard_of": {"deep": [1, None, False]},
    "messages": [
        {"role": "system", "content": "You are."},
        {"role": "user", "content": [{"type": "text", "text": "hé"}, {"type": "image_url", "image_url": {"url": "x"}}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "3"},
    ],
}


class Renamed(TypedDict, total=False):
    plain: str
    inner: "list[Inner]"


class Inner(TypedDict, total=False):
    card_id: Annotated[str, PropertyInfo(alias="cardID")]


class Model(BaseModel):
    said: str = "hi"


async def refuse(*_: object) -> None:
    raise AssertionError("the long way")


def refuse_too(*_: object) -> None:
    raise AssertionError("the long way")


# -- bodies


@pytest.mark.parametrize("expected", [CHAT, RESPONSES])
async def test_a_plain_body_is_sent_as_it_would_be_transformed(expected: Any) -> None:
    assert await shortcuts.as_it_is(refuse)(BODY, expected) == await async_maybe_transform(BODY, expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"inner": [{"card_id": "7"}]}, Renamed),
        ({"model": "m", "messages": iter([{"role": "user", "content": "x"}])}, CHAT),
        ({"model": "m", "messages": [Model()]}, CHAT),
        ({"model": "m", "messages": [{"role": "user", "content": "x", "name": openai.omit}]}, CHAT),
        (None, CHAT),
    ],
)
async def test_any_other_body_is_transformed(body: Any, expected: Any) -> None:
    quick = await shortcuts.as_it_is(async_maybe_transform)(copy.copy(body), expected)
    if body and "messages" in body and not isinstance(body["messages"], list):
        body = {**body, "messages": [{"role": "user", "content": "x"}]}
    assert quick == await async_maybe_transform(body, expected)


def test_a_type_that_renames_is_known_however_deep_it_does() -> None:
    assert shortcuts.renames(Renamed)
    assert not shortcuts.renames(CHAT)
    assert not shortcuts.renames(completion_create_params.CompletionCreateParamsNonStreaming)
    assert not shortcuts.renames(RESPONSES)


# -- copies


def messages() -> list[PromptMessageExtended]:
    shared = TextContent(type="text", text="shared", _meta={"a": {"b": [1]}})
    call = CallToolRequest(method="tools/call", params=CallToolRequestParams(name="add", arguments={"a": [1]}))
    return [
        PromptMessageExtended(role="user", content=[TextContent(type="text", text="hi")], timestamp=NOW),
        PromptMessageExtended(
            role="assistant",
            content=[shared, shared, ImageContent(type="image", data="aGk=", mime_type="image/png")],
            tool_calls={"1": call},
            channels={"reasoning": (shared,), "other": [shared]},
            stop_reason=LlmStopReason.TOOL_USE,
        ),
        PromptMessageExtended(
            role="user", tool_results={"1": CallToolResult(content=[shared], structured_content={"x": {"y": [1]}})}
        ),
    ]


def parts(value: Any) -> list[Any]:
    """Everything in a value that can change."""
    inside = value.__dict__ if isinstance(value, BaseModel) else value
    below = inside.values() if isinstance(inside, dict) else inside if isinstance(inside, list | tuple) else ()
    return [part for item in below for part in parts(item)] + [value] * isinstance(value, BaseModel | dict | list)


@pytest.mark.parametrize("message", messages())
def test_a_copied_message_is_the_same_and_shares_nothing(message: PromptMessageExtended) -> None:
    quick = shortcuts._copied(message, {})
    slow = BaseModel.__deepcopy__(message)
    assert quick == slow == message
    assert quick.model_fields_set == slow.model_fields_set
    assert quick.model_fields_set is not message.model_fields_set
    assert quick.model_dump_json() == slow.model_dump_json()
    assert {id(part) for part in parts(quick)} & {id(part) for part in parts(message)} == set()
    # What is one thing in the message is one in its copy.
    assert len({id(part) for part in parts(quick)}) == len({id(part) for part in parts(slow)})


class Private(PromptMessageExtended):
    _kept: list[int] = PrivateAttr(default_factory=lambda: [1])


class Special(PromptMessageExtended):
    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Any:
        return super().__deepcopy__(memo)


@pytest.mark.parametrize("kind", [Private, Special])
def test_a_message_of_another_kind_is_copied_as_pydantic_does(kind: type[PromptMessageExtended]) -> None:
    patch.apply()
    message = kind(role="user", content=[TextContent(type="text", text="hi")])
    for copied in (copy.deepcopy(message), message.model_copy(deep=True), copy.deepcopy([message])[0]):
        assert copied == message
        assert type(copied) is kind
        assert {id(part) for part in parts(copied)} & {id(part) for part in parts(message)} == set()
        for mine, theirs in zip(*((one.__pydantic_private__ or {}).values() for one in (copied, message)), strict=True):
            assert mine is not theirs


def test_fast_agent_s_copies_are_ours() -> None:
    patch.apply()
    message = messages()[0]
    assert PromptMessageExtended.__deepcopy__.__qualname__.startswith("copying")
    assert message.model_copy(deep=True).content[0] is not message.content[0]
    assert copy.deepcopy([message, message]) == [message, message]


def test_a_model_is_what_we_copy_it_as() -> None:
    assert set(BaseModel.__slots__) == {
        "__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"
    }  # fmt: skip


# -- parameters


def handler() -> Any:
    """A tool handler, of which pydantic knows nothing."""
    return SimpleNamespace()


@dataclass
class Fielded:
    """Pydantic dumps it as a dictionary."""

    name: str = "x"


DEFAULTS = [
    RequestParams(model="m", max_tokens=100, system_prompt="You are.", max_iterations=5),
    RequestParams(streaming_timeout=9.0),
    RequestParams(streaming_timeout=3.0, template_vars={"a": {"c": 2}}),
    RequestParams(metadata={"x": [1]}, stop_sequences=["b"], response_format={"type": "x"}),
]
GIVEN: list[dict[str, Any]] = [
    {"tool_execution_handler": handler()},
    {"tool_execution_handler": Fielded()},
    {"temperature": 1, "stop_sequences": ["a"], "use_history": False, "service_tier": "flex"},
    {"streaming_timeout": None, "max_tokens": None},
    {"template_vars": {"a": {"b": 1}}, "metadata": {"x": 1}, "mcp_metadata": {}},
    {"template_vars": {}, "metadata": {}, "response_format": {}},
    {"stop_sequences": [], "tools": [], "response_format": ["a"]},
    {"messages": [SamplingMessage(role="user", content=TextContent(type="text", text="hi"))]},
]
LONG = patch.original("fast_agent.llm.fastagent_llm:merge_request_params")
WRONG = [("max_tokens", True), ("max_iterations", "many"), ("service_tier", "slow"), ("model", 7), ("use_history", [])]


@pytest.mark.parametrize("default", DEFAULTS)
@pytest.mark.parametrize("given", GIVEN)
def test_parameters_that_are_merged_again_are_those_of_their_dumps(
    default: RequestParams, given: dict[str, Any]
) -> None:
    for before in DEFAULTS:
        merged = LONG(before, RequestParams(**given))
        right, quick = LONG(default, merged), shortcuts.merging(LONG)(default, merged)
        assert quick == right
        assert quick.model_fields_set == right.model_fields_set
        assert list(quick.__dict__) == list(right.__dict__)
        lent = {id(part) for params in (default, merged) for part in parts(params)}
        assert {id(part) for part in parts(quick)} & lent == {id(part) for part in parts(right)} & lent


def test_usual_parameters_are_merged_the_long_way_once() -> None:
    merged = LONG(DEFAULTS[0], RequestParams(tool_execution_handler=handler()))
    assert shortcuts.merging(refuse_too)(DEFAULTS[0], merged) == merged


@pytest.mark.filterwarnings("ignore:Pydantic serializer")
@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_cannot_be_a_parameter_is_refused_still(name: str, value: object) -> None:
    merged = LONG(DEFAULTS[0], RequestParams())
    setattr(merged, name, value)
    with pytest.raises(ValueError, match=name):
        shortcuts.merging(LONG)(DEFAULTS[0], merged)


# -- the originals


def test_a_log_event_has_no_text_of_all_messages() -> None:
    assert len(str({"messages": shortcuts._Unquoted([{"content": "x" * 2**20}])})) < 100


async def test_what_openai_s_client_is_given_is_still_a_list_of_messages() -> None:
    async def normalize(*_: object) -> list[Any]:
        return [CALL]

    messages = await shortcuts.unquoted(normalize)(None)
    assert messages == [CALL]
    assert await shortcuts.as_it_is(refuse)({"messages": messages}, CHAT) == {"messages": [CALL]}


@pytest.mark.parametrize("resource", ["chat.completions.completions", "responses.responses"])
def test_a_body_is_transformed_by_the_name_we_replace(resource: str) -> None:
    assert "body=await async_maybe_transform(" in inspect.getsource(import_module(f"openai.resources.{resource}"))
