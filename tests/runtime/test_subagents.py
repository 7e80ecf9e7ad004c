"""An agent that starts others by itself (``subagents: true``): they leave nothing, and have their chat's servers."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime.lane_watch import SERVER, Watched
from tests.runtime.reachable import picture
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model

START = f"CALL:subagent{json.dumps({'message': 'HELLO'})}"


@pytest.fixture
def starting(cards: Path, config: Path, model: Model) -> Callable[..., None]:
    def write(head: str = "", **server: object) -> None:
        servers = {"own": {"command": sys.executable, "args": [str(SERVER)], **server}}
        generic = {"base_url": f"{model.url}/v1", "api_key": "k"}
        config.write_text(json.dumps({"generic": generic, "mcp": {"servers": servers}}))
        card(cards, "assistant.md", f"---\nname: assistant\nmodel: generic.mock\nsubagents: true\n{head}---\nYou.\n")

    return write


@pytest.mark.promise("lane-as-new")
async def test_a_lane_is_as_new_after_a_turn_with_a_subagent(
    runtime: Open, model: Model, starting: Callable[..., None]
) -> None:
    starting()
    async with runtime(COHORT_LANES="1") as engine:
        lane = Watched(engine)
        done = await engine.run(ask(1, START), Screen())
        assert "HELLO" in done.text
        assert lane.left() == {}


@pytest.mark.parametrize(
    ("wanted", "called"),
    [("generic.dear", "mock"), ("generic.offered", "offered"), ("generic.mock", "mock"), ("anthropic.dear", "mock")],
)
async def test_a_subagent_has_no_model_that_its_chat_could_not_choose(
    runtime: Open, model: Model, starting: Callable[..., None], wanted: str, called: str
) -> None:
    starting()
    start = f"CALL:subagent{json.dumps({'message': 'HELLO', 'model': wanted})}"
    async with runtime(COHORT_MODELS="generic.offered") as engine:
        done = await engine.run(ask(1, start), Screen())
    assert {call.model for call in model.journal} == {"mock", called}
    assert ("not offered" in done.text) == ("dear" in wanted)


@pytest.mark.promise("isolated-words")
async def test_a_name_that_one_chat_gave_a_subagent_is_free_for_the_next(
    runtime: Open, model: Model, starting: Callable[..., None]
) -> None:
    starting()
    named = f"CALL:subagent{json.dumps({'message': 'HELLO', 'label': 'my-divorce'})}"
    async with runtime(COHORT_LANES="1") as engine:
        (lane,) = engine.lanes._free
        await engine.run(ask(1, named), Screen())
        assert not any("divorce" in what for what in picture(lane.agents.agents).values())


@pytest.mark.promise("servers-per-session")
async def test_a_subagent_has_its_own_chats_server(runtime: Open, model: Model, starting: Callable[..., None]) -> None:
    starting("servers: [own]\n", isolation="chat", env={"STORE": "{workdir}/notes.txt"})
    async with runtime(COHORT_LANES="1") as engine:
        for chat in (1, 2):
            done = await engine.run(ask(chat, f"CALL:subagent{json.dumps({'message': 'CALL:whoami'})}"), Screen())
            assert set(re.findall(r"sessions/(\w+)/notes", done.text)) == {f"42_{chat}"}
