"""Prometheus metrics of the running processes."""

import httpx

from playground.client import PlaygroundClient
from tests.support.ports import free_port
from tests.system.conftest import Running


async def test_a_worker_serves_metrics_of_its_turns(running: Running, people: PlaygroundClient) -> None:
    worker = running.harness.worker(COHORT_METRICS_PORT=str(free_port()))
    port = worker.wait_line("metrics.served").rsplit("port=", 1)[1]
    chats = [(await people.chat())["id"] for _ in range(30)]
    for chat in chats:
        await people.say(chat, "count me")
    for chat in chats:
        await people.wait_for(chat, lambda ours: bool(ours) and "[n=1]" in ours[-1]["text"])
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=60) as http:
        told = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    values = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
    assert float(values['cohort_turns_total{outcome="answered"}']) > 0
    assert float(values["cohort_wait_seconds_count"]) > 0
    assert float(values["cohort_slots_served"]) > 0
    assert "count me" not in told
    worker.end()
