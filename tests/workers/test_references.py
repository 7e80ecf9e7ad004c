"""Apologies have a reference by which `cohort find` finds their message, and a turn's timeline is logged and kept."""

import asyncio
import logging
import re
from pathlib import Path

import pytest

from ops.commands.find import Sought
from tasks.phrases import ENGLISH, LANGUAGES, catalogue, phrase, speaking
from tasks.turn_record import MOST_STEPS, TurnRecords, reference, with_reference
from tests.workers.pool import Pool, session
from workers.interfaces import TurnFailed
from workers.showing import Step
from workers.usage import CallSeen

ROOT = Path(__file__).resolve().parents[2]
ONE = session(1)
NAMED: dict[str, dict[str, str]] = {"fault-model": {"model": "sonnet"}}
RAISED_IN = {"classify.py", "shortening.py"}
"""Where faults become ``TurnFailed``."""


def referred(words: str) -> str:
    found = re.search(r"\(Ref ([0-9a-f]{6})\)$", words)
    assert found is not None, words
    return found[1]


def told(pool: Pool) -> list[str]:
    return [reply.text for where, reply in pool.telegram.delivered if where == ONE]


@pytest.mark.promise("apology-reference")
async def test_each_kind_of_apology_ends_with_the_reference_of_its_message(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    failures = {
        "outage": [TurnFailed("retry", phrase("outage"), "503")] * 5,
        "refused": [TurnFailed("tell", "I cannot answer that.", "400")],
        "operator": [TurnFailed("operator", "I am not set up for that.", "401")],
        "defect": [ValueError("a defect")] * 3,
    }
    for text, problems in failures.items():
        pool.model.fail(text, *problems)
        await pool.say(1, text)
        await worker.answer(ONE)
    records = {update: record for record in worker.deps.trail.take() for update in record.updates}
    apologies = told(pool)
    assert len(apologies) == len(failures) == len(records)
    for update, words in zip(records, apologies, strict=True):
        assert referred(words) == reference(ONE.bot, update)
        assert Sought.of(referred(words)).means(records[update].session, set(records[update].updates))
    assert [record.outcome for record in records.values()] == ["failed", "failed", "failed", "buried"]


@pytest.mark.promise("apology-reference")
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_apology_is_found_as_its_person_sends_it_on_in_each_language(language: str) -> None:
    idents = [ident for ident in catalogue(language) if ident.startswith("fault-")]
    idents += ["poison", "damaged", "unsent", "outage", "defect", "history-too-new"]
    ref = reference(ONE.bot, 12)
    with speaking(language):
        for ident in idents:
            said = with_reference(phrase(ident, **NAMED.get(ident, {})), ONE.bot, (12, 13))
            bare = phrase("reference", words="", ref=ref).strip()
            for sent in (said, bare, bare.strip("()（）"), f" {said}\n", ref):
                assert Sought.of(sent).means(str(ONE), {12}), sent
                assert not Sought.of(sent).means(str(ONE), {13}), sent


@pytest.mark.promise("apology-reference")
def test_each_fault_is_said_as_an_apology_of_a_turn() -> None:
    """What a fault says goes through ``TurnFailed`` to the one place that adds the reference."""
    said = dict[str, set[str]]()
    for path in (path for package in ("bot", "workers") for path in (ROOT / package).rglob("*.py")):
        for ident in re.findall(r'phrase\(\s*"(fault-[a-z-]+)"', path.read_text()):
            said.setdefault(ident, set()).add(path.name)
    assert set(said) == {ident for ident in catalogue(ENGLISH) if ident.startswith("fault-")}
    assert {name for names in said.values() for name in names} <= RAISED_IN


@pytest.mark.promise("find")
async def test_the_course_of_a_turn_has_the_times_of_all_its_steps(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.partial["hello"] = "Once"
    await pool.say(1, "hello")
    await worker.answer(ONE)
    (record,) = worker.deps.trail.take()
    assert (record.session, record.outcome, record.worker) == (str(ONE), "answered", "w-one")
    assert None not in (record.first, record.committed, record.delivered)


@pytest.mark.promise("find")
async def test_the_course_of_a_turn_has_its_tool_calls_with_their_times_and_no_word_of_what_went_in(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.steps["work"] = [
        Step("1", "fetch_page"),
        Step("2", "book_table"),
        Step("1", "fetch_page", "done"),
        Step("2", "book_table", "failed"),
        *(Step(str(number), "again") for number in range(3, 99)),
    ]
    await pool.say(1, "work")
    await worker.answer(ONE)
    (record,) = worker.deps.trail.take()
    fetched, booked, *others = record.steps
    assert (fetched.tool, fetched.failed, fetched.ended is None) == ("fetch_page", False, False)
    assert (booked.tool, booked.failed, booked.ended is None) == ("book_table", True, False)
    assert {step.ended for step in others} == {None}
    assert len(record.steps) == MOST_STEPS
    assert TurnRecords.unpacked(TurnRecords(records=(record,)).packed()).records == (record,)


@pytest.mark.promise("find")
async def test_the_course_of_a_turn_has_its_model_calls_with_their_times_and_tokens(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.called["work"] = [
        CallSeen("poet", "haiku", 0.25, 10, 5),
        CallSeen("critic" * 100, "x" * 10_000, -1.0, failed=True),
        *(CallSeen("poet", "haiku", 0.1) for _ in range(99)),
    ]
    await pool.say(1, "work")
    await worker.answer(ONE)
    (record,) = worker.deps.trail.take()
    first, odd, *_ = record.calls
    assert (first.agent, first.model, first.input_tokens, first.output_tokens) == ("poet", "haiku", 10, 5)
    assert round(first.ended - first.begun, 2) == 0.25
    assert odd.failed
    assert odd.begun == odd.ended
    assert len(odd.agent + odd.model) <= 200
    assert len(record.calls) == MOST_STEPS
    assert TurnRecords.unpacked(TurnRecords(records=(record,)).packed()).records == (record,)


@pytest.mark.promise("logged-once")
async def test_a_turn_and_its_delivery_are_one_line_each_with_task_times_outcome_and_reference(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    worker = await pool.worker("w-one")
    await pool.say(1, "hello")
    await worker.answer(ONE)
    (ended,) = [vars(record) for record in caplog.records if record.message == "turn.ended"]
    (delivered,) = [vars(record) for record in caplog.records if record.message == "reply.delivered"]
    assert ended["outcome"] == "answered"
    assert {"wait_s", "first_s", "turn_s", "messages"} <= ended.keys()
    update = int(ended["task"].partition("-")[2])
    assert ended["ref"] == delivered["ref"] == reference(ONE.bot, update)


@pytest.mark.promise("find")
async def test_a_worker_writes_the_turns_that_ended_with_its_heartbeat(pool: Pool) -> None:
    await pool.worker("w-one", sweeps=True)
    await pool.say(1, "hello")
    async with asyncio.timeout(60):
        while not [record async for record in pool.store.trail.newest()]:  # noqa: ASYNC110 - it is in Redis
            await asyncio.sleep(0.01)
