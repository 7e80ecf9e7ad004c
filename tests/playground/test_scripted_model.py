"""The model of `playground.pytest_plugin`: it says what was written down, and keeps what it read."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from playground.scripted_model import ScriptedModel

TOOLS = [{"type": "function", "function": {"name": "dice__roll"}}]


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


def asked(model: ScriptedModel, *messages: dict[str, str], **more: object) -> dict[str, Any]:
    given = {"messages": [{"role": "system", "content": "You."}, *messages], **more}
    answer = httpx.post(f"{model.url}/chat/completions", json=given, trust_env=False)
    if not more.get("stream"):
        return answer.json()["choices"][0]["message"]
    *events, end = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert end == "[DONE]"
    return json.loads(events[0])["choices"][0]["delta"]


@pytest.mark.parametrize("stream", [False, True])
def test_it_says_what_was_written_down_in_order_and_then_repeats_the_last_message(
    model: ScriptedModel, *, stream: bool
) -> None:
    model.says("first")
    model.calls("roll", sides=6)
    user = {"role": "user", "content": '<tg-user name="Ann"/>\nhello'}
    assert asked(model, user, stream=stream)["content"] == "first"
    (call,) = asked(model, user, tools=TOOLS, stream=stream)["tool_calls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("dice__roll", {"sides": 6})
    assert model.left == 0
    assert asked(model, user, stream=stream)["content"] == "hello"


def test_a_tool_that_the_agent_has_not_is_told_in_the_chat(model: ScriptedModel) -> None:
    model.calls("rol1")
    said = asked(model, {"role": "user", "content": "hello"}, tools=TOOLS)["content"]
    assert said == "The agent has no tool rol1; it has ['dice__roll']."


def test_what_it_read_is_kept_until_it_is_cleared(model: ScriptedModel) -> None:
    model.says("not asked for")
    model.says("nor this")
    asked(model, {"role": "user", "content": "hello"}, {"role": "tool", "content": "6"})
    assert (model.instruction, model.results, model.left) == ("You.", ["6"], 1)
    model.clear()
    assert (model.requests, model.results, model.left) == ([], [], 0)
