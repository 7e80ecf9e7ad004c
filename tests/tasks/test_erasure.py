"""Erasing a session, and a person everywhere: nothing of it is left, and a running turn cannot write it back."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tasks import keys
from tasks.app import make_app
from tasks.chats.conversations import Conversation, Current
from tasks.config.settings import Settings
from tasks.doorbell import Doorbells
from tasks.envelope import DeadLetter, Inbound, Media, Reply, Sender
from tasks.errors import ClaimLost
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.store.earlier import Struck
from tasks.store.erasure import Erased
from tasks.store.intake import Accept
from tasks.store.journal import Steps
from tasks.store.sessions import Claim, Commit, Counts
from tasks.turn_record import TurnRecord
from tests.harness.contents import everything
from tests.support.redis_of import redis_of
from workers.runtime.conversation import stored
from workers.runtime.conversation.message_tags import body, closing, label, opening, overheard

BOT, ANN, BOB = 4242, 7770001, 8880002
HERS, TOPIC, GROUP, HIS = (
    SessionKey(BOT, ANN),
    SessionKey(BOT, ANN, 5),
    SessionKey(BOT, -1005550003),
    SessionKey(BOT, BOB),
)
LONG = timedelta(minutes=5)
PHOTO = Media(kind="photo", file_id="annphoto", unique_id="annuniq")


def said(number: int, session: SessionKey, who: int, **more: Any) -> Inbound:
    kind = "private" if session.chat > 0 else "supergroup"
    name = "Ann" if who == ANN else "Bob"
    text = f"{name.lower()}word{number}"
    sender = Sender(id=who, name=name)
    return Inbound(session=str(session), update_id=number, at=1.0, text=text, sender=sender, chat_type=kind, **more)


def history(*messages: Inbound) -> bytes:
    """A stored history in which these messages were answered, as ``workers.runtime`` writes it."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        words, end = overheard(message) + opening(message) + body(message), closing(message)
        blocks: list[dict[str, Any]] = [{"type": "text", "text": words + ("" if message.media else end)}]
        for media in message.media:
            meta = {stored.MEDIA_KEY: media.model_dump(mode="json", exclude_defaults=True)}
            blocks.append({"type": "text", "text": label(media), "_meta": meta})
        blocks += [{"type": "text", "text": end}] if message.media and end else []
        turns += [{"role": "user", "content": blocks}, {"role": "assistant", "content": []}]
    return stored.written({"messages": turns, "members": {}})


def strike(text: bytes | None) -> Struck | None:
    left = stored.without(text, ANN)
    return Struck(left.history, left.messages, left.media) if left else None


async def erase(store: Store, whose: ErasureScope) -> Erased:
    return await store.erasure.erase(whose, media=lambda h: stored.media_in(stored.read(h) or {}), strike=strike)


async def claimed(store: Store, session: SessionKey, worker: str = "w-one") -> Claim:
    await store.members.beat(worker, WorkerStatus(), LONG)
    claim = await store.sessions.claim(session, worker)
    assert isinstance(claim, Claim)
    return claim


async def filled(store: Store, settings: Settings) -> None:
    """Something of Ann's in every kind of key, and something of Bob's beside it."""
    doorbells = Doorbells(make_app(settings), slots=settings.slots)
    batch = [
        *[said(1, HERS, ANN, media=(PHOTO,)), said(2, HERS, ANN), said(3, TOPIC, ANN), said(4, HIS, BOB)],
        *[said(5, GROUP, ANN), said(6, GROUP, BOB), said(7, GROUP, ANN, media=(PHOTO,)), said(8, HIS, BOB)],
    ]
    accepts = [Accept(one.update_id, inbound=one, doorbell=doorbells.of(one.key, one.update_id)) for one in batch]
    await store.intake.accept(BOT, accepts)
    for session, answered in ((HERS, batch[0]), (HIS, batch[3])):
        claim = await claimed(store, session)
        who, day = session.chat, "2026-11-01"
        usage = {
            keys.usage(f"{BOT}:user:{who}", day): Counts({"input_tokens": 1}),
            keys.usage(f"{BOT}:chat:{who}", day): Counts({"input_tokens": 1}),
            keys.usage(f"{BOT}:model:m", day): Counts({"input_tokens": 1}, {f"held:{session}": ""}),
        }
        letter = DeadLetter(reason="why", at=1.0, session=str(session), inbound=answered)
        replies = [Reply(text=f"{answered.text} to you", answers=(answered.update_id,))]
        await store.sessions.commit(
            claim, Commit(1, replies, history=history(answered), usage=usage, dead=[letter], set={"touched": "1"})
        )
        await store.sessions.charge(session, "c", {keys.usage(f"{BOT}:model:m", day): Counts({"input_tokens": 1})})
        await store.journal.append(claim, Steps("1 1 t n", 0, [answered.text.encode()], await _last(store, session)))
        this = Conversation(number=3, title=answered.text, by=who, at=2.0, size_bytes=5)
        await store.earlier.set_aside(claim, 3, [this])
        await store.sessions.hand_off(claim)
        await store.notes.remember(session, "name", answered.text)
        await store.reminders.add(session, answered.text, 3600, by=who)
        await store.reminders.add(GROUP, answered.text, 3600, by=who)
        await store.intake.push_replies(BOT, [Reply(text=answered.text, session=str(session))])
        await store.intake.push_strangers(BOT, [Reply(text=answered.text, session=str(session), at=1.0)], {})
        await redis_of(store).set(keys.pace(f"{BOT}:{who}"), 1, px=600_000)
    claim = await claimed(store, GROUP)
    await _earlier_of_the_group(store, claim)
    past = history(said(90, GROUP, ANN), said(91, GROUP, BOB), said(92, GROUP, ANN, media=(PHOTO,)))
    retry = json.dumps([said(93, GROUP, ANN).to_json(), said(94, GROUP, BOB).to_json()])
    last = json.dumps([said(96, GROUP, ANN).to_json(), said(97, GROUP, BOB).to_json()])
    raw = json.dumps({"message": {"from": {"id": ANN}, "text": "annword"}})
    letters = [DeadLetter(reason="r", at=1.0, inbound=said(95, GROUP, ANN)), DeadLetter(reason="r", at=1.0, raw=raw)]
    await store.sessions.commit(claim, Commit(0, history=past, set={"failed": retry, "unanswered": last}, dead=letters))
    await store.sessions.hand_off(claim)


async def _earlier_of_the_group(store: Store, claim: Claim) -> None:
    """One conversation of both with a title of Ann's, one of Bob's alone, and the one that goes on has Ann's title."""
    kept = list[Conversation]()
    both, his = [said(80, GROUP, ANN), said(81, GROUP, BOB)], [said(82, GROUP, BOB)]
    for number, who, asked in ((1, ANN, both), (2, BOB, his)):
        named = {"conversation": Current(number=3, title="annword", by=ANN).model_dump_json()}
        await store.sessions.commit(claim, Commit(0, history=history(*asked), set=named))
        kept.append(Conversation(number=number, title=asked[0].text, by=who, at=2.0))
        await store.earlier.set_aside(claim, number, kept)


async def _last(store: Store, session: SessionKey) -> str:
    found = await redis_of(store).hget(keys.state(session), "commit")  # type: ignore[misc]
    return (found or b"").decode()


@pytest.mark.promise("forgotten")
async def test_after_a_person_is_forgotten_no_key_holds_their_number_or_their_words(
    store: Store, settings: Settings
) -> None:
    await filled(store, settings)
    await redis_of(store).zadd(keys.pending(63), {str(HERS): 1.0})
    await store.trail.append([TurnRecord(session=str(session)) for session in (HERS, GROUP)])
    for trail in (keys.TRAIL, keys.trail(HERS.bot)):
        await redis_of(store).xadd(trail, {"records": f"session {HERS}"})
        await redis_of(store).expire(trail, 60)
    before = await everything(redis_of(store))
    assert before.count("annword") > 15
    erased = await erase(store, ErasureScope(user=ANN))
    assert [record.session async for record in store.trail.newest()] == [str(GROUP)]
    after = await everything(redis_of(store))
    assert "annword" not in after
    assert f"{ANN}" not in after.replace(str(GROUP), "")
    assert "annuniq" not in after
    assert erased.sessions == {HERS, TOPIC}
    assert erased.groups == {GROUP}
    assert {media.unique_id for media in erased.media} == {"annuniq"}
    # Nothing of another person went, in the group neither.
    assert after.count("bobword") == before.count("bobword")
    assert after.count(str(HIS)) == before.count(str(HIS))
    assert "(erased at this person's request)" in after
    assert (await erase(store, ErasureScope(user=ANN))).counts.total() == 0


@pytest.mark.promise("forgotten")
async def test_one_session_is_forgotten_and_its_neighbours_are_not(store: Store, settings: Settings) -> None:
    await filled(store, settings)
    before = await everything(redis_of(store))
    await erase(store, ErasureScope(session=TOPIC))
    after = await everything(redis_of(store))
    assert "annword3" not in after
    assert str(TOPIC) not in after
    await erase(store, ErasureScope(session=HERS))
    last = await everything(redis_of(store))
    assert f"cohort:s:{HERS}:" not in last
    assert "annword1 to you" not in last
    assert last.count("bobword") == before.count("bobword")
    assert last.count("annword5") == before.count("annword5")


@pytest.mark.promise("forgotten")
@pytest.mark.parametrize("session", [HERS, GROUP])
async def test_a_turn_that_runs_while_its_session_is_forgotten_writes_nothing_back(
    store: Store, settings: Settings, session: SessionKey
) -> None:
    await filled(store, settings)
    claim = await claimed(store, session)
    erased = await erase(store, ErasureScope(user=ANN))
    assert erased.owners == {"w-one"}
    gone = await everything(redis_of(store))
    late = Commit(1, [Reply(text="annword late")], history=history(said(1, session, ANN)))
    with pytest.raises(ClaimLost):
        await store.sessions.commit(claim, late)
    with pytest.raises(ClaimLost):
        await store.journal.append(claim, Steps("1 1 t n", 0, [b"annword"], ""))
    with pytest.raises(ClaimLost):
        await store.sessions.note(claim, "live", "9")
    with pytest.raises(ClaimLost):
        await store.sessions.advance(claim)
    assert await everything(redis_of(store)) == gone
    # The person writes again: the same worker has the session again, and the turn of before is still refused.
    await store.intake.accept(BOT, [Accept(50, inbound=said(50, session, BOB))])
    again = await claimed(store, session)
    assert again.epoch > claim.epoch
    with pytest.raises(ClaimLost):
        await store.sessions.commit(claim, late)
    assert await store.sessions.verify_claim(again) is None


@pytest.mark.promise("forgotten")
async def test_what_others_wrote_in_a_group_is_answered_after_one_of_them_was_forgotten(
    store: Store, settings: Settings
) -> None:
    await filled(store, settings)
    claim = await claimed(store, GROUP)
    assert len(claim.work.inbox) == 3
    # As one whose turn is parked: it waits for a person, and no sweep looks at it.
    await store.sessions.note(claim, "parked", "[]")
    await redis_of(store).zrem(keys.pending(slot_of(GROUP, settings.slots)), str(GROUP))
    await erase(store, ErasureScope(user=ANN))
    again = await claimed(store, GROUP, "w-two")
    assert [Inbound.from_json(raw).text for raw in again.work.inbox] == ["bobword6"]
    work = await store.sessions.sweep(range(settings.slots), 10, 1.0)
    assert "parked" not in again.state
    assert GROUP in {session for slot in work for session in slot.sessions}


@pytest.mark.promise("forgotten")
async def test_a_question_of_a_turn_that_was_forgotten_is_not_counted_as_open(store: Store, settings: Settings) -> None:
    await filled(store, settings)
    for session in (HERS, GROUP):
        await redis_of(store).zadd(keys.parked(slot_of(session, settings.slots)), {str(session): 900.0})
    await erase(store, ErasureScope(user=ANN))
    assert await store.sessions.parked_turns(settings.slots) == 0


@pytest.mark.promise("forgotten")
def test_a_number_that_is_part_of_another_number_is_not_the_person() -> None:
    ann = ErasureScope(user=ANN)
    assert not ann.is_named_in("cohort:bots")
    theirs = [keys.pace(f"{BOT}:{ANN}"), keys.pace(f"{BOT}:{ANN}:penalty"), keys.reminders(f"user:{BOT}:{ANN}")]
    others = [keys.pace(f"{BOT}:-{ANN}"), keys.pace(f"{BOT}:{ANN}0"), keys.pace(f"{BOT}:1{ANN}"), keys.seen(ANN)]
    assert [name for name in theirs + others if ann.is_named_in(name)] == theirs
    assert ann.is_letter(DeadLetter(reason="r", at=1.0, raw=f'{{"id": {ANN}}}'))
    assert not ann.is_letter(DeadLetter(reason="r", at=1.0, raw=f'{{"id": -{ANN}, "n": {ANN}1}}'))
    assert not ErasureScope(session=HERS).is_named_in(keys.reminders(f"s:{HERS}:t5"))


@pytest.mark.promise("kept-days")
async def test_a_session_that_rests_too_long_is_erased_and_one_that_has_work_is_not(
    store: Store, settings: Settings
) -> None:
    await filled(store, settings)
    idle, fresh, unmarked = SessionKey(BOT, 11), SessionKey(BOT, 12), SessionKey(BOT, 13)
    for session, touched in ((idle, "100"), (fresh, "900"), (unmarked, None)):
        claim = await claimed(store, session)
        await store.sessions.commit(claim, Commit(0, history=b"h", set={"touched": touched} if touched else {}))
        await store.sessions.advance(claim)
        await store.notes.remember(session, "a", "b")

    async def sweep(before: float, now: float) -> set[SessionKey]:
        gone: set[SessionKey] = set()
        cursor = 0
        while True:
            cursor, some = await store.erasure.sweep(cursor, 5, before=before, now=now)
            gone |= set(some)
            if not cursor:
                return gone

    # HERS and HIS were touched at 1, and have messages that wait.
    assert await sweep(500, 1000) == {idle}
    assert not [name for name in await redis_of(store).keys("*") if b":11:" in name]
    assert await sweep(950, 1400) == {fresh}
    assert await sweep(999, 1500) == set()
    assert await sweep(1000, 2000) == {unmarked}
