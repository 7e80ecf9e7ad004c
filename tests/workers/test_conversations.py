"""/new sets a conversation aside; /sessions lists it, and /resume goes on with it."""

import json
from typing import Any

import pytest

from tasks import keys
from tasks.chats import conversations
from tasks.phrases import phrase
from tasks.stopping import new_conversation
from tasks.store.earlier import INDEX
from tasks.store.state import StateField
from tests.support.redis_of import redis_of
from tests.workers.cable import Fate, all_is_well
from tests.workers.fake_model import NEWER
from tests.workers.pool import Pool, Worker, session
from tests.workers.test_stopping import history
from workers import texts

ONE = session(1)


async def said(pool: Pool, worker: Worker, *words: str) -> None:
    for text in words:
        await pool.say(1, text)
        await worker.answer(ONE)


async def new(pool: Pool, worker: Worker) -> None:
    pool.clock.advance(60)
    await pool.say(1, kind="new")
    await worker.answer(ONE)


async def resume(pool: Pool, worker: Worker, number: int, **more: Any) -> None:
    pool.clock.advance(60)
    await pool.say(1, kind="conversation", v=4, choice={"resume": str(number)}, **more)
    await worker.answer(ONE)


async def listed(pool: Pool) -> list[tuple[int, str]]:
    """The earlier conversations, and the one that goes on last."""
    current, kept = await pool.store.earlier.look(ONE)
    earlier = [(one.number, one.title) for one in conversations.others(current, kept)]
    return [*earlier, (current.number, current.title)]


@pytest.mark.promise("earlier-conversations")
@pytest.mark.parametrize("cleared", [False, True])
async def test_new_in_an_empty_conversation_costs_no_earlier_one(pool: Pool, cleared: bool) -> None:
    worker = await pool.worker("w-one")
    await said(pool, worker, "about soup")
    for _ in range(3):
        await new(pool, worker)
    if cleared:
        await redis_of(pool.store).hdel(keys.state(ONE), StateField.conversation)  # as an earlier release left it
    await said(pool, worker, "about trains")
    assert await listed(pool) == [(1, "about soup"), (2, "about trains")]
    await new(pool, worker)
    await said(pool, worker, "about cats")
    assert await listed(pool) == [(2, "about trains"), (1, "about soup"), (3, "about cats")]
    await resume(pool, worker, 1)
    assert await history(pool) == ["about soup"]


@pytest.mark.promise("earlier-conversations")
async def test_what_is_said_after_a_resumed_conversation_was_undone_and_left_does_not_take_its_place(
    pool: Pool,
) -> None:
    worker = await pool.worker("w-one")
    await said(pool, worker, "about soup")
    await new(pool, worker)
    await resume(pool, worker, 1)
    await pool.say(1, kind="undo", v=3)
    await worker.answer(ONE)
    await new(pool, worker)
    await said(pool, worker, "about cats")
    await resume(pool, worker, 1)
    assert await history(pool) == ["about soup"], "as it was set aside"


@pytest.mark.promise("earlier-conversations")
async def test_a_conversation_that_new_set_aside_is_resumed_with_its_history_and_the_other_is_kept(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await said(pool, worker, "about soup", "more soup")
    await new(pool, worker)
    await said(pool, worker, "about trains")
    assert await listed(pool) == [(1, "about soup"), (2, "about trains")]
    await resume(pool, worker, 1)
    assert pool.telegram.texts(ONE)[-1] == texts.resumed("about soup")
    assert await history(pool) == ["about soup", "more soup"]
    assert await listed(pool) == [(2, "about trains"), (1, "about soup")]
    await said(pool, worker, "salt?")
    await resume(pool, worker, 2)
    assert await history(pool) == ["about trains"]
    await resume(pool, worker, 1)
    assert await history(pool) == ["about soup", "more soup", "salt?"], "as it was left"
    assert await pool.idle(ONE)


@pytest.mark.promise("earlier-conversations")
@pytest.mark.parametrize("pressed", [False, True])
async def test_a_conversation_that_cannot_be_read_here_is_not_resumed(pool: Pool, pressed: bool) -> None:
    worker = await pool.worker("w-one")
    await said(pool, worker, "soup")
    await new(pool, worker)
    await said(pool, worker, "trains")
    before = await listed(pool)
    await redis_of(pool.store).hset(keys.earlier(ONE), "1", NEWER)
    await resume(pool, worker, 1, pressed=pressed)
    assert pool.telegram.texts(ONE)[-1] == "written by a newer version"
    assert (await history(pool), await listed(pool)) == (["trains"], before)
    assert await pool.store.earlier.history(ONE, 1) == NEWER, "it stays kept"


@pytest.mark.parametrize("pressed", [False, True])
async def test_who_presses_the_one_that_another_has_just_resumed_is_told_by_the_list_alone(
    pool: Pool, pressed: bool
) -> None:
    worker = await pool.worker("w-one")
    await said(pool, worker, "soup")
    await new(pool, worker)
    for _ in range(2):
        await resume(pool, worker, 1, pressed=pressed)
    assert (pool.telegram.texts(ONE)[-1] == phrase("already-there")) is not pressed


@pytest.mark.promise("earlier-conversations")
@pytest.mark.parametrize("fate", ["answer lost", "lost"])
async def test_a_resume_whose_every_call_is_lost_once_loses_no_conversation(pool: Pool, fate: Fate) -> None:
    worker = await pool.worker("w-one")
    await said(pool, worker, "soup")
    await new(pool, worker)
    await said(pool, worker, "trains")
    seen = set[bytes]()

    async def lossy(sent: bytes) -> Fate:
        # Each script by its digest, and the reads.
        words = sent.split(b"\r\n")
        name = words[4] if words[2:3] == [b"EVALSHA"] else words[2] if len(words) > 2 else b""
        first, _ = name not in seen, seen.add(name)
        return fate if first and name not in (b"", b"HELLO", b"CLIENT") else "passes"

    worker.cable.heard = lossy
    await resume(pool, worker, 1)
    worker.cable.heard = all_is_well
    assert len(seen) > 5
    assert await history(pool) == ["soup"]
    assert await listed(pool) == [(2, "trains"), (1, "soup")]
    await resume(pool, worker, 2)
    assert await history(pool) == ["trains"]


@pytest.mark.promise("earlier-conversations")
async def test_a_worker_that_dies_while_it_resumes_the_oldest_of_all_that_are_kept_loses_no_conversation(
    pool: Pool,
) -> None:
    worker = await pool.worker("w-one", COHORT_SESSIONS_KEPT="2")
    for text in ("soup", "trains"):
        await said(pool, worker, text)
        await new(pool, worker)
    await said(pool, worker, "boats")
    aside = b"earlier"

    async def dies_before_the_commit(sent: bytes) -> Fate:
        nonlocal aside
        if aside == b"commit" and b"EVALSHA" in sent:
            worker.cut()
            return "lost"
        if b"EVALSHA" in sent and aside in sent:
            aside = b"commit"
        return "passes"

    worker.cable.heard = dies_before_the_commit
    pool.clock.advance(60)
    await pool.say(1, kind="conversation", v=4, choice={"resume": "1"})
    await worker.visited(ONE)
    assert worker.dead
    await worker.has_ended()
    after = await pool.worker("w-two", COHORT_SESSIONS_KEPT="2")
    await after.answer(ONE)
    assert pool.telegram.texts(ONE)[-1] == texts.resumed("soup")
    assert await history(pool) == ["soup"]
    assert (3, "boats") in await listed(pool)
    await new(pool, after)
    assert {"index", "1", "3"} == set(await pool.store.earlier.whole(ONE)), "no more than may be kept"


@pytest.mark.promise("earlier-conversations")
async def test_only_so_many_are_kept_and_the_oldest_go(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_SESSIONS_KEPT="2")
    for text in ("a", "b", "c", "d"):
        await said(pool, worker, text)
        await new(pool, worker)
    assert await listed(pool) == [(4, "d"), (3, "c"), (5, "")]
    assert set(await pool.store.earlier.whole(ONE)) == {INDEX, "3", "4"}
    await resume(pool, worker, 1)
    assert pool.telegram.texts(ONE)[-1] == phrase("conversation-not-kept")


async def test_where_none_is_kept_new_forgets_as_it_did(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_SESSIONS_KEPT="0")
    await said(pool, worker, "a")
    await new(pool, worker)
    assert pool.telegram.texts(ONE)[-1] == new_conversation(0)
    assert not await redis_of(pool.store).exists(keys.earlier(ONE))
    assert "conversation" not in await pool.state(ONE)


async def test_a_title_given_by_a_person_stays_and_comes_along(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await said(pool, worker, "hello there")
    await pool.say(1, kind="conversation", v=4, choice={"title": "  Soup\nand more "})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE)[-1] == conversations.now_called("Soup and more")
    await said(pool, worker, "again")
    await new(pool, worker)
    assert await listed(pool) == [(1, "Soup and more"), (2, "")]


async def test_a_pressed_button_edits_the_list_and_marks_the_one_that_goes_on(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await said(pool, worker, "soup")
    await new(pool, worker)
    await said(pool, worker, "trains")
    await resume(pool, worker, 1, pressed=True, message_id=55)
    _, reply = pool.telegram.delivered[-1]
    assert reply.edit == 55
    assert "✓ 1. soup (now)" in reply.text.splitlines()
    assert [[(button.text, button.data) for button in row] for row in reply.buttons] == [[("2. trains", "resume:2")]]


async def test_the_one_that_goes_on_and_one_that_is_gone_are_refused_in_words(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await said(pool, worker, "soup")
    for number, words in ((1, phrase("already-there")), (7, phrase("conversation-not-kept"))):
        await resume(pool, worker, number)
        assert pool.telegram.texts(ONE)[-1] == words
    assert await history(pool) == ["soup"]


async def test_an_index_that_is_damaged_costs_the_list_and_nothing_else(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await said(pool, worker, "soup")
    for damage in ("{", "[1]", '[{"number": "x"}]'):
        await redis_of(pool.store).hset(keys.earlier(ONE), INDEX, damage)
        await said(pool, worker, "more")
        await new(pool, worker)
        await said(pool, worker, "soup")
    assert json.loads((await pool.state(ONE))["conversation"])["title"] == "soup"


async def test_what_is_kept_follows_a_group_to_its_supergroup(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    there = session(-1005)
    for text in ("soup", "trains"):
        await pool.say(-5, text)
        await worker.answer(session(-5))
        await pool.say(-5, kind="new")
        await worker.answer(session(-5))
    await pool.say(-5, kind="moved", v=2, moved_to=there.chat, message_id=None)
    await worker.answer(session(-5))
    await worker.answer(there)
    _, kept = await pool.store.earlier.look(there)
    assert {one.title for one in kept} == {"soup", "trains"}
    assert not await redis_of(pool.store).exists(keys.earlier(session(-5)))
