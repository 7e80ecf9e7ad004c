"""One burst is one turn, and a message that begins none does not wait."""

from datetime import timedelta
from typing import Any

import pytest

from tasks.bursts import goes_on, is_piece
from tasks.envelope import Inbound
from tests.workers.pool import Pool, session
from workers import texts
from workers.sessions.planning import planner
from workers.sessions.planning.bursts import LONGEST_S, YoungTurn, quiet_left
from workers.sessions.planning.parked import Rules
from workers.sessions.planning.plans import Run, SessionPlan, Wait

ONE = session(1)
NOW = 1_800_000_000.0
QUIET_S = 0.8
FORWARD = {"forwarded_from": "Ann"}
FILE = {"media": [{"kind": "photo", "file_id": "f1"}]}
ME = {"sender": {"id": 5}}


def said(update: int, text: str = "hello", at: float = NOW, **fields: Any) -> Inbound:
    stated = {"session": "1:5", "update_id": update, "message_id": update, "at": at, "text": text, **ME, **fields}
    return Inbound.model_validate(stated)


def decide(*entries: Inbound, mode: str = "collect", quiet_s: float = QUIET_S, **more: Any) -> SessionPlan:
    inbox = [entry.to_json().encode() for entry in entries]
    return planner.decide(inbox, planner.Earlier(**more), Rules(mode, NOW, quiet_s=quiet_s))


@pytest.mark.promise("bursts")
@pytest.mark.parametrize("text", ["hello", "a: b", "", "x" * 3_999])
def test_a_plain_message_does_not_wait(text: str) -> None:
    assert isinstance(decide(said(1, text)), Run)


@pytest.mark.promise("bursts")
@pytest.mark.parametrize(
    "last",
    [
        said(1, **FORWARD),
        said(1, forwarded_from=""),
        said(1, "Translate this:"),
        said(1, "Translate this:\n "),
        said(1, "\u7ffb\u8bd1\uff1a"),
        said(1, "x" * 4_000),
        said(1, "\U0001f600" * 2_000),
    ],
)
def test_where_more_is_likely_the_turn_waits_for_the_quiet_time(last: Inbound) -> None:
    assert decide(last) == Wait(pytest.approx(QUIET_S))
    assert decide(last, quiet_s=0) == Run(planner.Handled(1, (1,)), (last,))


def test_a_text_within_a_second_of_another_waits_for_more_of_one_person() -> None:
    assert decide(said(1, at=NOW - 0.9), said(2)) == Wait(pytest.approx(QUIET_S))
    assert isinstance(decide(said(1, at=NOW - 1.1), said(2)), Run)
    assert isinstance(decide(said(1, at=NOW - 0.9), said(2, sender={"id": 6})), Run)


def test_what_is_no_message_waits_for_none() -> None:
    assert quiet_left([said(1, "see:", kind="reminder")], NOW, QUIET_S) == 0
    assert quiet_left([said(1, at=NOW - 9), said(1, "see:", edited=True)], NOW, QUIET_S) == 0


def test_a_burst_is_waited_for_a_few_seconds_at_most_whatever_comes() -> None:
    def burst(seconds: float) -> list[Inbound]:
        return [said(place, at=NOW - place / 2, **FORWARD) for place in range(int(seconds * 2), -1, -1)]

    assert quiet_left(burst(LONGEST_S - 1), NOW, QUIET_S) == pytest.approx(QUIET_S)
    assert quiet_left(burst(LONGEST_S), NOW, QUIET_S) == 0


def test_a_clock_that_jumped_does_not_hold_a_message() -> None:
    assert quiet_left([said(1, at=NOW + 1, **FORWARD)], NOW, QUIET_S) == pytest.approx(QUIET_S)
    assert quiet_left([said(1, at=NOW + 60, **FORWARD)], NOW, QUIET_S) == 0
    assert quiet_left([said(1, at=NOW - QUIET_S, **FORWARD)], NOW, QUIET_S) == 0


def test_pieces_are_measured_in_utf_16_units() -> None:
    assert [is_piece(text) for text in ("x" * 3_999, "x" * 4_000, "\U0001f600" * 1_999, "\U0001f600" * 2_000)] == [
        False, True, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("last", "entry", "same"),
    [
        (said(1), said(2, **FORWARD), True),
        (said(1, **FORWARD), said(2, **FORWARD), True),
        (said(1, "x" * 4_000), said(2), True),
        (said(1, "Translate this:"), said(2), True),
        (said(1), said(2), False),
        (said(1, **FORWARD), said(2), False),
        (said(1, at=NOW - 1.1), said(2, **FORWARD), False),
        (said(1), said(2, sender={"id": 6}, **FORWARD), False),
        (said(1), said(2, kind="stop"), False),
        (said(1), said(2, edited=True, **FORWARD), False),
        (said(1), said(2, album="a", **FORWARD), True),
        (said(1, "Compare these:"), said(2, album="a"), True),
        (said(1, album="a", **FORWARD), said(2, album="a", **FORWARD), False),
        (said(1), said(2, "", **FILE), True),
        (said(1), said(2, "", album="a", **FILE), True),
        (said(1, "", **FILE), said(2, "", **FILE), True),
        (said(1, "", **FILE), said(2), False),
        (said(1, at=NOW - 1.1), said(2, "", **FILE), False),
        (said(1, album="a", **FILE), said(2, album="a", **FILE), False),
    ],
)
def test_what_surely_belongs_to_a_burst(last: Inbound, entry: Inbound, same: bool) -> None:
    assert goes_on(last, entry) is same


@pytest.mark.promise("bursts")
def test_in_followup_mode_a_burst_has_one_turn_and_what_follows_has_its_own() -> None:
    burst = [said(1, "look", at=NOW - 5), said(2, at=NOW - 5, **FORWARD), said(3, at=NOW - 5, **FORWARD)]
    plan = decide(*burst, said(4, "and?", at=NOW - 5), mode="followup")
    assert isinstance(plan, Run)
    assert [message.update_id for message in plan.messages] == [1, 2, 3]


@pytest.mark.promise("bursts")
def test_in_followup_mode_an_album_is_in_the_turn_of_the_text_that_announces_it() -> None:
    at = NOW - 5
    burst = [said(1, "Compare these:", at=at), *(said(part, "", at=at, album="a") for part in (2, 3))]
    plan = decide(*burst, said(4, "and?", at=at), mode="followup")
    assert isinstance(plan, Run)
    assert [message.update_id for message in plan.messages] == [1, 2]
    assert plan.handled.drop == 3


def test_after_a_turn_that_never_ended_the_parts_of_a_burst_are_tried_one_by_one() -> None:
    burst = [said(1, "look", **FORWARD), said(2, **FORWARD)]
    plan = decide(*burst, tries=2, batch_size=2)
    assert isinstance(plan, Run)
    assert [message.update_id for message in plan.messages] == [1]


# -- in a worker


@pytest.mark.promise("bursts")
async def test_forwards_that_come_one_after_the_other_are_one_turn(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.naps.awake.clear()
    await pool.say(1, "a", **FORWARD)
    turn = worker.doorbell(ONE)
    await pool.naps.changes.until(lambda: len(pool.naps.taken) == 1)
    assert (pool.model.calls, worker.runtime.wanted) == ([], 0)
    for text in ("b", "c"):
        naps = len(pool.naps.taken)
        pool.clock.advance(0.1)
        await pool.say(1, text, **FORWARD)
        await worker.answer(ONE)
        await pool.naps.changes.until(lambda naps=naps: len(pool.naps.taken) > naps)
    pool.naps.awake.set()
    await turn
    assert pool.model.saw() == [["a", "b", "c"]]
    assert pool.naps.taken[-1] == pytest.approx(QUIET_S)
    assert await pool.idle(ONE)


@pytest.mark.promise("bursts")
async def test_a_plain_message_takes_no_nap(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "hello")
    await worker.answer(ONE)
    assert pool.naps.taken == []


@pytest.mark.promise("bursts")
async def test_a_text_whose_forward_follows_is_one_turn_with_it(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("what is this")
    await pool.say(1, "what is this")
    turn = worker.doorbell(ONE)
    await hold.reached()
    pool.clock.advance(0.2)
    await pool.say(1, "news", **FORWARD)
    await worker.answer(ONE)
    await pool.model.changes.until(lambda: len(pool.model.calls) == 2)
    hold.go.set()
    await turn
    assert pool.model.saw() == [["what is this"], ["what is this", "news"]]
    assert pool.telegram.texts(ONE) == ["answer to what is this news"]
    assert pool.telegram.answered(ONE) == [1, 2]


@pytest.mark.promise("bursts")
@pytest.mark.parametrize("how", [FORWARD, {}], ids=["forwarded", "their own"])
@pytest.mark.parametrize("mode", ["collect", "followup"])
async def test_a_text_whose_album_follows_at_once_is_one_turn_with_all_of_it(
    pool: Pool, mode: str, how: dict[str, str]
) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE=mode)
    hold = pool.model.hold("who is this")
    await pool.say(1, "who is this")
    turn = worker.doorbell(ONE)
    await hold.reached()
    pool.clock.advance(0.2)
    parts = [{"text": "", "album": "a", "media": [{"kind": "photo", "file_id": f"f{one}"}], **how} for one in (1, 2)]
    await pool.say_all(1, *parts)
    await worker.answer(ONE)
    await pool.model.changes.until(lambda: len(pool.model.calls) == 2)
    hold.go.set()
    await turn
    text, album = pool.model.calls[-1].request.messages
    assert (text.text, [file.file_id for file in album.media]) == ("who is this", ["f1", "f2"])
    assert pool.telegram.answered(ONE) == [1, 2, 3]


async def test_a_turn_that_has_shown_words_goes_on_when_a_forward_comes(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.partial["what is this"] = "It is"
    hold = pool.model.hold("what is this")
    await pool.say(1, "what is this")
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.say(1, "news", **FORWARD)
    await worker.answer(ONE)
    hold.go.set()
    await turn
    assert pool.model.saw() == [["what is this"], ["news"]]


@pytest.mark.promise("bursts")
async def test_stop_works_while_a_burst_is_waited_for(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.naps.awake.clear()
    await pool.say(1, "a", **FORWARD)
    turn = worker.doorbell(ONE)
    await pool.naps.changes.until(lambda: len(pool.naps.taken) == 1)
    await pool.say(1, kind="stop")
    worker.scheduler.interrupt(ONE)
    await turn
    pool.naps.awake.set()
    assert pool.telegram.texts(ONE) == [texts.stopped(1)]
    assert pool.model.calls == []


@pytest.mark.promise("bursts")
async def test_a_burst_outlives_the_worker_that_waited_for_its_end(pool: Pool) -> None:
    one = await pool.worker("w-one")
    pool.naps.awake.clear()
    await pool.say_all(1, {"text": "a", **FORWARD}, {"text": "b", **FORWARD})
    pool.doorbell(one, ONE)
    await pool.naps.changes.until(lambda: len(pool.naps.taken) == 1)
    await one.kill()
    pool.naps.awake.set()
    await pool.say(1, "c", **FORWARD)
    two = await pool.worker("w-two")
    await two.answer(ONE)
    # Nothing had begun, so nothing of it is suspect: it is one turn.
    assert pool.model.saw() == [["a", "b", "c"]]
    assert pool.telegram.answered(ONE) == [1, 2, 3]


async def test_a_worker_that_drains_does_not_begin_the_burst_it_waits_for(pool: Pool) -> None:
    one = await pool.worker("w-one")
    pool.naps.awake.clear()
    await pool.say(1, "a", **FORWARD)
    pool.doorbell(one, ONE)
    await pool.naps.changes.until(lambda: len(pool.naps.taken) == 1)
    one.drain()
    pool.naps.awake.set()
    await one.stop()
    assert pool.model.calls == []
    assert len(await pool.raw_inbox(ONE)) == 1


@pytest.mark.promise("bursts")
def test_a_turn_begins_again_for_a_few_seconds_at_most_whatever_comes() -> None:
    class Silent:
        showed = False

    class Now:
        def now(self) -> float:
            return NOW

        monotonic = now

    def young(seconds: float) -> bool:
        burst = [said(place, at=NOW - place / 2, **FORWARD) for place in range(int(seconds * 2), -1, -1)]
        turn = YoungTurn([said(99, "long before", at=NOW - 60), *burst], Silent(), Now(), timedelta(seconds=QUIET_S))
        return turn.is_young

    assert young(LONGEST_S - 1)
    assert not young(LONGEST_S)
