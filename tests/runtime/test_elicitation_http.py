"""What an MCP server over HTTP asks while it carries out a call: a server of the usual library for them."""

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
import yaml
from fastmcp import Context, FastMCP

from tests.runtime.support import Open, Screen, card, inbound, until
from tests.runtime.test_elicitation import Person, asking
from tests.support.model import Model


async def ask(context: Context) -> str:
    """Order."""
    said = await context.elicit("An order.", ["small", "large"])
    return f"{said.action} {getattr(said, 'data', '')}"


@pytest.fixture
def configure_shop(config: Path, cards: Path) -> Callable[[str], None]:
    def configured(url: str) -> None:
        content = yaml.safe_load(config.read_text())
        # With the protocol of 2026-07-28 a server has no way to ask within a request.
        content["mcp"] = {"servers": {"shop": {"transport": "http", "url": url, "protocol_mode": "legacy"}}}
        config.write_text(yaml.safe_dump(content))
        card(cards, "assistant.md", "---\nname: assistant\nmodel: generic.mock\nservers: [shop]\n---\nYou.\n")

    return configured


@pytest.fixture
def sdk_shop(config: Path, cards: Path, model: Model) -> Callable[[str], None]:
    """A server of the MCP SDK on stdin, with the protocol of this mode."""

    def configured(mode: str) -> None:
        content = yaml.safe_load(config.read_text())
        program = str(Path(__file__).with_name("modern_shop.py"))
        content["mcp"] = {"servers": {"shop": {"command": sys.executable, "args": [program], "protocol_mode": mode}}}
        config.write_text(yaml.safe_dump(content))
        card(cards, "assistant.md", "---\nname: assistant\nmodel: generic.mock\nservers: [shop]\n---\nYou.\n")

    return configured


@pytest.fixture
async def shop(configure_shop: Callable[[str], None]) -> AsyncGenerator[None]:
    served = FastMCP("shop")
    served.tool(ask)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(served.http_app(), log_config=None, ws="none"))
        async with asyncio.TaskGroup() as group:
            running = group.create_task(server.serve([listening]))
            await until(lambda: server.started or running.done())
            configure_shop(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp")
            yield
            server.should_exit = server.force_exit = True


@pytest.mark.promise("elicited")
@pytest.mark.parametrize(
    ("tool", "mode", "told"),
    [
        ("before", "auto", "ordered 42"),
        ("before", "legacy", "ordered 42"),
        ("within", "legacy", "accepted 42"),
        # The protocol of 2026-07-28 has no way to ask within a call: the library itself says so to the tool.
        ("within", "auto", "no back-channel"),
    ],
)
async def test_a_server_of_the_sdk_asks_as_its_protocol_lets_it(
    runtime: Open, sdk_shop: Callable[[str], None], *, tool: str, mode: str, told: str
) -> None:
    sdk_shop(mode)
    person = Person(["42"])
    async with runtime(COHORT_LANES="1") as engine:
        request = replace(asking(person), messages=(inbound(1, f"CALL:{tool}{{}}"),))
        result = await engine.run(request, Screen())
    assert told in result.text
    assert bool(person.asked) == (told != "no back-channel")


@pytest.mark.promise("elicited")
@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(("said", "told"), [(">large", "accept large"), (">Cancel", "cancel")])
async def test_a_server_over_http_asks_and_reads_the_answer(runtime: Open, model: Model, said: str, told: str) -> None:
    person = Person([said])
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(asking(person), Screen())
    assert told in result.text
    assert len(person.asked) == 1


@pytest.mark.promise("elicited")
@pytest.mark.usefixtures("shop")
async def test_two_calls_of_one_turn_ask_one_after_the_other(runtime: Open, model: Model) -> None:
    person = Person([">large", ">small"])
    turn = asking(person)
    message = turn.messages[0].model_copy(update={"text": "CALL:ask{} CALL:ask{}"})
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(type(turn)(turn.session, (message,), holds=person, asks=True), Screen())
    assert "accept large" in result.text
    assert "accept small" in result.text
