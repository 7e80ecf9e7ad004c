"""The console's routes over a real Valkey: what they show, what they never show, and what they withstand."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ops.web import app
from ops.web.names import process_names
from ops.web.patience import PatientReader
from tasks.chats.access import OperatorsWord, Person
from tasks.clock import Clock, SystemClock
from tasks.config.settings import load
from tasks.envelope import DeadLetter, Inbound
from tasks.slots import assign, slot_of
from tasks.status.bot import BotStatus
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tasks.telemetry.exposition import packed
from tasks.turn_record import CallStep, ToolStep, TurnRecord
from tests.conftest import TOKEN
from tests.support.redis_of import redis_of

SESSION = "4242:-100:t7"
SECRET = "what they said in confidence"
LETTER = "a letter <img src=x onerror=alert(1)>"

type Open = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def console(redis_url: str) -> AsyncIterator[Open]:
    """Opens consoles of this Redis, or of another one, under given settings."""
    async with AsyncExitStack() as opened:

        def open_(*, clock: Clock | None = None, **given: str) -> httpx.AsyncClient:
            settings = load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, **given})
            reader = PatientReader(settings, SystemClock())
            opened.push_async_exit(reader)
            made = app.create_app(settings, reader, clock or SystemClock(), {})
            http = httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://127.0.0.1:5556", timeout=60)
            opened.push_async_callback(http.aclose)
            return http

        yield open_


async def lived_in(store: Store) -> None:
    """A worker, a bot, a session with a turn behind it and a message in its inbox, a dead letter."""
    await store.members.beat(
        "worker-1-aaaabbbb", WorkerStatus(host="here", node="cohort-1@here", lanes=4, turns=7), timedelta(minutes=5)
    )
    await store.members.propose(0, assign(64, ["worker-1-aaaabbbb"], {}))
    await store.bots.beat("here-1", BotStatus(bot=4242, username="b", host="here", leads=True))
    message = Inbound(session=SESSION, update_id=9, at=100.0, text=SECRET)
    await redis_of(store).rpush(f"cohort:s:{SESSION}:inbox", message.to_json())
    await redis_of(store).zadd(f"cohort:slot:{slot_of(SESSION, 64):02d}:pending", {SESSION: 100.0})
    await redis_of(store).hset(f"cohort:s:{SESSION}:state", mapping={"turns": "3", "touched": "1700000000"})
    await redis_of(store).hset("cohort:usage:4242:user:77:2026-01-02", mapping={"input_tokens": 5, "output_tokens": 6})
    await redis_of(store).expire("cohort:usage:4242:user:77:2026-01-02", 60)
    await store.people.publish(4242, OperatorsWord(mode="open"))
    await store.people.put(4242, 78, Person(role="denied", name=SECRET))
    steps = (ToolStep(tool="fetch", begun=2.0, ended=3.0),)
    times = {"accepted": 1.0, "begun": 1.5, "first": 2.5, "committed": 4.0, "delivered": 4.5}
    calls = (CallStep(agent="poet", model="haiku", begun=1.5, ended=2.0, input_tokens=10, output_tokens=5),)
    about = {"session": SESSION, "worker": "worker-1", "outcome": "answered", "steps": steps, "calls": calls}
    record = TurnRecord.model_validate({"updates": (8,), **about, **times})
    await store.trail.append([record])
    letter = DeadLetter(reason=LETTER, at=1.0, session=SESSION, inbound=message)
    await redis_of(store).xadd("cohort:dead", {"letter": letter.to_json()})


READS = (
    *("/api/about", "/api/overview", "/api/series/hour", "/api/series/day", "/api/sessions", "/api/sessions?cursor=0"),
    *("/api/sessions?q=-100", f"/api/sessions/{SESSION}", "/api/dead", "/api/questions", "/api/people", "/metrics"),
    *("/api/feedback", "/api/sessions?by=work"),
)


@pytest.mark.promise("console-silent")
async def test_every_part_of_the_page_is_told_and_no_word_of_a_message_with_it(store: Store, console: Open) -> None:
    await lived_in(store)
    told: dict[str, Any] = {}
    async with console() as http:
        for path in READS:
            answer = await http.get(path)
            assert answer.status_code == 200, (path, answer.text)
            assert SECRET not in answer.text, path
            told[path] = answer.json() if path != "/metrics" else answer.text
    seen = told["/api/overview"]
    assert (seen["waiting"], seen["dead"], seen["unowned"]) == (1, 1, 0)
    assert seen["names"] == {"worker-1-aaaabbbb": "cohort-1@here"}
    assert seen["ages"]["counts"] == [0, 0, 0, 0, 1]
    assert next(one for one in seen["pool"] if one["sessions"])["slot"] == slot_of(SESSION, 64)
    (oldest,) = told["/api/sessions?by=work"]["sessions"]
    assert oldest["why"].startswith("waits for cohort-1@here to begin it")
    assert oldest["for_s"] > 60
    assert any("Sessions, then Oldest work" in line for line in seen["problems"])
    for found in ("/api/sessions", "/api/sessions?cursor=0", "/api/sessions?q=-100", "/api/sessions?by=work"):
        assert [one["session"] for one in told[found]["sessions"]] == [SESSION], found
    one = told[f"/api/sessions/{SESSION}"]
    assert one["inbox"] == [{"update": 9, "at": 100.0}]
    assert [step["tool"] for step in one["records"][0]["steps"]] == ["fetch"]
    (call,) = one["records"][0]["calls"]
    assert (call["model"], call["input_tokens"], call["output_tokens"]) == ("haiku", 10, 5)
    assert one["text"] is None
    used, denied = told["/api/people"]["people"]
    assert used == {"bot": "4242", "user": 77, "role": "member", "name": None, "last": "2026-01-02", "tokens": [11]}
    assert (denied["user"], denied["role"], denied["last"], denied["name"]) == (78, "denied", None, None)
    assert told["/api/dead"]["letters"][0]["reason"] == LETTER


@pytest.mark.promise("console-silent")
async def test_what_was_said_is_shown_where_a_setting_allows_it(store: Store, console: Open) -> None:
    from workers.runtime.conversation import stored

    await lived_in(store)
    history = {"messages": [{"role": "user", "content": [{"type": "text", "text": SECRET}]}]}
    await redis_of(store).hset(f"cohort:s:{SESSION}:state", "history", stored.written(history))
    given = {"COHORT_CONSOLE_AUTH": "me:a-long-password", "COHORT_CONSOLE_TEXT": "true"}
    async with console(**given) as http:
        one = (await http.get(f"/api/sessions/{SESSION}", auth=("me", "a-long-password"))).json()
    assert one["text"] == [{"role": "user", "text": SECRET}]


async def test_what_is_not_there_is_404_in_words(store: Store, console: Open) -> None:
    async with console() as http:
        for path in ("/api/sessions/4242:1", "/api/sessions/<script>", "/api/series/year", "/static/../app.py", "/x"):
            assert (await http.get(path)).status_code == 404, path
        assert (await http.get("/api/sessions?cursor=-1&q=")).status_code == 200


@pytest.mark.promise("console-metrics")
async def test_one_scrape_has_each_living_process_by_its_name_and_no_dead_one(store: Store, console: Open) -> None:
    await lived_in(store)
    turns = '# HELP cohort_turns_total T.\n# TYPE cohort_turns_total counter\ncohort_turns_total{{outcome="x"}} {}\n'
    for process, count in (("worker-1-aaaabbbb", 3), ("here-1", 4), ("worker-9-dead0000", 5)):
        await store.figures.publish(process, packed(turns.format(count)))
    await store.members.beat("worker-2-bbbbcccc", WorkerStatus(host="here"), timedelta(minutes=5))
    await redis_of(store).set("cohort:metrics:worker-2-bbbbcccc", b"damaged", ex=60)
    async with console() as http:
        page = (await http.get("/metrics")).text
    found = {family.name: family.samples for family in text_string_to_metric_families(page)}
    counted = {one.labels["process"]: one.value for one in found["cohort_turns"]}
    assert counted == {"cohort-1@here": 3.0, "bot@here": 4.0}
    up = {one.labels["process"]: one.value for one in found["cohort_process_up"]}
    assert up == {"cohort-1@here": 1.0, "worker-2-bbbbcccc@here": 0.0, "bot@here": 1.0}
    assert found["cohort_dead_letters"][0].value == 1.0


def test_a_process_that_starts_again_keeps_its_name_and_two_never_share_one() -> None:
    at = WorkerStatus(host="a", node="cohort-1@a")
    before, after = (process_names({life: at}, {})[life] for life in ("worker-1-aaaa0000", "worker-1-bbbb1111"))
    assert before == after == "cohort-1@a"
    both = process_names({"worker-1-aaaa0000": at, "worker-1-bbbb1111": at}, {"x": BotStatus(host="a")})
    assert len(set(both.values())) == 3
    assert process_names({"w-12345": WorkerStatus(host="a")}, {}) == {"w-12345": "w-12345@a"}


async def test_thousands_of_sessions_are_listed_page_by_page_each_once(store: Store, console: Open) -> None:
    async with redis_of(store).pipeline(transaction=False) as pipe:
        for chat in range(3000):
            pipe.hset(f"cohort:s:4242:{chat}:state", "turns", "1")
        await pipe.execute()
    await redis_of(store).config_resetstat()
    found: list[str] = []
    cursor: int | None = 0
    async with console() as http:
        while cursor is not None:
            page = (await http.get("/api/sessions", params={"cursor": cursor})).json()
            assert len(page["sessions"]) < 300
            found += [one["session"] for one in page["sessions"]]
            cursor = page["next"]
        assert (await http.get("/api/sessions?q=2999")).json()["sessions"][0]["session"] == "4242:2999"
    assert len(found) == len(set(found)) == 3000
    assert "cmdstat_keys" not in await redis_of(store).info("commandstats")


@pytest.mark.promise("console-stands")
async def test_a_redis_that_hangs_or_is_away_is_told_in_one_sentence(console: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        for port in (deaf.getsockname()[1], 1):
            async with console(REDIS_URL=f"redis://127.0.0.1:{port}/0") as http:
                for path in ("/api/overview", "/metrics"):
                    async with asyncio.timeout(60):
                        answer = await http.get(path)
                    assert answer.status_code == 503
                    assert "Redis" in answer.json()["error"]
                assert (await http.get("/")).status_code == 200


@pytest.mark.promise("console-stands")
async def test_a_full_or_read_only_redis_is_shown_and_a_letter_that_it_does_not_take_stays(
    store: Store, console: Open
) -> None:
    await lived_in(store)
    (letter,) = await store.dead.list()
    me = {"COHORT_CONSOLE_AUTH": "me:a-long-password"}
    async with console(**me) as http:
        await redis_of(store).config_set("maxmemory", "1")
        await redis_of(store).replicaof("127.0.0.1", "1")
        try:
            for path in READS:
                assert (await http.get(path, auth=("me", "a-long-password"))).status_code == 200, path
            refused = await http.post(f"/api/dead/{letter.id}/retry", auth=("me", "a-long-password"))
        finally:
            await redis_of(store).replicaof("NO", "ONE")
            await redis_of(store).config_set("maxmemory", "0")
        assert (refused.status_code, "refuses writes" in refused.json()["error"]) == (503, True)
        assert await store.dead.count() == 1


@pytest.mark.promise("console-stands")
async def test_damaged_keys_hide_nothing_else(store: Store, console: Open) -> None:
    await lived_in(store)
    broken = [f"cohort:slot:{slot:02d}:{kind}" for slot in (1, 2) for kind in ("pending", "parked")]
    broken += ["cohort:s:4242:1:state", "cohort:s:4242:2:inbox", "cohort:usage:4242:user:1:x"]
    for key in broken:
        await redis_of(store).set(key, b"\xff", ex=60)
    await redis_of(store).zadd("cohort:slot:03:parked", {b"no session \xff": 1.0, SESSION: 2.0})
    async with console() as http:
        for path in (*READS, "/api/sessions/4242:1"):
            assert (await http.get(path)).status_code == 200, path
        assert (await http.get("/api/overview")).json()["waiting"] == 1
        assert [one["session"] for one in (await http.get("/api/questions")).json()["questions"]][1] == SESSION
    await redis_of(store).delete(*broken)


def test_the_page_has_no_inline_script_or_style_and_makes_no_html_of_text() -> None:
    static = Path(app.__file__).parent / "static"
    index = (static / "index.html").read_text()
    assert " style=" not in index
    assert "<style" not in index
    assert "></script>" in index
    for word in (" onclick", " onload", "http://", "https://"):
        assert word not in index.replace('xmlns="http://www.w3.org/2000/svg"', "")
    for file in static.glob("*.js"):
        text = file.read_text()
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, file.name
