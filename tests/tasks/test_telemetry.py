"""Log lines: what a task binds stands in each of its lines, in both formats."""

import asyncio
import json
import logging

import pytest

from tasks.store import Store
from tasks.store_watch import watch_store
from tasks.telemetry import logs as telemetry
from tasks.telemetry.log_rate_limit import LogRateLimit
from tasks.telemetry.logs import JsonFormat, TextFormat, bind_fields, hash_sessions, session_hash
from tests.support.redis_of import redis_of


def line(formatter: logging.Formatter, **fields: object) -> str:
    """A line as the process would write it now."""
    record = logging.makeLogRecord({"name": "cohort.turns", "levelname": "WARNING", "msg": "turn.failed", **fields})
    return formatter.format(record)


@pytest.mark.promise("log-fields")
async def test_what_a_task_binds_stands_in_its_lines_and_in_those_of_the_tasks_it_starts() -> None:
    async def session(name: str) -> tuple[str, str]:
        bind_fields(session=name)
        bind_fields(epoch=3)
        async with asyncio.TaskGroup() as group:
            child = group.create_task(asyncio.to_thread(line, JsonFormat(), action="retry"))
        return child.result(), line(TextFormat())

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(session(name)) for name in ("7:1", "7:2")]
    for name, task in zip(("7:1", "7:2"), tasks, strict=True):
        as_json, as_text = task.result()
        fields = json.loads(as_json)
        assert {key: fields[key] for key in ("event", "session", "epoch", "action")} == {
            "event": "turn.failed",
            "session": name,
            "epoch": 3,
            "action": "retry",
        }
        assert as_text.endswith(f"turn.failed  session={name} epoch=3")
    assert "session" not in json.loads(line(JsonFormat()))


@pytest.mark.promise("log-fields")
def test_of_a_library_s_line_that_comes_again_and_again_one_a_minute_is_shown_and_of_our_events_all() -> None:
    now = [0.0]
    limit = LogRateLimit(lambda: now[0])

    def shown(name: str, text: str, *, level: int = logging.WARNING) -> list[int]:
        record = logging.LogRecord(name, level, "f", 1, text, (), None)
        return [getattr(record, "more", 0)] if limit.filter(record) else []

    assert [shown("kombu.transport.redis", "again") for _ in range(3)] == [[0], [], []]
    assert shown("kombu.transport.redis", "another") == [0]
    assert shown("kombu.transport.redis", "again", level=logging.ERROR) == [0]
    assert [shown("cohort.bot", "store.unavailable") for _ in range(2)] == [[0], [0]]
    assert [shown("celery", "ready", level=logging.INFO) for _ in range(2)] == [[0], [0]]
    now[0] = 61.0
    assert shown("kombu.transport.redis", "again") == [2]
    for number in range(5_000):
        shown("talkative", f"line {number}")
    assert len(vars(limit)["_said"]) <= 1_000


async def test_a_field_that_a_line_names_itself_wins_over_what_is_bound() -> None:
    async def session() -> str:
        bind_fields(session="7:1")
        return line(JsonFormat(), session="7:2")

    async with asyncio.TaskGroup() as group:
        said = group.create_task(session())
    assert json.loads(said.result())["session"] == "7:2"


@pytest.mark.promise("logged-once")
@pytest.mark.parametrize("form", [TextFormat(), JsonFormat()])
def test_a_line_names_sessions_by_a_hash_that_is_the_same_in_every_process(form: logging.Formatter) -> None:
    telemetry.hash_sessions(b"a-key")
    try:
        said = line(form, session="7:-1002", moved="7:-1003")
        again = line(form, session="7:-1002")
    finally:
        telemetry._SessionHashing.key = None
        telemetry.session_hash.cache_clear()
    assert "-100" not in said
    assert telemetry.session_hash("7:-1002", b"a-key") in said
    assert telemetry.session_hash("7:-1002", b"a-key") in again
    assert telemetry.session_hash("7:-1002", b"another") not in said


def test_a_value_with_line_ends_or_control_characters_stays_on_its_line() -> None:
    said = line(
        TextFormat(), problem="no\n12:30:01 info  cohort.bot  access.paired\r\x1b[2J\u2028", who="Zoë \N{OK HAND SIGN}"
    )
    assert len(said.splitlines()) == 1
    assert "\x1b" not in said
    assert "no\\n12:30:01" in said
    assert "Zoë \N{OK HAND SIGN}" in said


@pytest.mark.promise("hashes-renewed")
async def test_a_running_process_takes_the_new_key_of_the_hashes(store: Store) -> None:
    hash_sessions(await store.trail.log_key())
    before = session_hash("4242:1")
    await store.trail.renew_log_key()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        following = group.create_task(watch_store(store.layout), name="store")
        while session_hash("4242:1") == before:
            await redis_of(store).ping()
        following.cancel()
    assert session_hash("4242:1", await store.trail.log_key()) == session_hash("4242:1")
    hash_sessions(None)
