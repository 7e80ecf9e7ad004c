"""`cohort status` and `cohort doctor`: what they see in a store, and what they say of it."""

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from ops import durability
from ops.commands.doctor import command as doctor
from ops.commands.status.read import look
from ops.commands.status.text import health_problems, render
from ops.commands.status.view import Look, Worker, rate
from ops.context import Context
from ops.home import Home
from tasks.clock import SystemClock
from tasks.config.settings import Settings, load
from tasks.envelope import Inbound
from tasks.session import SessionKey
from tasks.slots import assign, slot_of
from tasks.status.worker import WorkerStatus
from tasks.store import Store, connect
from tests.harness.command import cohort
from tests.harness.processes import ROOT
from tests.support.redis_of import redis_of


class FakeClock:
    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now


async def peopled(store: Store) -> str:
    """Two workers, one session that has waited since 100."""
    for name in ("worker-1-aaaa", "worker-2-bbbb"):
        await store.members.beat(name, WorkerStatus(host="here", pid=7, lanes=4, at_work=1), timedelta(minutes=5))
    await store.members.propose(0, assign(64, ["worker-1-aaaa", "worker-2-bbbb"], {}))
    redis, said = redis_of(store), Inbound(session="4242:5", update_id=1, at=100.0)
    await redis.rpush("cohort:s:4242:5:inbox", said.to_json())
    await redis.zadd(f"cohort:slot:{slot_of(said.session, 64):02d}:pending", {said.session: 100.0})
    return said.session


async def test_status_shows_workers_slots_and_what_has_waited_longest(store: Store) -> None:
    session = await peopled(store)
    seen = await look(store, FakeClock(112.5), slots=64)
    assert [(worker.incarnation, worker.slots) for worker in seen.workers] == [
        ("worker-1-aaaa", 32),
        ("worker-2-bbbb", 32),
    ]
    assert (seen.running, seen.waiting, seen.unowned) == (2, 0, 0)
    assert (seen.oldest_s, seen.load) == (12.5, 0.25)
    assert seen.depths[0].slot == slot_of(SessionKey.parse(session), 64)
    page = render(seen, slots=True)
    assert all(len(line) <= 80 for line in page.splitlines())
    assert "oldest 12.5 s" in page


async def test_status_and_doctor_name_mcp_servers_that_a_worker_cannot_reach(
    store: Store, settings: Settings, redis_url: str
) -> None:
    about = WorkerStatus(host="here", pid=7, lanes=4, servers_down=("sky", "memory"))
    await store.members.beat("worker-1-aaaa", about, timedelta(minutes=5))
    page = render(await look(store, FakeClock(1.0), slots=64))
    assert "worker-1-aaaa: MCP servers not reachable: sky, memory" in page
    found = {finding.about: finding for finding in await doctor.redis(here(settings), FakeClock(0.0))}
    assert found["MCP server sky"].severity == "warning"
    assert "worker-1-aaaa" in found["MCP server sky"].seen


async def test_status_says_that_no_worker_runs(store: Store) -> None:
    page = render(await look(store, FakeClock(1.0), slots=64))
    assert "no worker runs: messages are kept until one starts" in page
    assert "slots without a worker 64" in page


@pytest.mark.promise("status-true")
async def test_status_says_that_the_only_worker_drains_and_when_it_has_ended(store: Store) -> None:
    about, long = WorkerStatus(host="here", pid=7, lanes=4, at_work=2), timedelta(minutes=5)
    await store.members.beat("worker-1-aaaa", about, long)
    await store.members.beat("worker-1-aaaa", about, long, member=False, drains=True)
    await store.members.beat("own-1-bbbb", about, long, member=False)
    seen = await look(store, FakeClock(1.0), slots=64)
    page = render(seen)
    assert "worker-1-aaaa: drains, and ends when 2 turns have ended" in page
    assert "no worker takes further messages: they are kept until one starts" in page
    assert "own-1-bbbb" not in page
    assert "the only worker drains: start another one" in health_problems(seen, "all", "")
    assert [one["incarnation"] for one in seen.to_json()["draining"]] == ["worker-1-aaaa"]
    await store.members.report_death("worker-1-aaaa")
    assert "no worker runs" in render(await look(store, FakeClock(1.0), slots=64))
    await store.members.beat("worker-2-cccc", about.model_copy(update={"at_work": 0}), long, member=False, drains=True)
    assert "worker-2-cccc: drains, and ends\n" in render(await look(store, FakeClock(1.0), slots=64))


@pytest.mark.promise("remote-agent-away")
async def test_status_and_doctor_name_remote_agents_that_do_not_answer(store: Store, settings: Settings) -> None:
    about = WorkerStatus(host="here", pid=7, lanes=4, agents_away=("far",))
    await store.members.beat("worker-1-aaaa", about, timedelta(minutes=5))
    assert "worker-1-aaaa: remote agents that do not answer: far" in render(await look(store, FakeClock(1), slots=64))
    found = {finding.about: finding for finding in await doctor.redis(here(settings), FakeClock(0.0))}
    assert found["remote agent far"].severity == "warning"


async def test_status_for_machines_is_json(store: Store, redis_url: str, tmp_path: Path) -> None:
    await peopled(store)
    done = cohort("status", "--json", home=tmp_path, REDIS_URL=redis_url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["depths"][0]["sessions"] == 1


def with_turns(at: float, **turns: int | None) -> Look:
    workers = tuple(Worker(name, "h", 1, 1, 0, 0, count) for name, count in turns.items())
    return Look(at, workers, (), 64, 0, (), 0)


def test_turns_a_second_count_only_workers_seen_twice() -> None:
    assert rate(with_turns(10, a=100, b=5), with_turns(8, a=90)) == 5.0
    assert rate(with_turns(10, a=100), None) is None
    assert rate(with_turns(10, a=None), with_turns(8, a=None)) is None


def test_a_redis_that_may_lose_messages_is_named_for_each_reason() -> None:
    assert durability.weaknesses({"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}) == ()
    assert "appendonly" in durability.weaknesses({"appendonly": "no"})[0]
    assert "appendfsync" in durability.weaknesses({"appendonly": "yes", "appendfsync": "no"})[0]
    assert "everysec" in durability.weaknesses({"appendonly": "yes", "appendfsync": "everysec"})[0]
    assert "allkeys-lru" in durability.weaknesses({"appendonly": "yes", "maxmemory-policy": "allkeys-lru"})[0]


def here(settings: Settings, **environ: str) -> Context:
    return Context(settings, environ, Home(Path("nowhere")), None)


async def test_doctor_finds_what_is_wrong_with_a_redis(
    settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Redis.from_url(redis_url) as redis:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            with monkeypatch.context() as wrong:
                wrong.setattr("time.time", lambda: 0.0)
                found = await doctor.redis(here(settings), FakeClock(0.0))
        finally:
            SystemClock.agree(0.0)
            await redis.config_set("maxmemory-policy", "noeviction")
    severities = {(finding.about, finding.severity) for finding in found}
    assert {("redis", "ok"), ("clock", "warning"), ("durability", "problem"), ("layout", "ok")} <= severities


@pytest.mark.promise("redis-causes")
@pytest.mark.parametrize(
    ("info", "said"),
    [
        ({"loading": 1}, "loading its data"),
        ({"maxmemory": 100, "used_memory": 120, "maxmemory_policy": "noeviction"}, "full and refuses writes"),
        (
            {"maxmemory": 100, "used_memory": 120, "maxmemory_policy": "allkeys-lru", "evicted_keys": 1234},
            "took away 1,234 keys (maxmemory-policy allkeys-lru)",
        ),
        ({"role": "slave", "master_host": "a", "master_port": 6379}, "read-only replica of a:6379"),
        ({"aof_last_write_status": "err"}, "could not write its own files"),
        ({"rdb_last_bgsave_status": "err"}, "could not write its own files"),
    ],
)
def test_a_redis_that_refuses_writes_is_told_with_its_reason(info: dict[str, object], said: str) -> None:
    (sentence,) = durability.refusals(info)
    assert said in sentence
    well = {"maxmemory": 0, "used_memory": 9, "role": "master", "loading": 0, "aof_last_write_status": "ok"}
    assert durability.refusals(well) == ()


@pytest.mark.promise("redis-causes")
async def test_status_health_and_doctor_say_why_nothing_is_written(settings: Settings, redis_url: str) -> None:
    async with Redis.from_url(redis_url) as admin, connect(settings) as store:
        await admin.execute_command("ACL", "SETUSER", "default", "-evalsha")
        await admin.config_set("maxmemory", 1)
        try:
            now = await look(store, FakeClock(1.0), slots=64)
            found = await doctor.redis(here(settings), FakeClock(1.0))
        finally:
            await admin.config_set("maxmemory", 0)
            await admin.execute_command("ACL", "SETUSER", "default", "+@all")
        full, forbidden = now.refusals
        assert "raise maxmemory" in full
        assert "may not do all that Cohort does" in forbidden
        assert full in " ".join(render(now).split())
        assert {full, forbidden} <= set(health_problems(now, "all", ""))
        assert {finding.seen for finding in found if finding.about == "writes"} == {full, forbidden}
        assert (await look(store, FakeClock(1.0), slots=64)).refusals == ()


@pytest.mark.promise("redis-causes")
async def test_status_names_a_policy_that_will_lose_data_before_it_has(settings: Settings, redis_url: str) -> None:
    async with Redis.from_url(redis_url) as admin, connect(settings) as store:
        await admin.config_set("maxmemory-policy", "allkeys-lru")
        without_a_bound = await look(store, FakeClock(1.0), slots=64)
        await admin.config_set("maxmemory", 1 << 30)
        try:
            now = await look(store, FakeClock(1.0), slots=64)
        finally:
            await admin.config_set("maxmemory", 0)
            await admin.config_set("maxmemory-policy", "noeviction")
    assert without_a_bound.risks == ()
    assert "maxmemory-policy is allkeys-lru, set noeviction" in (said := now.risks[0])
    assert said in " ".join(render(now).split())
    # What was taken away already is told in its place.
    assert durability.risks({"maxmemory": 9, "maxmemory_policy": "allkeys-lru", "evicted_keys": 3}) == ()


async def test_doctor_tells_a_redis_that_is_away() -> None:
    found = await doctor.redis(here(load({"REDIS_URL": "redis://127.0.0.1:1/0"})), FakeClock(0.0))
    assert [finding.severity for finding in found] == ["problem"]
    assert found[0].do


def telegram(answer: httpx.Response | httpx.HTTPError) -> httpx.AsyncClient:
    def handle(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, httpx.HTTPError):
            raise answer
        return answer

    return httpx.AsyncClient(transport=httpx.MockTransport(handle), timeout=60)


@pytest.mark.promise("no-secrets")
@pytest.mark.parametrize(
    ("answer", "severity"),
    [
        (httpx.Response(200, json={"ok": True, "result": {"id": 1, "username": "b"}}), "ok"),
        (httpx.Response(401, json={"ok": False, "description": "Unauthorized"}), "problem"),
        (httpx.Response(502, text="<html>"), "problem"),
        (httpx.ConnectError("https://example.invalid/bot1:secret-part/getMe"), "problem"),
    ],
)
async def test_doctor_asks_the_bot_api_and_never_shows_the_token(
    answer: httpx.Response | httpx.HTTPError, severity: str
) -> None:
    settings = load({"TELEGRAM_BOT_TOKEN": "1:secret-part", "TELEGRAM_BASE_URL": "http://127.0.0.1:1"})
    async with telegram(answer) as http:
        found = await doctor.token(settings, http)
    assert found[0].severity == severity
    assert "secret-part" not in "".join(finding.line() for finding in found)


async def test_doctor_warns_of_shared_servers_that_keep_state_and_of_missing_programs(tmp_path: Path) -> None:
    config = tmp_path / "fastagent.config.yaml"
    config.write_text(
        "mcp:\n  servers:\n"
        "    memory: {command: sh, args: [server-memory]}\n"
        "    mine: {command: sh, args: [server-memory], isolation: chat}\n"
        "    misspelt: {command: sh, args: [server-memory], isolation: chats}\n"
        "    away: {url: 'http://127.0.0.1:1/playwright/mcp'}\n"
        "    gone: {command: no-such-program-anywhere}\n"
        "    time: {command: sh, args: [mcp-server-time]}\n"
        "    digitalgraphs: {command: sh}\n"
    )
    (tmp_path / "a.md").write_text(
        "---\nname: a\nmcp_connect:\n- target: https://example.invalid/mcp\n  name: search\n- sh my-notes\n---\nYou.\n"
    )
    settings = load({"COHORT_CONFIG": str(config), "COHORT_CARDS": str(tmp_path)})
    listed = await doctor.servers(here(settings, PATH="/bin:/usr/bin"))
    silent = [finding.about for finding in listed if "its address does not answer" in finding.seen]
    assert silent == ["MCP server away", "MCP server search of a.md"]
    found = {finding.about: finding for finding in listed[: -len(silent)]}
    assert {about.removeprefix("MCP server "): finding.severity for about, finding in found.items()} == {
        "memory": "warning",
        "mine": "ok",
        "misspelt": "warning",
        "away": "warning",
        "gone": "problem",
        "time": "ok",
        "digitalgraphs": "ok",
        "search of a.md": "ok",
        "sh my-notes of a.md": "warning",
    }
    assert found["MCP server mine"].seen.endswith("each chat has its own")
    assert found["MCP server digitalgraphs"].seen.endswith("so it must keep nothing of them")


async def test_doctor_tells_the_missing_key_of_the_chosen_model() -> None:
    settings = load({"COHORT_MODEL": "haiku", "COHORT_CONFIG": str(ROOT / "fastagent.config.yaml")})
    found = await doctor.answering(here(settings))
    assert (found[0].severity, found[0].do) == ("problem", "set ANTHROPIC_API_KEY")
    assert (await doctor.answering(here(settings, ANTHROPIC_API_KEY="k")))[0].severity == "ok"


async def test_doctor_tells_the_missing_key_of_a_model_that_chats_may_choose() -> None:
    config = str(ROOT / "fastagent.config.yaml")
    settings = load({"COHORT_MODEL": "haiku", "COHORT_MODELS": "sonnet,gemini", "COHORT_CONFIG": config})
    found = await doctor.answering(here(settings, ANTHROPIC_API_KEY="k"))
    assert [finding.seen for finding in found[1:]] == ["/model offers gemini, but GOOGLE_API_KEY is not set"]
