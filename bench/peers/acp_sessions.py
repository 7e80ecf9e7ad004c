"""Sessions of fast-agent's ACP server in one process: what two of them share, and the memory of two and of many."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from acp import PROTOCOL_VERSION, spawn_agent_process, text_block

from bench.proc import cost, tree
from tests.support.model import Model

CONFIG = """default_model: generic.mock
llm_retries: 0
logger: {type: none, progress_display: false, show_chat: false, show_tools: false}
"""
CLOCK = f"mcp: {{servers: {{clock: {{command: {sys.executable}, args: [-m, mcp_server_time]}}}}}}\n"
CARD = "---\nname: assistant\ndefault: true\nfunction_tools: ['look.py:look']\n%s---\nYou are a helpful assistant.\n"
LOOK = '''"""A tool that says which objects fast-agent's code finds from inside a turn."""
import json, logging, os
from fast_agent.config import get_settings
from fast_agent.context import get_current_context
from fast_agent.session import get_active_session_manager

def look() -> str:
    """Look."""
    context = get_current_context()
    found = {"settings": get_settings(), "context": context, "server registry": context.server_registry,
             "logger": logging.getLogger("fast_agent"), "session manager": get_active_session_manager()}
    return json.dumps({"directory": os.getcwd(), **{name: id(one) for name, one in found.items()}})
'''


class Client:
    """The side of the chats: what the server says to each session."""

    def __init__(self) -> None:
        self.texts, self.titles = list[tuple[str, str]](), list[tuple[str, str]]()

    def on_connect(self, conn: Any) -> None:
        self.conn = conn

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        if update.session_update == "agent_message_chunk":
            self.texts.append((session_id, update.content.text))
        elif update.session_update == "session_info_update" and update.title:
            self.titles.append((session_id, update.title))

    async def session(self, directory: Path) -> str:
        directory.mkdir()
        return (await self.conn.new_session(cwd=str(directory), mcp_servers=[])).session_id

    async def say(self, session: str, text: str) -> str:
        before = len(self.texts)
        await self.conn.prompt(prompt=[text_block(text)], session_id=session)
        return "".join(said for heard_by, said in self.texts[before:] if heard_by == session)


@asynccontextmanager
async def served(model: Model, servers: str = "") -> AsyncIterator[tuple[Client, Path, int]]:
    with tempfile.TemporaryDirectory() as place:
        home, client = Path(place), Client()
        (home / "cards").mkdir()
        (home / "cards/assistant.md").write_text(CARD % ("servers: [clock]\n" if servers else ""))
        (home / "cards/look.py").write_text(LOOK)
        (home / "config.yaml").write_text(CONFIG + servers)
        known = {"HOME": place, "GENERIC_API_KEY": "none", "GENERIC_BASE_URL": f"{model.url}/v1", "NO_PROXY": "*"}
        command = [sys.executable, "-m", "fast_agent.cli", "acp", "--no-permissions"]
        command += ["--config-path", str(home / "config.yaml"), "--agent-cards", str(home / "cards")]
        async with spawn_agent_process(client, *command, env={**os.environ, **known}, cwd=home) as (_, process):
            await client.conn.initialize(protocol_version=PROTOCOL_VERSION)
            yield client, home, process.pid


async def shared(client: Client, home: Path, pid: int, model: Model) -> None:
    print("processes without a session:", len(tree(pid)))
    a, b = await client.session(home / "A"), await client.session(home / "B")
    print("with two, whose card has one stdio server:", len(tree(pid)))
    await client.say(a, "words of A")
    found = [json.loads((await client.say(one, "CALL:look{}")).partition("tool=")[2]) for one in (a, b)]
    for name, of_a in found[0].items():
        print(f"{name}:", "shared" if found[1][name] == of_a else "apart")
    holding = [path.parent for path in home.rglob("*.json") if "words of A" in path.read_text()]
    print("A's words lie in", *{str(path.relative_to(home)) for path in holding})
    print("B's client is told of the titles", *(title for heard_by, title in client.titles if heard_by == b))
    print("/session list in B:", await client.say(b, "/session list"))
    print(await client.say(a, f"***SAVE_HISTORY {home / 'kept.json'}"), (home / "kept.json").exists())
    for command in ("/model", "/session", "/skills", "/mcp"):
        print(command, "is answered:", (await client.say(a, command)).splitlines()[0])
    async with asyncio.TaskGroup() as group:
        group.create_task(client.say(a, "HOLD:gate"), name="first")
        await model.held("gate")
        second = group.create_task(client.say(a, "second"), name="second")
        await client.say(b, "hello")
        print("B was answered during A's turn; A's second message was:", second.done())
        model.release("gate")


async def main(more: int) -> None:
    async with Model() as model:
        async with served(model, CLOCK) as (client, home, pid):
            await shared(client, home, pid, model)
        async with served(model) as (client, home, pid):
            for number in range(1, more + 3):
                await client.say(await client.session(home / str(number)), "hello")
                if number in (2, more + 2):
                    print(f"{number} sessions, one turn each, no server: {cost(pid).rss_mib:.0f} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--more", type=int, default=100, help="sessions beside two")
    asyncio.run(main(parser.parse_args().more))
