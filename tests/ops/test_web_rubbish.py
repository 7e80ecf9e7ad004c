"""The console beside processes that publish rubbish, and under requests that no page of ours makes."""

import json
import zlib
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tasks.telemetry.exposition import packed
from tasks.telemetry.rollups import HOUR
from tasks.turn_record import TurnRecord
from tests.ops.test_web import READS, SESSION, Open, console, lived_in
from tests.support.redis_of import redis_of

__all__ = ["console"]

ME = ("me", "a-long-password")
AUTH = {"COHORT_CONSOLE_AUTH": "me:a-long-password"}


def no_number(word: str) -> Any:
    raise AssertionError(f"{word} is no JSON")


@pytest.mark.promise("console-stands")
async def test_numbers_without_an_end_are_told_as_unknown(store: Store, console: Open) -> None:
    await lived_in(store)
    nan, inf = float("nan"), float("inf")
    await store.members.beat("worker-9-aaaa", WorkerStatus(queued_s=nan, lanes=10**400), timedelta(minutes=5))
    await redis_of(store).zadd("cohort:slot:05:pending", {"4242:5": inf, "4242:6": -inf})
    await redis_of(store).zadd("cohort:slot:05:parked", {"4242:5": inf})
    await store.trail.append([TurnRecord(session=SESSION, outcome="answered", begun=nan, accepted=inf)])
    bucket = f"cohort:rollup:hour:{HOUR.start((await redis_of(store).time())[0])}"
    await redis_of(store).hset(bucket, "x", b'{"oldest_s": NaN, "turns": {"answered": Infinity}, "lanes": 1}')
    await redis_of(store).expire(bucket, 60)
    async with console() as http:
        for path in READS:
            answer = await http.get(path)
            assert answer.status_code == 200, path
            if path == "/metrics":
                assert list(text_string_to_metric_families(answer.text))
            else:
                json.loads(answer.text, parse_constant=no_number)


@pytest.mark.promise("console-stands")
async def test_half_a_character_in_a_history_hides_nothing(store: Store, console: Open) -> None:
    await lived_in(store)
    history = {"messages": [{"role": "user", "content": [{"type": "text", "text": "half \ud83d"}]}]}
    await redis_of(store).hset(
        f"cohort:s:{SESSION}:state", "history", b"\1" + zlib.compress(json.dumps(history).encode())
    )
    async with console(**AUTH, COHORT_CONSOLE_TEXT="true") as http:
        answer = await http.get(f"/api/sessions/{SESSION}", auth=ME)
    assert answer.json()["text"][0]["text"].startswith("half ")


async def test_ids_and_cursors_that_redis_refuses_are_of_nothing(store: Store, console: Open) -> None:
    await lived_in(store)
    beyond = str(1 << 64)
    async with console(**AUTH) as http:
        for letter in (f"{beyond}-0", f"1-{beyond}", "\u0661-\u0662", "\N{SUPERSCRIPT TWO}-1"):
            for verb in ("retry", "drop"):
                assert (await http.post(f"/api/dead/{letter}/{verb}", auth=ME)).status_code == 404, letter
        for cursor in (beyond, "9" * 5000, "\u0661", "\N{SUPERSCRIPT TWO}"):
            answer = await http.get("/api/sessions", params={"cursor": cursor}, auth=ME)
            assert [one["session"] for one in answer.json()["sessions"]] == [SESSION], cursor
        for name in ("4242:\u0661", "4242:" + "9" * 5000, "4242:1:b%ff", "4242:1:b%00", "%ff"):
            assert (await http.get(f"/api/sessions/{name}", auth=ME)).status_code == 404, name
        for word in ("\N{SUPERSCRIPT TWO}", "1-" + "9" * 190, "*", "[", "\\", "\0"):
            assert (await http.get("/api/sessions", params={"q": word}, auth=ME)).status_code == 200, word


@pytest.mark.promise("console-stands")
async def test_a_key_of_a_person_with_a_digit_that_is_no_number_hides_no_other(store: Store, console: Open) -> None:
    await lived_in(store)
    two = "\N{SUPERSCRIPT TWO}"
    for owner in (f"4242:user:{two}", f"{two}:user:5"):
        await redis_of(store).hset(f"cohort:usage:{owner}:2026-01-02", "input_tokens", "5")
        await redis_of(store).expire(f"cohort:usage:{owner}:2026-01-02", 60)
    await store.trail.append([TurnRecord(session=f"{two}:5", updates=(1,))])
    async with console() as http:
        assert 77 in [one["user"] for one in (await http.get("/api/people")).json()["people"]]
        assert (await http.get("/api/sessions?q=-100")).status_code == 200


@pytest.mark.promise("console-metrics")
async def test_metrics_of_a_process_never_stand_in_for_those_of_the_whole(store: Store, console: Open) -> None:
    await lived_in(store)
    ours = "# TYPE cohort_waiting gauge\ncohort_waiting 99\n# TYPE cohort_lanes gauge\ncohort_lanes 4\n"
    await store.figures.publish("worker-1-aaaabbbb", packed(ours))
    async with console() as http:
        page = (await http.get("/metrics")).text
    assert [line for line in page.splitlines() if line.startswith(("cohort_waiting", "cohort_lanes"))][::2] == [
        "cohort_waiting 1",
        'cohort_lanes{process="cohort-1@here"} 4',
    ]
    assert page.count("# TYPE cohort_waiting gauge") == 1
