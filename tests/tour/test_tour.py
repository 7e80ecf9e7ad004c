"""Ten tests that teach the system, in reading order. Each is a sentence of docs/architecture.md, run."""

from datetime import timedelta

import pytest

from bot.updates.meaning import BotIdentity, Incoming
from bot.updates.understand import understand
from tasks.envelope import Inbound, Reply
from tasks.errors import ClaimLost
from tasks.session import SessionKey
from tasks.slots import assign, queue_of, slot_of
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tasks.store.intake import Accept
from tasks.store.sessions import Claim, Commit, Held
from workers.sessions.planning.parked import Rules
from workers.sessions.planning.planner import Earlier, Handled, Run, decide
from workers.telegram.render import render

ME = BotIdentity.of(4242, "cohort_bot")
SESSION = SessionKey(bot=4242, chat=5)
UPDATE = {
    "update_id": 77,
    "message": {
        "message_id": 1,
        "date": 1_700_000_000,
        "chat": {"id": 5, "type": "private", "first_name": "Ada"},
        "from": {"id": 5, "is_bot": False, "first_name": "Ada"},
        "text": "hello",
    },
}


def heard(update: dict[str, object] = UPDATE) -> Inbound:
    meaning = understand(update, ME, now=1_700_000_001.0)
    assert isinstance(meaning, Incoming)
    return meaning.inbound


async def working(store: Store, worker: str) -> Claim:
    await store.members.beat(worker, WorkerStatus(), timedelta(minutes=1))
    claim = await store.sessions.claim(SESSION, worker)
    assert isinstance(claim, Claim)
    return claim


def test_1_an_update_of_telegram_becomes_a_message_of_a_session() -> None:
    inbound = heard()
    assert inbound.key == SESSION
    assert (inbound.kind, inbound.text, inbound.update_id) == ("message", "hello", 77)


def test_2_a_session_has_a_slot_and_a_slot_has_a_queue() -> None:
    slot = slot_of(SESSION, 64)
    assert slot == slot_of("4242:5", 64)
    assert queue_of(slot) == f"chats.{slot:02d}"


def test_3_slots_are_shared_out_among_the_living_workers() -> None:
    alone = assign(4, ["w-one"], {})
    together = assign(4, ["w-one", "w-two"], alone)
    assert sorted(together.values()) == ["w-one", "w-one", "w-two", "w-two"]
    assert sum(alone[slot] != together[slot] for slot in range(4)) == 2


async def test_4_what_is_accepted_is_in_the_inbox_and_once_only(store: Store) -> None:
    item = Accept(77, inbound=heard())
    assert await store.intake.accept(4242, [item]) == ["accepted"]
    assert await store.intake.accept(4242, [item]) == ["seen"]
    assert (await store.sessions.glance(SESSION)).waiting == 1


async def test_5_a_session_has_one_owner(store: Store) -> None:
    await working(store, "w-one")
    await store.members.beat("w-two", WorkerStatus(), timedelta(minutes=1))
    assert await store.sessions.claim(SESSION, "w-two") == Held("w-one")


async def test_6_the_owner_decides_what_to_do_from_what_waits(store: Store) -> None:
    await store.intake.accept(4242, [Accept(77, inbound=heard())])
    claim = await working(store, "w-one")
    plan = decide(claim.work.inbox, Earlier(claim.work.tries), Rules("collect", 0.0))
    assert plan == Run(Handled(drop=1, answers=(77,)), (heard(),))


def test_7_an_answer_in_markdown_becomes_telegrams_text_and_entities() -> None:
    (reply,) = render("**Hello**, Ada")
    assert reply.text == "Hello, Ada"
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in reply.entities] == [("bold", 0, 5)]


async def test_8_a_turn_is_written_in_one_step(store: Store) -> None:
    await store.intake.accept(4242, [Accept(77, inbound=heard())])
    claim = await working(store, "w-one")
    await store.sessions.commit(claim, Commit(1, [Reply(text="Hello, Ada")], history=b"all of it"))
    work = await store.sessions.advance(claim)
    assert work is not None
    assert work.inbox == ()
    assert [Reply.from_json(raw).text for raw in work.outbox] == ["Hello, Ada"]


async def test_9_a_worker_that_was_taken_for_dead_writes_nothing(store: Store) -> None:
    await store.intake.accept(4242, [Accept(77, inbound=heard())])
    zombie = await working(store, "w-one")
    await store.members.report_death("w-one")
    await working(store, "w-two")
    with pytest.raises(ClaimLost):
        await store.sessions.commit(zombie, Commit(1, [Reply(text="too late")]))


async def test_10_a_session_is_let_go_only_when_nothing_is_left(store: Store) -> None:
    await store.intake.accept(4242, [Accept(77, inbound=heard())])
    claim = await working(store, "w-one")
    (raw,) = await store.sessions.commit(claim, Commit(1, [Reply(text="Hello, Ada")]))
    assert await store.sessions.advance(claim) is not None
    await store.sessions.delivered(claim, raw)
    assert await store.sessions.advance(claim) is None
    assert (await store.sessions.glance(SESSION)).running_on is None
