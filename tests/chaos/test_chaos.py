"""A slice of chaos in every test run: everything breaks, nothing is lost (``make chaos`` runs it longer)."""

import logging
import os

import pytest

from tasks.telemetry.logs import TextFormat
from tests.chaos.driver import Order, run
from tests.chaos.pool import late_s
from tests.chaos.report import report
from tests.chaos.service import crashes_of

SECONDS = float(os.environ.get("CHAOS_SECONDS", "90"))
"""Of faults; starting, coming to rest and the check take about another minute."""
SEED = int(os.environ.get("CHAOS_SEED", "20260727"))


@pytest.mark.promise("chaos")
@pytest.mark.timeout(SECONDS * 2 + 300)
async def test_whatever_dies_every_message_is_answered_once_in_order_and_in_its_own_chat() -> None:
    order = Order(seed=SEED, seconds=SECONDS, messages=int(SECONDS * 8), gap=2.5)
    result = await run(order)
    assert result.verdict.violations == [], "\n".join(report(order, result))
    assert result.figures.kills > 0
    assert result.verdict.messages > 0
    assert result.verdict.steps.executed > 0
    assert result.verdict.steps.allowed > 0
    assert result.verdict.steps.asked > 0
    assert result.verdict.edits > 0
    assert result.verdict.files > 0
    assert result.verdict.seen > 0
    assert result.verdict.heard > 0
    assert result.verdict.customers > 0


def test_a_heartbeat_that_came_too_late_is_read_from_what_a_worker_logs() -> None:
    told = logging.LogRecord("cohort.members", logging.WARNING, "", 0, "heartbeat.late", None, None)
    told.__dict__ |= {"incarnation": "w-1", "seconds": 2.2}
    assert late_s(TextFormat().format(told)) == 2.2
    assert late_s("heartbeat.missed problem=seconds=2") == 0


def test_a_supervised_worker_that_stood_still_and_lost_its_name_has_not_crashed() -> None:
    ended = "cohort   | worker-1 ended after 16 s; starting it again in 0.4 s"
    renamed = "worker-1 | warning cohort.worker  worker.renamed  node=cohort-1@here"
    last = "worker-1 | info    cohort.worker  worker.ended"
    assert crashes_of([renamed, last, ended]) == []
    assert len(crashes_of([renamed, last, ended, last, ended])) == 1


def test_a_chats_own_process_that_ended_by_itself_has_crashed() -> None:
    killed = "cohort   | own-1 was killed by SIGKILL after 3 s; again in 0.5 s"
    failed = "cohort   | own-2 ended with status 1 after 3 s"
    away = "own-3    | cohort worker: Redis is away"
    assert crashes_of([killed]) == []
    assert crashes_of([failed]) == [("own-2 ended with status 1 after 3 s",)]
    assert crashes_of([away, failed.replace("own-2", "own-3")]) == []
