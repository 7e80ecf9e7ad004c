"""Each of Flower's actions on a running system works, or says what to do instead, and no message is lost."""

import asyncio
from pathlib import Path

import httpx
import pytest

from playground.client import PlaygroundClient
from tests.harness.talk import talk
from tests.support.flower import started
from tests.support.until import until
from tests.system.conftest import Running

ACTIONS: tuple[tuple[str, dict[str, str]], ...] = (
    ("worker/pool/grow/{worker}", {"n": "1"}),
    ("worker/pool/shrink/{worker}", {"n": "1"}),
    ("worker/pool/autoscale/{worker}", {"min": "1", "max": "3"}),
    ("worker/pool/restart/{worker}", {}),
    ("worker/queue/add-consumer/{worker}", {"queue": "chats.05"}),
    ("worker/queue/cancel-consumer/{worker}", {"queue": "chats.05"}),
    ("task/rate-limit/chat.turn", {"workername": "{worker}", "ratelimit": "1/m"}),
    ("task/timeout/chat.turn", {"workername": "{worker}", "hard": "1", "soft": "1"}),
    ("task/revoke/{task}", {"terminate": "false"}),
    ("task/revoke/{task}", {"terminate": "true"}),
    ("task/abort/{task}", {}),
    ("task/apply/chat.turn", {}),
    ("task/async-apply/chat.turn", {}),
    ("task/send-task/chat.turn", {}),
)
INSTEAD = ("COHORT_", "/stop", "cohort drain", "cohort scale", "its slots", "write to the bot")
DEFECTS = ("AttributeError", "TypeError", "Traceback", "doorbell.broken")
CHATS = 20


@pytest.mark.promise("flower-lists")
async def test_each_action_works_or_says_what_to_do_instead_while_20_chats_talk(
    running: Running, people: PlaygroundClient, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pressed = running.harness.worker(ready=False)
    before = {name: len(process.lines) for name, process in running.harness.workers.items()}
    over, spoken = asyncio.Event(), asyncio.Semaphore(0)
    async with (
        started(running.harness.redis_url, tmp_path, FLOWER_BASIC_AUTH="op:secret") as url,
        httpx.AsyncClient(
            base_url=f"{url}/api/", trust_env=False, verify=False, timeout=60, auth=("op", "secret")
        ) as http,
        asyncio.TaskGroup() as group,
    ):
        said = await asyncio.to_thread(pressed.wait_line, "worker.ready")
        await asyncio.to_thread(pressed.wait_line, "slots.served")
        worker = said.partition("node=")[2].split()[0]
        talking = [group.create_task(talk(people, over, spoken)) for _ in range(CHATS)]
        await until(lambda: _knows(http, worker))
        (task,) = (await until(lambda: _json(http, "tasks?limit=1"))).keys()
        names = {"worker": worker, "task": task}
        for action, given in ACTIONS:
            answer = await http.post(action.format(**names), data={k: v.format(**names) for k, v in given.items()})
            assert answer.status_code == 403, (action, answer.text)
            assert any(word in answer.text for word in INSTEAD), (action, answer.text)
            assert "Error" not in answer.text, action
            # Flower's page shows this answer's text as HTML has it, and without an element it shows nothing.
            assert answer.text.startswith("<p>") == ("timeout" in action), action
        result = await http.get(f"task/result/{task}")
        assert (result.status_code, "cohort find" in result.text) == (403, True)
        drained = await http.post(f"worker/shutdown/{worker}")
        assert (drained.status_code, drained.json()) == (200, {"message": "Shutting down!"})
        assert await asyncio.to_thread(pressed.wait) == 0
        for _ in range(CHATS):
            await spoken.acquire()
        over.set()
    assert all(one.result() for one in talking)
    output = [line for name, at in before.items() for line in running.harness.workers[name].lines[at:]]
    output += capfd.readouterr().err.splitlines()
    assert [line for line in output if any(word in line for word in DEFECTS)] == []


async def _json(http: httpx.AsyncClient, path: str) -> dict[str, object]:
    return (await http.get(path)).json()


async def _knows(http: httpx.AsyncClient, worker: str) -> bool:
    return bool((await _json(http, "workers")).get(worker))
