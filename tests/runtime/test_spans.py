"""Spans of a turn in the real fast-agent: its agents, model calls and tool calls, and nothing that they said."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from tasks.telemetry import tracing
from tests.runtime.steps import MemorySteps
from tests.runtime.support import TOOL, Open, Screen, ask, card
from tests.support.model import Model
from tests.support.spans import Kept, Seen, kept_spans
from workers.interfaces import TurnFailed
from workers.runtime.engine import Engine

SECRET = "swordfish"
WITH_TOOL = "---\nname: assistant\nmodel: generic.mock\nfunction_tools: [tools.py:lookup]\n---\nYou.\n"


async def traced_turn(engine: Engine, chat: int, text: str) -> str:
    """A turn with a span of its own; the id of its trace."""
    with tracing.begin("turn") as span:
        await engine.run(replace(ask(chat, text), steps=MemorySteps()), Screen())
    return span.trace_id


def of(spans: Kept, trace: str) -> list[Seen]:
    return [span for span in spans() if span.trace == trace]


@pytest.mark.promise("traces")
async def test_a_call_of_a_model_is_a_span_in_the_words_of_the_convention(runtime: Open, model: Model) -> None:
    with kept_spans() as spans:
        async with runtime() as engine:
            await traced_turn(engine, 1, "hello")
    chat, agent, turn = spans.one("chat"), spans.one("invoke_agent"), spans.one("turn")
    assert (chat.name, chat.parent, agent.parent) == ("chat mock", agent.id, turn.id)
    told = dict(chat.attributes)
    assert 0 <= told.pop("gen_ai.response.time_to_first_chunk") < 60
    assert told.pop("gen_ai.usage.input_tokens") > 0
    assert told.pop("gen_ai.usage.output_tokens") > 0
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "generic",
        "gen_ai.request.model": "mock",
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "mock",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.agent.name": "assistant",
    }
    assert (agent.name, agent.attributes["gen_ai.operation.name"]) == ("invoke_agent assistant", "invoke_agent")
    assert "lane taken" in agent.events


@pytest.mark.promise("traces")
async def test_a_tool_is_a_span_between_the_calls_of_its_model(runtime: Open, model: Model, cards: Path) -> None:
    card(cards, "tools.py", TOOL)
    card(cards, "assistant.md", WITH_TOOL)
    with kept_spans() as spans:
        async with runtime() as engine:
            await traced_turn(engine, 1, f'CALL:lookup{{"of": "{SECRET}"}}')
    tool = spans.one("execute_tool")
    assert tool.parent == spans.one("invoke_agent").id
    assert {name: tool.attributes[name] for name in ("gen_ai.tool.name", "gen_ai.operation.name", "cohort.step")} == {
        "gen_ai.tool.name": "lookup",
        "gen_ai.operation.name": "execute_tool",
        "cohort.step": "live",
    }
    assert tool.attributes["gen_ai.tool.call.id"]
    assert [span.attributes["gen_ai.response.finish_reasons"] for span in spans("chat")] == [["tool_call"], ["stop"]]
    assert SECRET not in repr(spans())


@pytest.mark.promise("traces")
async def test_steps_that_are_replayed_say_so_and_are_not_called_again(
    runtime: Open, model: Model, cards: Path
) -> None:
    card(cards, "tools.py", TOOL)
    card(cards, "assistant.md", WITH_TOOL)
    asked = ask(1, 'CALL:lookup{"of": "x"}')
    async with runtime() as engine:
        first = MemorySteps()
        await engine.run(replace(asked, steps=first), Screen())
        with kept_spans() as spans, tracing.begin("turn"):
            await engine.run(replace(asked, steps=MemorySteps(first.kept)), Screen())
    assert [span.attributes["cohort.step"] for span in spans("execute_tool")] == ["replayed"]
    assert [span.attributes.get("cohort.step") for span in spans("chat")] == ["replayed", None]


@pytest.mark.promise("traces")
async def test_a_fault_is_told_by_its_class_and_never_by_its_words(runtime: Open, model: Model) -> None:
    model.fault(status=400, message=SECRET)
    with kept_spans() as spans:
        async with runtime() as engine:
            with pytest.raises(TurnFailed):
                await traced_turn(engine, 1, "hello")
    chat = spans.one("chat")
    assert chat.failed
    assert chat.attributes["error.type"].endswith("Error")
    assert spans.one("invoke_agent").attributes["error.type"] == "RequestRejected"
    assert SECRET not in repr(spans())
    assert {span.description for span in spans()} == {""}


@pytest.mark.promise("traces")
async def test_what_is_said_is_in_spans_only_where_that_is_asked_for(runtime: Open, model: Model, cards: Path) -> None:
    card(cards, "tools.py", TOOL)
    card(cards, "assistant.md", WITH_TOOL)
    text = f'{SECRET} CALL:lookup{{"of": "pike"}}'
    async with runtime() as engine:
        with kept_spans() as spans:
            await traced_turn(engine, 1, text)
        assert not [word for word in (SECRET, "pike", "found") if word in repr(spans())]
        with kept_spans(texts=True) as spans:
            await traced_turn(engine, 2, text)
    asked, last = spans("chat")
    (said,) = json.loads(asked.attributes["gen_ai.input.messages"])
    assert (said["role"], said["parts"][0]) == ("user", {"type": "text", "content": text})
    (answer,) = json.loads(last.attributes["gen_ai.output.messages"])
    assert (answer["role"], answer["finish_reason"]) == ("assistant", "stop")
    tool = spans.one("execute_tool").attributes
    assert (json.loads(tool["gen_ai.tool.call.arguments"]), tool["gen_ai.tool.call.result"]) == (
        {"of": "pike"},
        "found pike",
    )


@pytest.mark.promise("traces")
async def test_what_is_said_is_cut_where_it_is_long(runtime: Open, model: Model) -> None:
    with kept_spans(texts=True) as spans:
        async with runtime() as engine:
            await traced_turn(engine, 1, "x" * 100_000)
    told = spans.one("chat").attributes["gen_ai.input.messages"]
    assert len(told) < 70_000
    assert json.loads(told)


@pytest.mark.promise("traces")
async def test_turns_at_the_same_time_have_each_a_trace_and_fast_agent_adds_nothing_to_it(
    runtime: Open, model: Model
) -> None:
    with kept_spans() as spans:
        async with runtime(COHORT_LANES="2") as engine, asyncio.TaskGroup() as group:
            turns = [group.create_task(traced_turn(engine, chat, f"HOLD:gate hello {chat}")) for chat in range(2)]
            await model.held("gate", 2)
            model.release("gate")
    assert len({turn.result() for turn in turns}) == 2
    for turn in turns:
        assert sorted(span.name for span in of(spans, turn.result())) == ["chat mock", "invoke_agent assistant", "turn"]
    assert {span.scope for span in spans()} == {"cohort"}


async def test_the_attributes_are_those_of_the_conventions_that_are_installed(
    runtime: Open, model: Model, cards: Path
) -> None:
    card(cards, "tools.py", TOOL)
    card(cards, "assistant.md", WITH_TOOL)
    with kept_spans(texts=True) as spans:
        async with runtime() as engine:
            await traced_turn(engine, 1, 'CALL:lookup{"of": "x"}')
    known = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI_")}
    used = {name for span in spans() for name in span.attributes if name.startswith("gen_ai.")}
    assert len(used) > 10
    assert used <= known
    operations = {operation.value for operation in gen_ai_attributes.GenAiOperationNameValues}
    assert {span.attributes["gen_ai.operation.name"] for span in spans() if span.name != "turn"} <= operations


async def test_without_a_traced_turn_no_step_is_a_span(runtime: Open, model: Model) -> None:
    with kept_spans() as spans:
        async with runtime() as engine:
            await engine.run(ask(1, "hello"), Screen())
    assert spans() == []
