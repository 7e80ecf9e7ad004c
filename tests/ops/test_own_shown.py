"""What operators see of chats' own processes: in `cohort status`, `cohort doctor` and the console's metrics."""

from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ops.commands.doctor.own import own
from ops.commands.status.read import look
from ops.commands.status.text import render
from ops.context import Context
from ops.home import Home
from ops.web.scrape import scrape
from tasks.clock import SystemClock
from tasks.config.settings import Settings, load
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.status.worker import OwnHostStatus, WorkerStatus
from tasks.store import Store
from tasks.telemetry.exposition import packed
from tests.conftest import BOT
from tests.support.redis_of import redis_of

ONE, TWO = SessionKey(BOT, 1), SessionKey(BOT, 2)
HOST = OwnHostStatus(
    host="a", pid=7, most=2, alive=1, busy=1, starts=9, evictions=4, failures=3, processes={"own-xyz": "own-1"}
)


async def works(store: Store) -> None:
    """The process of the first session runs a turn; the second session waits for one."""
    await store.own.beat("a-1", HOST)
    status = WorkerStatus(host="a", lanes=1, awake=1, at_work=1)
    await store.members.beat("own-xyz", status, timedelta(minutes=5), member=False)
    for session in (ONE, TWO):
        slot = f"cohort:slot:{slot_of(str(session), 64):02d}:pending"
        await redis_of(store).zadd(slot, {str(session): SystemClock().now()})
    await redis_of(store).hset(f"cohort:s:{ONE}:state", "owner", "own-xyz")
    await store.own.ask(TWO)


@pytest.mark.promise("own-process")
async def test_status_shows_own_processes_by_host_and_a_chat_that_one_answers_does_not_wait(store: Store) -> None:
    quiet = await look(store, SystemClock(), slots=64)
    assert "own processes" not in render(quiet)
    await works(store)
    seen = await look(store, SystemClock(), slots=64)
    page = " ".join(render(seen).split())
    assert "own processes 1 of 2 on a, 1 at work (9 started, 4 ended to make room) 1 chat waiting for one" in page
    assert seen.waiting == 1
    told = seen.to_json()
    figures = {"host": "a", "pid": 7, "most": 2, "alive": 1, "busy": 1, "starts": 9, "evictions": 4}
    assert told["own_hosts"] == (figures,)
    assert told["own_wanted"] == 1


@pytest.mark.promise("own-process")
async def test_one_scrape_has_the_turns_of_own_processes_by_place_and_each_host_s_figures(store: Store) -> None:
    await works(store)
    turns = (
        '# HELP cohort_turns_total T.\n# TYPE cohort_turns_total counter\ncohort_turns_total{outcome="answered"} 3\n'
    )
    await store.figures.publish("own-xyz", packed(turns))
    page = await scrape(store, SystemClock(), slots=64)
    found = {family.name: family.samples for family in text_string_to_metric_families(page)}
    assert [(one.labels["process"], one.value) for one in found["cohort_turns"]] == [("own-1@a", 3.0)]
    assert {one.labels["kind"] for one in found["cohort_process_up"]} == {"own"}
    names = ("alive", "busy", "most", "starts", "evictions", "failures", "wanted")
    assert [found[f"cohort_own_{name}"][0].value for name in names] == [1.0, 1.0, 2.0, 9.0, 4.0, 3.0, 1.0]


@pytest.mark.promise("own-process")
async def test_doctor_says_where_a_process_is_asked_for_that_no_host_can_start(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    rules = tmp_path / "chats.yaml"
    environ = {"REDIS_URL": settings.redis, "COHORT_CHATS": str(rules), "COHORT_CARDS": str(tmp_path)}
    here = Context(load(environ), environ, Home(tmp_path), None)
    assert await own(here) == []
    rules.write_text("chats:\n  -5: {topics: {7: {isolation: process}}}\n  -6: {isolation: shared}\n")
    (tmp_path / "safe.md").write_text("---\nname: safe\nisolation: process\n---\nYou.\n")
    (tmp_path / "torn.md").write_text("---\nname: [\n---\nYou.\n")
    (found,) = await own(here)
    assert found.severity == "warning"
    for place in (f"chats.-5.topics.7 in {rules}", str(tmp_path / "safe.md"), "no host of such processes lives"):
        assert place in found.seen
    await store.own.beat("a-1", HOST.model_copy(update={"most": 0}))
    assert (await own(here))[0].severity == "warning"
    await store.own.beat("a-1", HOST)
    assert [one.severity for one in await own(here)] == ["ok"]
    await store.own.ask(ONE)
    await store.own.beat("a-1", HOST.model_copy(update={"busy": 2}))
    (full,) = await own(here)
    assert "all 2 work, and 1 chat waits for one" in full.seen
