"""What is promised when something breaks: workers die, claims are lost, Redis is away, code has defects."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tasks.envelope import DeadLetter, Reply
from tasks.errors import EnvelopeTooNew, Retryable, StoreUnavailable
from tasks.session import SessionKey
from tasks.store.sessions import Claim, Commit
from tests.conftest import BOT
from tests.workers.cable import Fate, all_is_well
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import LONG, Pool, Worker, session
from workers import words
from workers.ports import MediaUnavailable, TurnFailed

ONE = session(1)


def at(step: str):
    return lambda passed: passed == step


async def next_worker(pool: Pool, dying: Worker | None, name: str, **environ: str) -> Worker:
    if dying is not None:
        await dying.has_ended()
    return await pool.worker(name, **environ)


async def letters(pool: Pool) -> list[DeadLetter]:
    return [dead.letter for dead in await pool.store.dead.list()]


# -- workers that die


@pytest.mark.promise("worker-killed")
@pytest.mark.parametrize("step", ["claimed", "ran", "committed", "delivered"])
async def test_a_worker_that_dies_at_any_step_leaves_every_message_to_be_answered(pool: Pool, step: str) -> None:
    first = await pool.worker("w-one")
    first.at_step = at(step)
    updates = await pool.say_all(1, {"text": "a"}, {"text": "b"})
    first.ring(ONE)
    second = await next_worker(pool, first, "w-two")
    updates.append(await pool.say(1, "c"))
    await second.answer(ONE)

    answered = pool.telegram.answered(ONE)
    if step == "delivered":
        # Telegram had it, Redis did not hear so: the one duplicate that can be (DESIGN.md, guarantee 4).
        assert answered == [1, 2, 1, 2, 3]
        assert pool.telegram.texts(ONE)[0] == pool.telegram.texts(ONE)[1]
    else:
        assert answered == updates
    last = pool.model.calls[-1]
    assert [*last.history, *last.texts] == ["a", "b", "c"]
    assert await pool.idle(ONE)


@pytest.mark.promise("poison-message")
async def test_a_message_that_kills_its_worker_three_times_is_buried_and_the_session_goes_on(pool: Pool) -> None:
    await pool.say_all(1, {"text": "poison"}, {"text": "harmless"})
    worker = None
    for number in range(1, 4):
        worker = await next_worker(pool, worker, f"w-{number}", COHORT_QUEUE_MODE="followup")
        worker.at_step = at("ran")
        worker.ring(ONE)
    worker = await next_worker(pool, worker, "w-last")
    await worker.answer(ONE)

    assert [call.texts for call in pool.model.calls] == [["poison"]] * 3 + [["harmless"]]
    (letter,) = await letters(pool)
    assert letter.inbound is not None
    assert (letter.inbound.text, letter.session) == ("poison", str(ONE))
    assert pool.telegram.texts(ONE) == [words.POISON, "answer to harmless"]
    assert pool.telegram.answered(ONE) == [1, 2]


async def test_those_collected_with_a_poisonous_message_are_answered_and_cost_no_worker_more(pool: Pool) -> None:
    texts = ["a", "b", "poison", "c", "d"]
    await pool.say_all(1, *({"text": text} for text in texts))
    worker, deaths = None, 0
    while True:
        worker = await next_worker(pool, worker, f"w-{deaths}")

        def poisonous(step: str) -> bool:
            return step == "ran" and "poison" in pool.model.calls[-1].texts

        worker.at_step = poisonous
        bell = worker.ring(ONE)
        await asyncio.wait([bell])
        if not worker.dead:
            break
        deaths += 1

    assert deaths == 3
    assert pool.telegram.texts(ONE) == ["answer to a", "answer to b", words.POISON, "answer to c", "answer to d"]
    assert [letter.update_id for letter in await letters(pool)] == [3]


async def test_a_retry_that_kills_its_worker_is_buried_with_what_it_was_to_run(pool: Pool) -> None:
    worker = await pool.worker("w-0")
    pool.model.fail("hello", *(TurnFailed("retry", "busy", "503") for _ in range(5)))
    await pool.say(1, "hello")
    await worker.answer(ONE)
    await pool.say(1, kind="retry")
    for number in range(1, 4):
        worker = await pool.worker(f"w-{number}")
        worker.at_step = at("ran")
        worker.ring(ONE)
        await worker.has_ended()
    worker = await pool.worker("w-last")
    await worker.answer(ONE)
    await pool.say(1, kind="retry")
    await worker.answer(ONE)
    assert [letter.inbound and letter.inbound.kind for letter in await letters(pool)] == ["retry", "message"]
    assert pool.telegram.texts(ONE)[1:] == [words.POISON, words.NOTHING_TO_RETRY]


async def test_the_next_worker_goes_on_in_the_message_that_is_already_on_the_screen(pool: Pool) -> None:
    first = await pool.worker("w-one")
    hold = pool.model.hold("long")
    pool.model.partial["long"] = "Once upon"
    await pool.say(1, "long")
    first.ring(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    await first.kill()
    second = await pool.worker("w-two")
    hold.go.set()
    await second.answer(ONE)

    assert list(pool.telegram.chat(ONE).shown.values()) == ["answer to long"]
    assert (await pool.state(ONE)).get("live") is None


async def test_a_message_buried_after_it_showed_something_is_told_in_that_place(pool: Pool) -> None:
    pool.model.partial["poison"] = "Once upon"
    await pool.say(1, "poison")
    for number in range(3):
        worker = await pool.worker(f"w-{number}")
        worker.at_step = at("ran")
        worker.ring(ONE)
        await worker.has_ended()
    worker = await pool.worker("w-last")
    await worker.answer(ONE)
    assert list(pool.telegram.chat(ONE).shown.values()) == [words.POISON]


# -- claims that are lost


@pytest.fixture
async def heir(pool: Pool) -> Worker:
    return await pool.worker("w-heir")


@pytest.mark.promise("fenced-commit")
async def test_a_worker_that_lost_its_claim_while_a_turn_ran_commits_and_delivers_nothing(
    pool: Pool, heir: Worker
) -> None:
    zombie = await pool.worker("w-zombie")
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")
    turn = zombie.ring(ONE)
    await hold.reached()
    hold.begun.clear()
    await pool.store.members.report_death("w-zombie")
    answer = heir.ring(ONE)
    await hold.reached()
    await pool.store.members.beat("w-zombie", {}, LONG, member=False)
    hold.go.set()

    assert (await turn)["outcome"] == "elsewhere"
    assert (await answer)["outcome"] == "answered"
    assert [call.end for call in pool.model.calls] == ["answered", "answered"]
    assert pool.telegram.texts(ONE) == ["answer to hello"]
    assert (await pool.store.sessions.glance(ONE)).usage_in == 10
    assert await pool.idle(ONE)


async def test_a_worker_that_was_paused_before_it_delivered_does_not_say_it_again(pool: Pool, heir: Worker) -> None:
    zombie = await pool.worker("w-zombie")
    told = asyncio.Event()
    taken = asyncio.Event()

    async def held_by_a_flood(_session: SessionKey, _reply: Reply) -> None:
        if not told.is_set():
            told.set()
            await taken.wait()
            # It was not paced in all that time, and then there came a SIGSTOP.
            pool.clock.advance(60)
            raise Retryable("not now")

    zombie.delivery.before = held_by_a_flood
    await pool.say(1, "hello")
    turn = zombie.ring(ONE)
    async with asyncio.timeout(PATIENCE_S):
        await told.wait()
    await pool.store.members.report_death("w-zombie")
    await heir.answer(ONE)
    await pool.store.members.beat("w-zombie", {}, LONG, member=False)
    taken.set()

    assert (await turn)["outcome"] == "elsewhere"
    assert pool.telegram.texts(ONE) == ["answer to hello"]


async def test_a_worker_that_was_paused_right_after_its_commit_does_not_say_it_again(pool: Pool, heir: Worker) -> None:
    zombie = await pool.worker("w-zombie")
    sha = zombie.store.sessions._commit._script.sha.encode()
    committed, taken = asyncio.Event(), asyncio.Event()

    async def paused(sent: bytes) -> Fate:
        # Its connections go silent: everything behind the commit waits.
        if committed.is_set():
            await taken.wait()
        if sha in sent:
            committed.set()
        return "passes"

    def stops_there(step: str) -> bool:
        if step == "committed":
            pool.clock.advance(60)
        return False

    zombie.cable.heard, zombie.at_step = paused, stops_there
    await pool.say(1, "hello")
    turn = zombie.ring(ONE)
    async with asyncio.timeout(PATIENCE_S):
        await committed.wait()
    await pool.store.members.report_death("w-zombie")
    async with asyncio.timeout(PATIENCE_S):
        while not pool.telegram.delivered:
            await heir.answer(ONE)
    await pool.store.members.beat("w-zombie", {}, LONG, member=False)
    taken.set()

    assert (await turn)["outcome"] == "elsewhere"
    assert pool.telegram.texts(ONE) == ["answer to hello"]


async def test_a_worker_that_was_paused_does_not_write_over_what_its_heir_shows(pool: Pool, heir: Worker) -> None:
    zombie = await pool.worker("w-zombie")
    hold = pool.model.hold("hello")
    pool.model.partial["hello"] = "Once"
    await pool.say(1, "hello")
    turn = zombie.ring(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    # A SIGSTOP for longer than its heartbeat holds.
    await pool.store.members.report_death("w-zombie")
    pool.clock.advance(60)
    hold.begun.clear()
    answer = heir.ring(ONE)
    await hold.reached()
    heirs, hold.go = hold.go, asyncio.Event()
    heirs.set()
    del pool.model.partial["hello"]
    assert (await answer)["outcome"] == "answered"
    await pool.store.members.beat("w-zombie", {}, LONG, member=False)
    pool.model.more["hello"] = "Once upon a"
    hold.go.set()

    assert (await turn)["outcome"] == "elsewhere"
    assert list(pool.telegram.chat(ONE).shown.values()) == ["answer to hello"]


@pytest.mark.parametrize(("beats", "asked"), [(0, 2), (1, 1)])
async def test_before_a_frame_redis_is_asked_only_after_a_pause(pool: Pool, beats: int, asked: int) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("hello")
    pool.model.partial["hello"] = "Once"
    proofs = 0

    async def counting(sent: bytes) -> Fate:
        nonlocal proofs
        proofs += b"HMGET" in sent
        return "passes"

    await pool.say(1, "hello")
    worker.cable.heard = counting
    turn = worker.ring(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.noted))
    assert proofs == 0
    pool.clock.advance(60)
    for _ in range(beats):
        # The heartbeat woke up before the turn did: it lives again, which says nothing of its sessions.
        worker.pulse.beaten(worker.pulse.now())
    pool.model.more["hello"] = "Once upon a"
    hold.go.set()
    await turn
    # For the frame and, while there is no heartbeat that holds, for the reply.
    assert proofs == asked
    assert pool.telegram.texts(ONE) == ["answer to hello"]


async def test_a_turn_whose_session_is_somebody_elses_ends_once_that_is_found_out(pool: Pool, heir: Worker) -> None:
    zombie = await pool.worker("w-zombie")
    await pool.say(1, "hello")
    hold = pool.model.hold("hello")
    turn = zombie.ring(ONE)
    await hold.reached()
    await zombie.mailbox.doubt()
    assert pool.model.calls[0].end == "running"

    hold.begun.clear()
    await pool.store.members.report_death("w-zombie")
    other = heir.ring(ONE)
    await hold.reached()
    await zombie.mailbox.doubt()
    assert (await turn)["outcome"] == "elsewhere"
    assert pool.model.calls[0].end == "CancelledError"
    hold.go.set()
    await other
    assert len(pool.telegram.delivered) == 1


async def test_a_worker_without_a_heartbeat_of_its_own_begins_nothing(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "hello")
    await pool.store.members.report_death("w-one")
    assert (await worker.answer(ONE))["outcome"] == "elsewhere"
    assert pool.model.calls == []


# -- Redis


@pytest.mark.promise("committed-once")
@pytest.mark.parametrize("script", ["_claim", "_advance", "_commit", "_delivered", "_note"])
async def test_a_write_whose_answer_was_lost_is_done_once(pool: Pool, script: str) -> None:
    worker = await pool.worker("w-one")
    sha = getattr(worker.store.sessions, script)._script.sha.encode()
    seen = 0

    async def losing(sent: bytes) -> Fate:
        # More often than the client itself tries again.
        nonlocal seen
        seen += sha in sent
        return "answer lost" if sha in sent and seen <= 9 else "passes"

    updates = await pool.say_all(1, {"text": "a"}, {"text": "b"}, *CHOICES, {"text": "c"}, {"text": "d"})
    worker.cable.heard = losing
    await worker.answer(ONE)

    assert seen > 9
    assert pool.telegram.answered(ONE) == updates
    assert pool.model.saw() == [["a", "b"], ["c", "d"]]
    assert pool.model.calls[-1].history == ["a", "b"]
    assert (await pool.store.sessions.glance(ONE)).usage_in == 20
    assert await pool.store.dead.count() == 0
    assert await pool.idle(ONE)


CHOICES = [{"kind": "choose", "choice": {"model": name}} for name in ("m", "n")]


async def test_a_commit_that_the_network_brings_late_drops_nobodys_message(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="followup")
    sha = worker.store.sessions._commit._script.sha.encode()
    commits: list[bytes] = []

    async def listening(sent: bytes) -> Fate:
        if sha in sent:
            commits.append(sent)
        return "passes"

    worker.cable.heard = listening
    hold = pool.model.hold("c")
    updates = await pool.say_all(1, {"text": "a"}, {"text": "b"}, {"text": "c"})
    turn = worker.ring(ONE)
    await hold.reached()
    assert len(commits) == 2
    # Word for word what the worker said for its first turn, and Redis hears it a second time now.
    redis = urlsplit(pool.settings.redis)
    reader, writer = await asyncio.open_connection(redis.hostname, redis.port)
    writer.write(commits[0])
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.readline() == b":0\r\n"
    writer.close()
    hold.go.set()
    await turn
    assert pool.telegram.answered(ONE) == updates


async def test_a_turn_that_ends_while_redis_is_away_is_committed_when_it_is_back(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")
    turn = worker.ring(ONE)
    await hold.reached()
    worker.cable.cut()
    hold.go.set()
    await pool.naps.changes.until(lambda: len(pool.naps.taken) >= 2)
    assert pool.telegram.delivered == []
    worker.cable.mend()

    assert (await turn)["turns"] == 1
    assert pool.telegram.texts(ONE) == ["answer to hello"]
    assert len(pool.model.calls) == 1
    # It waits longer and longer, not for ever.
    assert max(pool.naps.taken) <= 7.5


@pytest.mark.promise("redis-away")
async def test_a_full_redis_holds_a_session_up_and_loses_nothing(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say_all(1, {"text": "a"}, {"kind": "choose", "choice": {"model": "m"}}, {"text": "b"})
    redis = pool.store.redis
    kept = await redis.config_get("maxmemory*")
    await redis.config_set("maxmemory-policy", "noeviction")
    await redis.config_set("maxmemory", "1")
    try:
        turn = worker.ring(ONE)
        await pool.naps.changes.until(lambda: len(pool.naps.taken) >= 3)
    finally:
        await redis.config_set("maxmemory", kept["maxmemory"])
        await redis.config_set("maxmemory-policy", kept["maxmemory-policy"])
    await turn
    assert len(pool.telegram.delivered) == 3
    assert pool.telegram.answered(ONE) == [1, 2, 3]


async def test_a_read_only_redis_holds_a_session_up_and_loses_nothing(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")
    turn = worker.ring(ONE)
    await hold.reached()
    # A replica of nobody: reads go on, writes are refused.
    await pool.store.redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        hold.go.set()
        await pool.naps.changes.until(lambda: len(pool.naps.taken) >= 3)
        assert pool.telegram.delivered == []
    finally:
        await pool.store.redis.execute_command("REPLICAOF", "NO", "ONE")
    await turn
    assert pool.telegram.texts(ONE) == ["answer to hello"]


async def test_a_growing_message_that_cannot_be_stored_does_not_end_its_turn(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.partial["hello"] = "Once upon"
    hold = pool.model.hold("hello")
    await pool.say(1, "hello")

    async def cutting(sent: bytes) -> Fate:
        if b"live" in sent:
            worker.cable.cut()
        return "passes"

    worker.cable.heard = cutting
    turn = worker.ring(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.chat(ONE).shown))
    worker.cable.heard = all_is_well
    worker.cable.mend()
    hold.go.set()
    await turn
    # It is known here, though not stored, so the answer stands in its place.
    assert list(pool.telegram.chat(ONE).shown.values()) == ["answer to hello"]


# -- faults that say who must act, and defects


@pytest.mark.parametrize(
    ("fault", "calls", "said"),
    [
        (MediaUnavailable(), 1, "This file cannot be read; please send it again, or a smaller one."),
        (Retryable("Telegram did not answer"), 2, "answer to hello"),
        (StoreUnavailable("a tool's notes"), 2, "answer to hello"),
        (TimeoutError("not ours"), 2, "answer to hello"),
        (asyncio.CancelledError(), 2, "answer to hello"),
        (ValueError("a defect"), 2, "answer to hello"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_fault_inside_a_turn_is_acted_upon_by_its_kind(
    pool: Pool, fault: BaseException, calls: int, said: str
) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", fault)
    await pool.say(1, "hello")
    await worker.answer(ONE)
    assert (len(pool.model.calls), pool.telegram.texts(ONE)) == (calls, [said])


async def test_a_message_that_meets_a_defect_three_times_is_buried_and_its_user_told(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", *(ValueError("a defect") for _ in range(9)))
    await pool.say_all(1, {"text": "hello"})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [words.DEFECT]
    assert [letter.reason for letter in await letters(pool)] == ["failed 3 times: ValueError"]


async def test_a_message_that_breaks_the_loop_itself_is_buried_too(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    worker.delivery.unrenderable = "hello"
    await pool.say_all(1, {"text": "hello"}, {"kind": "choose", "choice": {"model": "m"}})
    for _ in range(3):
        assert (await worker.answer(ONE))["outcome"] == "elsewhere"
        assert (await pool.store.sessions.glance(ONE)).running_on is None
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [words.POISON, "From now on: model m."]
    assert await pool.idle(ONE)


@pytest.mark.promise("no-queue-behind-a-chat")
async def test_a_defect_in_one_session_is_nothing_to_the_others(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    worker.delivery.unrenderable = "bad"
    hold = pool.model.hold("good")
    await pool.say(2, "good")
    good = worker.ring(session(2))
    await hold.reached()
    await pool.say(1, "bad")
    await worker.answer(ONE)
    hold.go.set()
    assert (await good)["outcome"] == "answered"


async def test_a_reply_that_breaks_our_own_code_is_given_up_and_said_so(pool: Pool) -> None:
    worker = await pool.worker("w-one")

    async def broken(_session: SessionKey, reply: Reply) -> None:
        if "bad" in reply.text:
            raise ValueError("a defect")

    worker.delivery.before = broken
    await pool.say(1, "bad")
    await worker.answer(ONE)
    await pool.say(1, "good")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [words.UNSENT, "answer to good"]
    assert pool.telegram.answered(ONE) == [1, 2]
    (letter,) = await letters(pool)
    assert letter.raw is not None
    assert "answer to bad" in letter.raw


async def test_not_even_those_words_hold_a_session_up(pool: Pool) -> None:
    worker = await pool.worker("w-one")

    async def broken(_session: SessionKey, _reply: Reply) -> None:
        raise ValueError("a defect")

    worker.delivery.before = broken
    await pool.say(1, "bad")
    await worker.answer(ONE)
    assert await pool.idle(ONE)
    assert await pool.store.dead.count() == 2


# -- Telegram


async def test_an_undeliverable_reply_is_dropped_and_the_session_goes_on(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    worker.delivery.gone = {ONE}
    await pool.say(1, "a")
    await worker.answer(ONE)
    worker.delivery.gone.clear()
    await pool.say(1, "b")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to b"]
    assert pool.model.calls[-1].history == ["a"]


async def test_a_delivery_that_cannot_be_made_yet_is_made_later(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    faults = [StoreUnavailable("no pace"), Retryable("later")]

    async def later(_session: SessionKey, _reply: Reply) -> None:
        if faults:
            raise faults.pop()

    worker.delivery.before = later
    await pool.say(1, "a")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to a"]


async def test_a_group_that_became_a_supergroup_is_answered_there_with_its_history(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    new = SessionKey(BOT, -1001)
    await pool.say(1, "before")
    await worker.answer(ONE)
    worker.delivery.moved = {ONE: -1001}
    hold = pool.model.hold("during")
    await pool.say(1, "during")
    turn = worker.ring(ONE)
    await hold.reached()
    await pool.say(1, "behind it")
    hold.go.set()
    assert (await turn)["turns"] == 0
    await pool.say(-1001, "after")
    await worker.answer(new)

    assert pool.telegram.texts(new) == ["answer to during", "answer to behind it after"]
    assert pool.telegram.answered(new) == [2, 3, 4]
    assert pool.model.calls[-1].history == ["before", "during"]
    assert await pool.idle(ONE)
    assert await pool.idle(new)


# -- what cannot be read


@pytest.mark.promise("version-skew")
async def test_what_a_newer_release_wrote_is_kept_for_it(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    newer = b'{"v": 99}'
    await pool.say(1, "readable")
    await pool.store.redis.rpush(f"cohort:s:{ONE}:inbox", newer)
    for _ in range(5):
        await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to readable"]
    assert await pool.raw_inbox(ONE) == [newer]
    state = await pool.state(ONE)
    assert (state.get("owner"), state["tries"]) == (None, "0")
    assert await pool.store.dead.count() == 0


async def test_a_turn_that_only_a_newer_release_can_run_is_kept_for_it(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", *(EnvelopeTooNew("the history's version is 2") for _ in range(5)))
    await pool.say(1, "hello")
    for _ in range(5):
        await worker.answer(ONE)
        assert (await pool.store.sessions.glance(ONE)).running_on is None
    assert pool.telegram.delivered == []
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to hello"]


async def test_a_reply_of_a_newer_release_is_kept_for_it_and_the_claim_let_go(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    newer = b'{"v": 99}'
    await pool.say(1, "behind it")
    await pool.store.redis.rpush(f"cohort:s:{ONE}:outbox", newer)
    await worker.answer(ONE)
    assert pool.model.calls == []
    assert (await pool.store.sessions.glance(ONE)).running_on is None
    await pool.store.redis.delete(f"cohort:s:{ONE}:outbox")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to behind it"]


async def test_a_damaged_message_is_buried_its_user_told_and_the_next_one_answered(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.store.redis.rpush(f"cohort:s:{ONE}:inbox", b"{damaged", b"7")
    await pool.say(1, "next")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [words.UNREADABLE, words.UNREADABLE, "answer to next"]
    assert [(letter.session, letter.raw) for letter in await letters(pool)] == [(str(ONE), "{damaged"), (str(ONE), "7")]


async def test_a_damaged_reply_is_buried_and_its_user_told(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    claim = await worker.store.sessions.claim(ONE, "w-one")
    assert isinstance(claim, Claim)
    await worker.store.sessions.commit(claim, Commit(0, [Reply(text="behind it")]))
    await pool.store.redis.lpush(f"cohort:s:{ONE}:outbox", b"{damaged")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["behind it", words.UNSENT]
    assert await pool.idle(ONE)
