"""The way of a batch, on a real store."""

from dataclasses import replace
from typing import Any, cast

import pytest
from aiogram import types as tg

from bot import texts
from tasks import keys
from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.errors import StoreUnavailable
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.intake import Accept, IntakeResult, IntakeStore
from tasks.store.notes import NoteStore
from tasks.turn_record import with_reference
from tests.bot.conftest import OURS, BotUnderTest, make_bot
from tests.bot.stand_ins import AwaySometimes, HandClock
from tests.bot.updates import ANN, BEN, FORUM, GROUP, message, pressed, said
from tests.bot.updates import BOT as US
from tests.conftest import BOT as OUR_ID
from tests.support.redis_of import redis_of

ANNS = "4242:700"
ONLY_ANN = Access(everybody=False, allow=frozenset({ANN.id}))
BENS = SessionKey(4242, 701)


async def test_messages_reach_their_inboxes_in_order_with_a_doorbell(bot: BotUnderTest) -> None:
    here = tg.Chat(id=701, type="private", first_name="Ben")
    batch = [said("one", update_id=5), said("hello", chat=here, sender=BEN, update_id=6), said("two", update_id=7)]
    await bot.intake.take(batch)
    await bot.followed()
    assert [entry.text for entry in await bot.inbox(ANNS)] == ["one", "two"]
    assert [entry.text for entry in await bot.inbox("4242:701")] == ["hello"]
    assert await bot.doorbells() == [(SessionKey(4242, 700), 5), (BENS, 6), (SessionKey(4242, 700), 7)]
    assert bot.signs.typed == [SessionKey(4242, 700), BENS]


@pytest.mark.promise("accepted-once")
async def test_a_redelivered_update_is_taken_once_with_one_doorbell(bot: BotUnderTest) -> None:
    await bot.intake.take([said("one", update_id=5)])
    await bot.intake.take([said("one", update_id=5), said("two", update_id=6)])
    await bot.followed()
    assert [entry.text for entry in await bot.inbox(ANNS)] == ["one", "two"]
    assert [update for _, update in await bot.doorbells()] == [5, 6]


@pytest.mark.promise("poison-update")
async def test_a_poison_update_becomes_a_dead_letter_and_the_others_go_on(bot: BotUnderTest) -> None:
    poison = {"update_id": 6, "message": {"chat": "?"}}
    await bot.intake.take([said("one", update_id=5), poison, said("two", update_id=7)])
    assert [entry.text for entry in await bot.inbox(ANNS)] == ["one", "two"]
    (dead,) = await bot.store.dead.list()
    assert dead.letter.update_id == 6
    assert dead.letter.reason == "chat is no object"
    assert dead.letter.raw == '{"update_id": 6, "message": {"chat": "?"}}'


async def test_junk_without_a_number_is_kept_once(bot: BotUnderTest) -> None:
    await bot.intake.take(["junk", said("one")])
    await bot.intake.take(["junk", "other junk"])
    assert [dead.letter.raw for dead in await bot.store.dead.list()] == ['"junk"', '"other junk"']


async def test_updates_that_mean_nothing_leave_nothing_but_their_number(bot: BotUnderTest) -> None:
    await bot.intake.take([said("psst", chat=GROUP, update_id=8), {"update_id": 9, "poll": {}}])
    assert await redis_of(bot.store).keys("cohort:s:*") == []
    assert await redis_of(bot.store).zcard("cohort:bot:4242:seen") == 2


@pytest.mark.parametrize(
    "first", [{"chat": GROUP, "migrate_to_chat_id": FORUM.id}, {"chat": FORUM, "migrate_from_chat_id": GROUP.id}]
)
async def test_that_a_group_became_a_supergroup_waits_behind_its_messages(
    bot: BotUnderTest, first: dict[str, Any]
) -> None:
    await bot.intake.take([said("@cohort_bot hi", chat=GROUP, update_id=8)])
    update = said(update_id=9, **first)
    await bot.intake.take([update])
    await bot.intake.take([update])
    await bot.followed()
    _, entry = await bot.inbox(f"4242:{GROUP.id}")
    assert (entry.kind, entry.moved_to, entry.update_id) == ("moved", FORUM.id, 9)
    # A worker of the release before must leave it where it is.
    assert entry.v == 2
    assert await bot.inbox(f"4242:{FORUM.id}") == []
    assert (await bot.doorbells())[-1] == (SessionKey(4242, GROUP.id), 9)


@pytest.mark.promise("redis-away")
async def test_nothing_is_taken_while_redis_is_away(settings: Settings, store: Store) -> None:
    intake = AwaySometimes(store)
    bot = make_bot(settings, store, intake=intake)
    intake.away = True
    with pytest.raises(StoreUnavailable):
        await bot.intake.take([said("one")])
    await bot.followed()
    assert (await bot.doorbells(), bot.signs.typed) == ([], [])
    intake.away = False
    await bot.intake.take([said("one")])
    assert [entry.text for entry in await bot.inbox(ANNS)] == ["one"]


async def test_a_doorbell_is_stored_with_its_message_or_not_at_all(bot: BotUnderTest) -> None:
    await redis_of(bot.store).config_set("maxmemory", "1mb")
    try:
        with pytest.raises(StoreUnavailable):
            await bot.intake.take([said("one"), said("two", update_id=2)])
    finally:
        await redis_of(bot.store).config_set("maxmemory", "0")
    assert (await bot.doorbells(), await bot.inbox(ANNS)) == ([], [])
    await bot.intake.take([said("one"), said("two", update_id=2)])
    assert [update for _, update in await bot.doorbells()] == [1, 2]


async def test_a_message_that_finds_its_inbox_full_sends_no_doorbell(settings: Settings, store: Store) -> None:
    small = IntakeStore(redis_of(store), HandClock(), slots=settings.slots, inbox_cap=2)
    bot = make_bot(settings, store, intake=small)
    await bot.intake.take([said("x", update_id=number) for number in range(1, 4)])
    assert [update for _, update in await bot.doorbells()] == [1, 2]


async def test_a_slots_queue_holds_no_more_than_a_thousand_doorbells(bot: BotUnderTest) -> None:
    for first in range(1, 1051, 50):
        await bot.intake.take([said("x", update_id=number) for number in range(first, first + 50)])
    assert len(await bot.inbox(ANNS)) == 1050
    assert [update for _, update in await bot.doorbells()] == list(range(1, 1001))


async def test_remote_control_that_cannot_be_reached_harms_no_chat(bot: BotUnderTest) -> None:
    bot.remote.broken = StoreUnavailable("no broker")
    await bot.intake.take([said("/stop")])
    await bot.followed()
    bot.remote.broken = None
    await bot.intake.take([said("/stop", update_id=2)])
    await bot.followed()
    assert [update for _, update in await bot.doorbells()] == [1, 2]
    assert bot.remote.interrupted == [SessionKey(4242, 700)]


@pytest.mark.promise("control-words")
@pytest.mark.parametrize("word", ["/stop", "/new"])
async def test_stop_and_new_take_their_place_and_interrupt_the_running_turn(bot: BotUnderTest, word: str) -> None:
    await bot.intake.take([said("long question"), said(word, update_id=2)])
    await bot.followed()
    assert [entry.kind for entry in await bot.inbox(ANNS)] == ["message", word[1:]]
    assert bot.remote.interrupted == [SessionKey(4242, 700)]


async def test_a_message_said_with_new_shows_typing(bot: BotUnderTest) -> None:
    await bot.intake.take(
        [said("/new hello", update_id=1), said("/new", chat=tg.Chat(id=701, type="private"), update_id=2)]
    )
    await bot.followed()
    assert bot.signs.typed == [SessionKey(4242, 700)]


async def test_a_repeated_stop_does_not_interrupt_the_next_turn(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/stop")])
    await bot.followed()
    await bot.intake.take([said("/stop")])
    await bot.followed()
    assert len(bot.remote.interrupted) == 1


class ChokingNotes:
    """Notes with a defect."""

    async def recall(self, session: SessionKey) -> dict[str, str]:
        raise ValueError(str(session))


async def test_a_command_whose_answer_fails_does_not_silence_the_others(settings: Settings, store: Store) -> None:
    notes = cast("NoteStore", ChokingNotes())
    bot = make_bot(settings, replace(store, notes=notes))
    await bot.intake.take([said("/memory", update_id=1), said("/help", update_id=2)])
    await bot.intake.take([said("/memory", update_id=3), pressed("forget:all", message("x", sender=US), update_id=4)])
    await bot.followed()
    sorry = with_reference(phrase("defect"), 4242, (1,))
    assert sorted(await bot.said()) == sorted([(ANNS, texts.help_text(OURS, group=False)), (ANNS, sorry)]), "told once"
    assert [says for _, says in bot.signs.pressed] == [with_reference(phrase("defect"), 4242, (4,))]
    letters = [(one.letter.session, one.letter.update_id) for one in await store.dead.list()]
    assert sorted(letters) == [(ANNS, 1), (ANNS, 3), (ANNS, 4)], "so `cohort find` knows the reference"


class Allergic:
    """A store with a defect: it chokes on one word."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def accept(self, bot: int, batch: list[Accept]) -> list[IntakeResult]:
        if any(item.inbound is not None and item.inbound.text == "peanut" for item in batch):
            raise ValueError("choked")
        return await self._store.intake.accept(bot, batch)

    async def knows(self, session: SessionKey) -> bool:
        raise ValueError("choked")

    async def push_replies(self, bot: int, replies: object) -> None: ...


async def test_one_update_that_the_store_chokes_on_is_set_aside(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, intake=Allergic(store))
    batch = [said("bread", update_id=1), said("peanut", update_id=2), said("butter", update_id=3)]
    await bot.intake.take(batch)
    await bot.followed()
    assert [entry.text for entry in await bot.inbox(ANNS)] == ["bread", "butter"]
    assert [update for _, update in await bot.doorbells()] == [1, 3]
    (dead,) = await store.dead.list()
    assert (dead.letter.update_id, dead.letter.reason) == (2, "could not be stored: ValueError")


@pytest.mark.promise("poison-update")
async def test_one_update_that_cannot_be_read_or_decided_is_set_aside(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, intake=Allergic(store), access=ONLY_ANN)
    await redis_of(store).set(keys.business(OUR_ID), "rubbish")
    connection = {"update_id": 2, "business_connection": {"id": "b", "is_enabled": True, "can_reply": True}}
    moved = said(chat=GROUP, migrate_to_chat_id=-100777, update_id=4)
    customers = said("hi", kind="business_message", business_connection_id="b", update_id=5)
    for batch in (
        [said("one", update_id=1), connection, said("two", update_id=3)],
        [moved, customers],
        [said("three", update_id=6)],
    ):
        await bot.intake.take(batch)
    await bot.followed()
    assert [dead.letter.reason for dead in await store.dead.list()] == [
        "not understood: StateDamaged",
        "could not be decided: ValueError",
    ]
    assert [entry.text for entry in await bot.inbox(ANNS)] == ["one", "two", "three"]
    assert [entry.text for entry in await bot.inbox(f"{ANNS}:bb")] == ["hi"]
    await redis_of(store).flushall()  # what is left is of no declared type


async def test_while_catching_up_no_chat_is_shown_typing_and_one_doorbell_stands_for_a_sessions_messages(
    bot: BotUnderTest,
) -> None:
    here = tg.Chat(id=701, type="private", first_name="Ben")
    ours = [said("x", update_id=number, sender=ANN) for number in range(1, 100)]
    await bot.intake.take([*ours, said("hello", chat=here, sender=BEN, update_id=100)])
    await bot.followed()
    assert bot.signs.typed == []
    assert await bot.doorbells() == [(SessionKey(4242, 700), 99), (BENS, 100)]
