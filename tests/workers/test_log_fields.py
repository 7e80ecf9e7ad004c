"""The log lines of a session's turns say whose they are."""

import io
import json
import logging

import pytest

from tasks.telemetry.logs import JsonFormat
from tests.workers.pool import Pool, session
from workers.interfaces import TurnFailed


@pytest.mark.promise("log-fields")
async def test_the_lines_of_turns_that_run_at_once_name_each_its_own_session(pool: Pool) -> None:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JsonFormat())
    logging.getLogger("cohort").addHandler(handler)
    try:
        worker = await pool.worker("w-one")
        for chat in (1, 2):
            pool.model.fail(f"hello {chat}", TurnFailed("retry", "busy", f"503 of {chat}"))
            await pool.say(chat, f"hello {chat}")
        turns = [worker.doorbell(session(chat)) for chat in (1, 2)]
        for turn in turns:
            await turn
    finally:
        logging.getLogger("cohort").removeHandler(handler)
    failed = [entry for entry in map(json.loads, lines.getvalue().splitlines()) if entry["event"] == "turn.failed"]
    assert {(entry["session"], entry["detail"]) for entry in failed} == {
        (str(session(chat)), f"503 of {chat}") for chat in (1, 2)
    }
    assert {entry["epoch"] for entry in failed} == {1}
