"""After a turn of any kind a lane is what it was before, in everything that can be reached from its agents."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from llmock.pytest_plugin import LLMock

from tests.runtime.lane_watch import SERVER, Watched
from tests.runtime.support import PROVIDERS, Configure, Open, Screen, ask, card, inbound
from tests.runtime.test_isolation import TOOLS, everybody
from tests.runtime.test_media import PHOTO, Shelf
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.runtime.engine import Engine

TOOL_MODULE = (
    TOOLS
    + '''
async def breaks(n: int = 0) -> str:
    """Always."""
    raise RuntimeError("no")
'''
)
CARDS = {
    "assistant.md": "function_tools: ['tools.py:whose', 'tools.py:breaks']\ndefault: true\nagents: [writer]",
    "writer.md": "tool_only: true\nmodel: generic.writer",
    "editor.md": "tool_only: true",
    "forgetful.md": "use_history: false",
    "chain.md": "type: chain\nsequence: [writer, editor]",
    "both.md": "type: parallel\nfan_out: [writer, editor]",
    "router.md": "type: router\nagents: [writer, editor]",
    "lead.md": "type: orchestrator\nagents: [writer, editor]",
    "steps.md": "type: iterative_planner\nagents: [writer, editor]",
    "strict.md": "type: evaluator_optimizer\ngenerator: writer\nevaluator: editor",
    "sure.md": "type: maker\nworker: writer\nk: 1\nmax_samples: 2",
}

type Turns = Callable[[Engine, Model], Awaitable[object]]


@pytest.fixture
def many(cards: Path, config: Path) -> None:
    card(cards, "tools.py", TOOL_MODULE)
    for name, head in CARDS.items():
        card(cards, name, f"---\nname: {name.removesuffix('.md')}\n{head}\n---\nYou.\n")
    content = yaml.safe_load(config.read_text()) | {"default_model": "generic.mock"}
    config.write_text(json.dumps(content))


@pytest.fixture
def served(cards: Path, config: Path, many: None) -> None:
    """A further agent, with a server."""
    content = yaml.safe_load(config.read_text())
    content["mcp"] = {"servers": {"small": {"command": sys.executable, "args": [str(SERVER)]}}}
    config.write_text(json.dumps(content))
    card(cards, "served.md", "---\nname: served\nservers: [small]\n---\nYou.\n")


@pytest.fixture
def watched(runtime: Open, many: None) -> Callable[..., Any]:
    @asynccontextmanager
    async def opened(**options: Any) -> AsyncGenerator[tuple[Engine, Watched]]:
        async with runtime(
            **{
                "COHORT_LANES": "1",
                "COHORT_MODELS": "generic.other,anthropic.claude-haiku-4-5,nonsense.model",
                **options,
            }
        ) as engine:
            yield engine, Watched(engine)

    return opened


def says(*messages: str, **choice: str) -> Turns:
    """A conversation."""

    async def turns(engine: Engine, _model: Model) -> object:
        history = None
        for message in messages:
            done = await engine.run(ask(1, message, history=history, **choice), Screen())
            assert done.dropped == (), "the session has what it chose"
            history = done.history
        return history

    return turns


def fails(
    message: str = "hello there you", *, times: int = 1, choice: dict[str, str] | None = None, **fault: Any
) -> Turns:
    """A turn that a fault of the model ends, or that outlives it."""

    async def turns(engine: Engine, model: Model) -> object:
        model.fault(times=times, **fault)
        with suppress(TurnFailed):
            await engine.run(ask(1, message, **(choice or {})), Screen())
        model.clear()
        return None

    return turns


def cancelled(message: str, gate: str, **choice: str) -> Turns:
    async def turns(engine: Engine, model: Model) -> object:
        async with asyncio.TaskGroup() as group:
            turn = group.create_task(engine.run(ask(1, message, **choice), Screen()), name="turn")
            await model.held(gate)
            turn.cancel()
        return None

    return turns


async def compacts(engine: Engine, model: Model) -> object:
    history = await says("one", "two", "three", model="generic.other")(engine, model)
    return await engine.compact(ask(1, "", history=history, model="generic.other"))


async def grows_too_long(engine: Engine, model: Model) -> object:
    history = await says("one", "two", "three")(engine, model)
    model.fault(status=400, code="context_length_exceeded", message="maximum context length", match="four")
    return await engine.run(ask(1, "four", history=history, model="generic.other"), Screen())


ROUTE = json.dumps({"agent": "editor", "confidence": "high", "reasoning": "it says so"})
KINDS: dict[str, dict[str, Turns]] = {
    "answers and tools": {
        "plain": says("hello"),
        "two turns": says("hello", "and now"),
        "a tool": says('CALL:whose{"n": 1}'),
        "two tools at once": says('CALL:whose{"n": 1} CALL:breaks{"n": 1}'),
        "a tool that fails": says("CALL:breaks{}"),
        "a tool that does not exist": says("CALL:nothing{}"),
        "wrong arguments": says('CALL:whose{"m": "x"}'),
        "a tool loop without end": fails("CALL:whose", mode="calls", times=99),
        "a summary": compacts,
        "a conversation too long": grows_too_long,
    },
    "agents": {
        "an agent as a tool": says('CALL:writer{"message": "hello"}'),
        "an agent as a tool, twice at once": says('CALL:writer{"message": "hello"} CALL:writer{"message": "bye"}'),
        "no history": says("hello", "again", agent="forgetful"),
        "a chain": says("hello", "again", agent="chain"),
        "parallel": says("hello", agent="both"),
        "a router": fails("mend this", reply=ROUTE, choice={"agent": "router"}),
        "an orchestrator": fails("do it", times=9, reply="{}", choice={"agent": "lead"}),
        "a planner": fails("do it", times=9, reply="{}", choice={"agent": "steps"}),
        "an evaluator": fails("do it", times=9, reply="{}", choice={"agent": "strict"}),
        "a maker": says("hello", agent="sure"),
        "a chain's failure": fails(status=401, choice={"agent": "chain"}),
    },
    "models": {
        "another model": says("hello", model="generic.other"),
        "another model and a tool": says('CALL:whose{"n": 1}', model="generic.other"),
        "a model that cannot be had": fails(choice={"model": "anthropic.claude-haiku-4-5"}),
        "a chain with a model that cannot be had": fails(choice={"agent": "chain", "model": "nonsense.model"}),
    },
    "refusals": {
        "a refusal": fails(status=400),
        "an empty answer": fails(mode="empty"),
        "a length limit": fails(finish="length"),
        "a content filter": fails(finish="content_filter"),
        "a wrong key": fails(status=401),
    },
    "faults": {
        "too many requests": fails(status=429, retry_after=1),
        "a server's error": fails(status=500),
        "a broken stream": fails(mode="drop"),
        "a stream cut short": fails(mode="truncate"),
        "a malformed stream": fails(mode="malformed"),
        "no connection": fails(mode="hangup"),
    },
    "cancelled": {
        "an answer": cancelled("HOLD:one@1 one two three", "one"),
        "a model call": cancelled("HOLD:two", "two"),
        "an answer of another model": cancelled("HOLD:three@1 one two", "three", model="generic.other"),
        "a chain": cancelled("HOLD:four@1 one two", "four", agent="chain"),
    },
}
"""Those of a group follow each other on one lane: after each it is as new, so each begins with a new one."""
UNASKED = {"a model that cannot be had", "a chain with a model that cannot be had"}
"""What ends before a model is asked."""


@pytest.mark.promise("lane-as-new")
@pytest.mark.parametrize("group", KINDS)
async def test_a_lane_is_as_new_after_each_kind_of_turn(watched: Callable[..., Any], model: Model, group: str) -> None:
    await taken(KINDS[group], watched, model)


async def taken(kinds: dict[str, Turns], watched: Callable[..., Any], model: Model) -> None:
    """Take the turns one after the other, and look at the lane after each."""
    async with watched() as (engine, lane):
        for kind, turns in kinds.items():
            before = len(model.journal)
            await turns(engine, model)
            assert lane.left() == {}, kind
            assert engine.lanes.made == lane.made, f"{kind}: it is the same lane"
            assert (len(model.journal) > before) is (kind not in UNASKED), kind


SERVED = {
    "a tool of an MCP server": says("CALL:whoami", agent="served"),
    "an MCP server that asks": says("CALL:ask", agent="served"),
    "another model": says("CALL:whoami", agent="served", model="generic.other"),
    "cancelled": cancelled("CALL:whoami HOLD:gate@1", "gate", agent="served"),
}


@pytest.mark.promise("lane-as-new")
async def test_a_lane_with_an_mcp_server_is_as_new_after_each_kind_of_turn(
    served: None, watched: Callable[..., Any], model: Model
) -> None:
    await taken(SERVED, watched, model)


@pytest.mark.promise("lane-as-new")
async def test_a_lane_is_as_new_after_a_turn_that_took_too_long(watched: Callable[..., Any], model: Model) -> None:
    async with watched(COHORT_TURN_TIMEOUT="0.3") as (engine, lane):
        with pytest.raises(TurnFailed):
            await engine.run(ask(1, "HOLD:gate"), Screen())
        assert lane.left() == {}


@pytest.mark.promise("lane-as-new")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_lane_is_as_new_after_turns_of_every_provider(
    watched: Callable[..., Any], llmock: LLMock, configure: Configure, tmp_path: Path, provider: str
) -> None:
    (name,) = everybody(llmock, configure, provider)
    (tmp_path / "photo-1").write_bytes(b"\x89PNG")
    async with watched(COHORT_MODEL=name, media=Shelf(tmp_path)) as (engine, lane):
        for message in ("hello", inbound(1, "look", media=(PHOTO,))):
            for agent in ("assistant", "chain"):
                await engine.run(ask(1, message, agent=agent), Screen())
                assert lane.left() == {}


@pytest.mark.promise("lane-as-new")
async def test_a_lane_is_as_new_after_turns_of_all_providers_one_after_the_other(
    watched: Callable[..., Any], model: Model, llmock: LLMock, configure: Configure, cards: Path
) -> None:
    models = everybody(llmock, configure, *PROVIDERS)
    card(cards, "writer.md", "---\nname: writer\n---\nYou.\n")
    async with watched(COHORT_MODEL=models[0], COHORT_MODELS=",".join(models)) as (engine, lane):
        for name in models:
            await says("hello", model=name)(engine, model)
            assert lane.left() == {}, name


async def test_a_runtime_that_only_clears_its_agents_is_caught_by_these_checks(runtime: Open, many: None) -> None:
    class Clearing(Engine):
        def _reset(self, lane: Any) -> None:
            for agent in lane.agents.agents.values():
                agent.clear(clear_prompts=True)

    async with runtime(Clearing, COHORT_LANES="1", COHORT_MODELS="generic.other") as engine:
        lane = Watched(engine)
        await engine.run(ask(1, "hello", model="generic.other"), Screen())
        left = lane.left()
    for name in ("_llm._model_name", "config.model", "last_turn_messages"):
        assert any(name in path for path in left), name


@pytest.mark.parametrize(
    ("section", "transport"), [({}, "sse"), ({"api_key": "k"}, "sse"), ({"transport": "auto"}, "auto")]
)
async def test_a_provider_keeps_no_socket_of_a_conversation_unless_the_operator_wants_it(
    runtime: Open, configure: Configure, monkeypatch: pytest.MonkeyPatch, section: dict[str, str], transport: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "from the environment")
    configure({"responses": section} if section else {})
    async with runtime(COHORT_MODEL="responses.gpt-5-mini") as engine:
        (lane,) = engine.lanes._free
        model = lane.agents.agents["assistant"].llm
        assert model.configured_transport == transport
        assert model._api_key() == section.get("api_key", "from the environment")
