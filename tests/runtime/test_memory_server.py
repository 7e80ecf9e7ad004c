"""A real server that keeps what it is told, the knowledge graph: one chat's in another's hands, unless it is marked."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.harness.command import server_of
from tests.runtime.support import Open, Screen, ask, card
from tests.support.model import Model
from workers.runtime.engine import Engine

READ = "CALL:read_graph"


def keep(name: str, fact: str) -> str:
    entity = {"name": name, "entityType": "person", "observations": [fact]}
    return f"CALL:create_entities{json.dumps({'entities': [entity]})}"


@pytest.fixture
def serve(config: Path, cards: Path):
    """Give the assistant the server, with further settings."""

    def add(**settings: Any) -> None:
        server = server_of("tests.runtime.memory_server")
        server |= settings | {"env": {**server.get("env", {}), **settings.get("env", {})}}
        known = config.read_text().partition("mcp:")[0]
        config.write_text(f"{known}mcp: {json.dumps({'servers': {'memory': server}})}\n")
        card(cards, "assistant.md", "---\nname: assistant\nmodel: generic.mock\nservers: [memory]\n---\nYou.\n")

    return add


async def graph(engine: Engine, chat: int) -> str:
    """All that the server of this chat knows."""
    return (await engine.run(ask(chat, READ), Screen())).text.partition("tool=")[2]


@pytest.mark.promise("servers-per-session")
async def test_a_knowledge_graph_marked_isolated_is_its_chats_alone_and_there_for_it_later(
    runtime: Open, model: Model, serve
) -> None:
    serve(env={"MEMORY_FILE_PATH": "{workdir}/memory.json"}, isolation="chat")
    async with runtime(COHORT_LANES="1") as engine:
        await engine.run(ask(1, keep("Ada", "owns the red door key")), Screen())
        assert "red door" not in await graph(engine, 2)
        await engine.run(ask(2, keep("Bob", "hides beneath the stairs")), Screen())
        own = await graph(engine, 1)
        assert ("red door" in own, "stairs" in own) == (True, False)
    # Another worker, or this one after a restart.
    async with runtime(COHORT_LANES="2") as engine:
        own, other = await graph(engine, 1), await graph(engine, 2)
    assert ("red door" in own, "stairs" in own) == (True, False)
    assert ("red door" in other, "stairs" in other) == (False, True)


async def test_the_same_knowledge_graph_shared_tells_one_chat_of_another(
    runtime: Open, model: Model, serve, tmp_path: Path
) -> None:
    serve(env={"MEMORY_FILE_PATH": str(tmp_path / "memory.json")})
    async with runtime(COHORT_LANES="1") as engine:
        await engine.run(ask(1, keep("Ada", "owns the red door key")), Screen())
        assert "red door" in await graph(engine, 2), "what the mark is for"
