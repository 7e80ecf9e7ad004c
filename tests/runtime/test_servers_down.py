"""Shared MCP servers that are down: at start, later, for a while; and lanes that are only half made."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
import yaml

from tasks.errors import Misconfigured
from tests.runtime.conftest import SERVER
from tests.runtime.http_server import Refusal, SessionServer, rpc
from tests.runtime.support import Open, Screen, StillClock, ask, card, until
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.runtime.engine import Engine

HOOKS = """
import os
from pathlib import Path
HERE = Path(__file__).parent

async def on_start(ctx):
    with (HERE / "started").open("a") as file:
        file.write(ctx.agent.name + "\\n")

async def on_shutdown(ctx):
    with (HERE / "ended").open("a") as file:
        file.write(ctx.agent.name + "\\n")

async def breaks(ctx):
    if (HERE / "break").exists():
        raise ValueError("not today")
"""


@pytest.fixture
async def sky() -> AsyncGenerator[SessionServer]:
    async with SessionServer() as server:
        yield server


@pytest.fixture
def servers(config: Path) -> Callable[..., None]:
    """Write the servers of the configuration."""

    def write(**named: dict[str, object]) -> None:
        content = yaml.safe_load(config.read_text())
        content["mcp"] = {"servers": named}
        config.write_text(yaml.safe_dump(content))

    return write


def agent(cards: Path, name: str, *servers: str, more: str = "") -> None:
    head = f"name: {name}\nmodel: generic.mock\nservers: [{', '.join(servers)}]\n{more}"
    card(cards, f"{name}.md", f"---\n{head}---\nYou.\n")


def stdio(*args: str) -> dict[str, object]:
    return {"command": sys.executable, "args": list(args) or [str(SERVER)]}


async def say(engine: Engine, text: str, name: str) -> str:
    return (await engine.run(ask(1, text, agent=name), Screen())).text


def children() -> set[int]:
    """Processes that this one started and that live."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.add(int(path.parent.name))
    return found


@pytest.mark.promise("servers-down")
async def test_a_server_that_is_down_at_start_costs_only_its_tools_and_the_operator_is_told_once(
    runtime: Open, model: Model, cards: Path, servers, caplog: pytest.LogCaptureFixture
) -> None:
    servers(gone={"command": "/nonexistent/server"}, small=stdio())
    agent(cards, "helper", "gone", "small")
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def alert(cause: str, detail: str) -> None:
        told.put_nowait((cause, detail))

    async with runtime(COHORT_LANES="2", alert=alert) as engine:
        assert engine.servers_down == ("gone",)
        assert await say(engine, "hello", "assistant") == "echo: hello [n=1]"
        assert "pid" in await say(engine, "CALL:whoami", "helper"), "its other servers are there"
        assert "not reachable at present" in model.journal[-1].messages[0]["text"]
        assert "gone" in model.journal[-1].messages[0]["text"], "the model knows what it lacks"
        async with asyncio.timeout(60):
            cause, detail = await told.get()
        assert cause == "MCP server gone"
        assert "does not start" in detail
        assert "/nonexistent/server" in detail
    assert told.empty()
    lines = [record for record in caplog.records if record.message == "server.unreachable"]
    assert [(line.server, line.levelno) for line in lines] == [("gone", logging.ERROR)]


@pytest.mark.promise("servers-down")
async def test_a_server_that_comes_back_is_used_again_without_anything_being_done(
    runtime: Open, model: Model, cards: Path, servers, sky: SessionServer
) -> None:
    servers(sky={"transport": "http", "url": f"{sky.url}/mcp"})
    agent(cards, "weatherman", "sky")
    await sky.__aexit__(None, None, None)
    async with runtime(COHORT_LANES="1") as engine:
        assert engine.servers_down == ("sky",)
        assert await say(engine, "hello", "weatherman") == "echo: hello [n=1]"
        assert not model.journal[-1].tools
        await sky.__aenter__()
        await until(lambda: not engine.servers_down)
        assert "tool=sunny" in await say(engine, "CALL:weather", "weatherman")
        assert "not reachable" not in model.journal[-1].messages[0]["text"]


@pytest.mark.promise("servers-down")
async def test_tools_that_were_known_stay_and_say_that_their_server_is_down(  # noqa: PLR0917 - fixtures
    runtime: Open, model: Model, cards: Path, servers, sky: SessionServer, clock: StillClock
) -> None:
    servers(sky={"transport": "http", "url": f"{sky.url}/mcp"})
    agent(cards, "weatherman", "sky")
    async with runtime(COHORT_LANES="2") as engine:
        assert "tool=sunny" in await say(engine, "CALL:weather", "weatherman")
        await sky.__aexit__(None, None, None)
        assert "not known" in await say(engine, "CALL:weather", "weatherman"), "it may have been carried out"
        # Its lane is replaced, and so are all on another day.
        clock.seconds += 86_400
        for _ in range(2):
            assert "tool=The MCP server sky is not reachable" in await say(engine, "CALL:weather", "weatherman")
            assert await say(engine, "hello", "assistant") == "echo: hello [n=1]"
        assert engine.servers_down == ("sky",)
        await sky.__aenter__()
        await until(lambda: not engine.servers_down)
        assert "tool=sunny" in await say(engine, "CALL:weather", "weatherman")


async def test_a_server_behind_a_proxy_that_says_so_is_down(
    runtime: Open, model: Model, cards: Path, servers, sky: SessionServer
) -> None:
    servers(sky={"transport": "http", "url": f"{sky.url}/mcp"})
    agent(cards, "weatherman", "sky")
    async with runtime(COHORT_LANES="1") as engine:
        await say(engine, "CALL:weather", "weatherman")
        sky.fails = Refusal(502, b"Bad Gateway", {"content-type": "text/plain"})
        assert "not reachable at present" in await say(engine, "CALL:weather", "weatherman")
        sky.fails = None
        await until(lambda: not engine.servers_down)
        assert "tool=sunny" in await say(engine, "CALL:weather", "weatherman")


async def test_a_server_of_which_only_the_start_works_stays_down_and_renews_no_lanes(
    runtime: Open, model: Model, cards: Path, servers, sky: SessionServer
) -> None:
    sky.unlisted = Refusal(200, rpc(-32603, "database locked") | {"id": "same"})
    servers(sky={"transport": "http", "url": f"{sky.url}/mcp"})
    agent(cards, "weatherman", "sky")
    async with runtime(COHORT_LANES="1") as engine:
        assert await say(engine, "hello", "weatherman") == "echo: hello [n=1]"
        await until(lambda: sky.begun == 3)
        assert (engine.servers_down, engine.lanes.made) == (("sky",), 1)
        sky.unlisted = None
        await until(lambda: not engine.servers_down)
        assert "tool=sunny" in await say(engine, "CALL:weather", "weatherman")


async def test_servers_that_answer_elsewhere_are_not_hindered_by_one_lane_that_lost_its_process(
    runtime: Open, model: Model, cards: Path, servers, tmp_path: Path
) -> None:
    """A stdio server that starts once: the lane that has it keeps it."""
    once = tmp_path / "once.py"
    once.write_text(
        f"import os, runpy, sys\nfrom pathlib import Path\nflag = Path({str(tmp_path / 'flag')!r})\n"
        f"if flag.exists(): sys.exit(3)\nflag.touch()\nrunpy.run_path({str(SERVER)!r}, run_name='__main__')\n"
    )
    servers(small=stdio(str(once)))
    agent(cards, "helper", "small")
    async with runtime(COHORT_LANES="2") as engine, asyncio.TaskGroup() as group:
        pid = json.loads((await say(engine, "CALL:whoami", "helper")).partition("tool=")[2])["pid"]
        held = group.create_task(engine.run(ask(2, "HOLD:x CALL:whoami", agent="helper"), Screen()), name="held")
        await model.held("x")
        assert "tool=The MCP server small is not reachable" in await say(engine, "CALL:whoami", "helper")
        assert engine.servers_down == ("small",)
        model.release("x")
        assert str(pid) in (await held).text


@pytest.mark.promise("servers-down")
async def test_a_lane_that_is_only_half_made_ends_what_it_began(
    runtime: Open, model: Model, cards: Path, servers, clock: StillClock
) -> None:
    card(cards, "hooks.py", HOOKS)
    servers(small=stdio())
    own = "lifecycle_hooks:\n  on_start: hooks.py:on_start\n  on_shutdown: hooks.py:on_shutdown\n"
    agent(cards, "a_helper", "small", more=own)
    # Made after the one that it uses.
    agent(cards, "b_helper", more="agents: [a_helper]\nlifecycle_hooks:\n  on_start: hooks.py:breaks\n")
    before = children()
    async with runtime(COHORT_LANES="1") as engine:
        await say(engine, "hello", "a_helper")
        (cards / "break").touch()
        clock.seconds += 86_400
        for _ in range(3):
            with pytest.raises(TurnFailed) as failure:
                await say(engine, "hello", "a_helper")
            assert (failure.value.action, "on_start" in failure.value.detail) == ("operator", True)
        assert children() == before, "no server of a half-made lane runs on"
        (cards / "break").unlink()
        await until(lambda: engine.lanes.made == 2)
        assert await say(engine, "hello", "a_helper") == "echo: hello [n=1]"
        assert len(children() - before) == 1
    assert children() == before
    started, ended = ((cards / name).read_text().splitlines() for name in ("started", "ended"))
    assert started == ended
    assert len(started) >= 3


async def test_hooks_of_start_and_end_run_once_for_each_lane_though_a_server_is_down(
    runtime: Open, model: Model, cards: Path, servers
) -> None:
    card(cards, "hooks.py", HOOKS)
    servers(gone={"command": "/nonexistent/server"}, small=stdio())
    own = "lifecycle_hooks:\n  on_start: hooks.py:on_start\n  on_shutdown: hooks.py:on_shutdown\n"
    agent(cards, "helper", "small", "gone", more=own)
    before = children()
    async with runtime(COHORT_LANES="1") as engine:
        for _ in range(3):
            await say(engine, "hello", "helper")
        assert len(children() - before) == 1
    assert (cards / "started").read_text() == (cards / "ended").read_text() == "helper\n"


async def test_cards_are_let_in_while_a_server_of_before_is_down_and_not_with_a_new_one_that_is(
    runtime: Open, model: Model, cards: Path, servers
) -> None:
    servers(gone={"command": "/nonexistent/server"}, lost={"command": "/nonexistent/other"})
    agent(cards, "helper", "gone")
    async with runtime(COHORT_LANES="1") as engine:
        agent(cards, "second")
        assert "second" in await engine.reload()
        agent(cards, "third", "lost")
        with pytest.raises(Misconfigured, match="MCP server lost does not start"):
            await engine.reload()
        assert engine.servers_down == ("gone",)
        assert await say(engine, "hello", "second") == "echo: hello [n=1]"


async def test_a_command_that_is_no_program_is_told_by_its_reason(
    runtime: Open, cards: Path, servers, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    servers(odd={"command": str(tmp_path / "file" / "server")})
    agent(cards, "helper", "odd")
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def alert(cause: str, detail: str) -> None:
        told.put_nowait((cause, detail))

    async with runtime(alert=alert), asyncio.timeout(60):
        _, detail = await told.get()
    assert "Traceback" not in detail
    assert "Not a directory" in detail


@pytest.mark.parametrize(
    "case",
    [
        ("raise SystemExit('no database')", "its program ended and says 'no database'"),
        ("raise ValueError('no database')", "its program ended and says 'ValueError: no database'"),
        (
            "import sys; sys.stderr.write('x' * 10**6 + '\\nno \\x1b[31mroom\\n\\n')",
            "its program ended and says 'no room'",
        ),
        ("raise SystemExit('TOKEN=abc is wrong')", "its program ended and says 'TOKEN=••• is wrong'"),
        ("pass", "its program ended without a word"),
    ],
)
async def test_a_program_that_ends_at_once_is_told_with_its_last_words(
    runtime: Open, cards: Path, servers, caplog: pytest.LogCaptureFixture, case: tuple[str, str]
) -> None:
    program, told = case
    servers(short={"command": sys.executable, "args": ["-c", program]})
    agent(cards, "helper", "short")
    async with runtime(COHORT_LANES="1") as engine:
        assert engine.servers_down == ("short",)
    (line,) = [record for record in caplog.records if record.message == "server.unreachable"]
    assert line.reason.endswith(told)
