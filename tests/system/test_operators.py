"""What operators look at, over the running system."""

import re
import subprocess
import sys
from typing import Any

import httpx
import pytest

from ops.up.plan import flower_command
from playground.client import PlaygroundClient
from tests.harness.processes import ROOT, Process
from tests.support.ports import free_port
from tests.support.until import until
from tests.system.conftest import Running


def node_of(worker: Process) -> str:
    """Its name for Celery and Flower."""
    return worker.wait_line("worker.ready").rpartition("node=")[2].split()[0]


@pytest.mark.promise("flower-wordless")
@pytest.mark.promise("flower-lists")
async def test_flower_lists_the_workers_and_their_tasks(running: Running, people: PlaygroundClient) -> None:
    port = free_port()
    flower = running.harness.start("flower", [*flower_command(port)[2:-1]], FLOWER_UNAUTHENTICATED_API="true")
    with flower:
        flower.wait_line("Connected to redis")
        alive = {node_of(process) for process in running.harness.workers.values() if process.alive}
        bot = (await people.call("getMe"))["result"]["id"]
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False, verify=False
        ) as http:
            listed = (await http.get("/api/workers", params={"refresh": "1"})).json()
            assert alive <= set(listed)
            # Flower hears of tasks from the moment it listens, which it does not tell, and somewhat after they ended.
            seen: dict[str, Any] = {}
            tasks: list[str] = []
            while len(tasks) < 100 and not seen.get("name"):
                chat = (await people.chat())["id"]
                said = await people.say(chat, "show up in Flower")
                await people.wait_for(chat, lambda ours: bool(ours) and "[n=1]" in ours[-1]["text"])
                tasks.append(f"{bot}-{said.update_id}")
                for task in tasks:
                    answer = await http.get(f"/api/task/info/{task}")
                    if answer.status_code == 200 and answer.json()["name"] and answer.json()["result"]:
                        seen = answer.json()
                        break
            assert seen["name"] == "chat.turn"
            # The text of a message stands in no task.
            assert "Flower" not in str(seen)
            assert re.fullmatch(r"\(session [0-9a-f]{10}, slot \d\d, update \d+\)", seen["args"]), seen["args"]
            assert re.search(r"'outcome': '\w+', .*'tokens': \d+, 'seconds': ", seen["result"]), seen["result"]
            assert (await http.get("/workers")).status_code == 200


@pytest.mark.promise("flower-lists")
async def test_flower_asks_a_worker_that_starts_after_it(running: Running) -> None:
    port = free_port()
    flower = running.harness.start("flower", [*flower_command(port)[2:-1]], FLOWER_UNAUTHENTICATED_API="true")
    with flower:
        flower.wait_line("Connected to redis")
        with running.harness.worker() as late:
            name = node_of(late)
            assert re.fullmatch(r"cohort-[1-9]\d*@.+", name)
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False, verify=False
            ) as http:
                # Without `refresh`: only what Flower asked by itself.
                async def listed() -> bool:
                    return name in (await http.get("/api/workers")).json()

                await until(listed)
            late.end()


@pytest.mark.soak  # tests/bot looks at one more process of the bot for the same.
@pytest.mark.promise("bot-without-fast-agent")
def test_the_bot_never_imports_fast_agent() -> None:
    code = "import sys, bot.wiring, bot.__main__; sys.exit(any(m.split('.')[0] == 'fast_agent' for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
