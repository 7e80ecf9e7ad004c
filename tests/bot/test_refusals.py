"""Every row of the table of refusals, from both sides: a worker's answer and the bot's own line fare the same."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.api import Telegram
from botapi.client import connected
from botapi.errors import Undeliverable
from botapi.pacing import Pacing
from botapi.refusals import TABLE, Refusal
from playground.client import PlaygroundClient
from tasks.config.settings import load
from tasks.envelope import Button, Reply
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.pacing import PaceStore
from tests.bot.stand_ins import SOON, HandClock
from tests.bot.test_replies import LAVISH, delivering, emptied
from tests.conftest import BOT, TOKEN
from tests.support.redis_of import redis_of
from workers.telegram.delivery import TelegramDelivery

type Side = Callable[[SessionKey, Reply], Awaitable[None]]
"""Brings a reply to Telegram, or finds that this never works."""

WORDS = [f"word{number}" for number in range(60)]
EVERYTHING = {"formatting", "buttons", "question", "topic"}
LEFT: dict[Refusal, set[str] | None] = {
    Refusal.DONE: None,
    Refusal.GONE: None,
    # Of a file alone there is something left.
    Refusal.NO_RIGHT: None,
    Refusal.AGAIN: EVERYTHING,
    Refusal.FLOOD: EVERYTHING,
    Refusal.PLAIN: EVERYTHING - {"formatting"},
    Refusal.NO_BUTTONS: EVERYTHING - {"buttons"},
    Refusal.NO_REPLY: EVERYTHING - {"question"},
    Refusal.NO_TOPIC: EVERYTHING - {"topic"},
    Refusal.LOST_TOPIC: EVERYTHING - {"topic", "question"},
    Refusal.SHORTER: EVERYTHING,
    Refusal.WORDS: EVERYTHING - {"formatting"},
    # No edit, no file, not rich: as bare as possible.
    Refusal.NEW: {"topic"},
    Refusal.NO_PHOTO: {"topic"},
    Refusal.NO_FILE: {"topic"},
    Refusal.NOT_RICH: {"topic"},
    Refusal.UNKNOWN: {"topic"},
}
"""What is left of a reply that had everything; None: it is not sent again."""

ROWS = [
    *((refusal, {"kind": "error", "description": f"Bad Request: {phrase}"}) for phrase, refusal in TABLE),
    (Refusal.UNKNOWN, {"kind": "error", "description": "Bad Request: MOON_PHASE_INVALID"}),
    (Refusal.GONE, {"kind": "error", "code": 403, "description": "Forbidden: bot was kicked from the group chat"}),
    (Refusal.NO_FILE, {"kind": "error", "code": 413, "description": "Request Entity Too Large"}),
    (Refusal.AGAIN, {"kind": "500"}),
    (Refusal.AGAIN, {"kind": "garbage"}),
    (Refusal.AGAIN, {"kind": "cut_before"}),
    (Refusal.FLOOD, {"kind": "429", "retry_after": 30}),
]


@pytest.fixture(params=["worker", "bot"])
async def side(
    request: pytest.FixtureRequest, store: Store, telegram: Telegram, people: PlaygroundClient, tmp_path: Path
) -> AsyncIterator[Side]:
    clock = HandClock()

    async def wait(seconds: float) -> None:
        clock.time += seconds

    async def by_bot(_session: SessionKey, reply: Reply) -> None:
        await store.intake.push_replies(BOT, [reply])
        async with delivering(store, telegram, clock) as running, asyncio.TaskGroup() as group:
            moving = group.create_task(time_passes(running.wake))
            await emptied(store, people)
            moving.cancel()

    async def time_passes(wake: Callable[[], None]) -> None:
        while True:
            await people.chats()
            clock.time += 1
            wake()

    if request.param == "bot":
        yield by_bot
        return
    given = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": people.base_url, "REDIS_URL": "redis://unused"}
    settings = load({**given, "COHORT_HOME": str(tmp_path)})
    async with connected(TOKEN, people.base_url, connections=4) as connection:
        pacing = Pacing(PaceStore(redis_of(store), clock, LAVISH), BOT, clock, wait)
        delivery = TelegramDelivery(connection.bot(pacing), settings, clock, sleep=wait)

        async def by_worker(session: SessionKey, reply: Reply) -> None:
            try:
                await delivery.deliver(session, reply)
            except Undeliverable:
                return

        yield by_worker


def kept(message: dict[str, Any]) -> set[str]:
    """What of everything a message has."""
    fields = {"entities": "formatting", "reply_markup": "buttons", "message_thread_id": "topic"}
    # Without a question, a topic's message answers the service message that opened the topic.
    points = "text" in message.get("reply_to_message", {}) or "external_reply" in message
    question = {"question"} if points else set[str]()
    return question | {what for field, what in fields.items() if field in message}


@pytest.mark.promise("refusals")
@pytest.mark.parametrize("refusal", LEFT)
async def test_whatever_telegram_refuses_both_sides_leave_out_the_same(
    side: Side, people: PlaygroundClient, refusal: Refusal
) -> None:
    rows = [order for row, order in ROWS if row is refusal]
    assert rows
    for order in rows:
        chat = (await people.chat("supergroup", topics=["work"]))["id"]
        topic = await people.topic(chat, "play")
        asked = await people.say(chat, "well?", thread=topic)
        session = SessionKey(BOT, chat, topic)
        reply = Reply(
            session=str(session),
            text=" ".join(WORDS),
            entities=({"type": "bold", "offset": 0, "length": 400},),
            buttons=((Button(text="Again", data="retry"),),),
            reply_to=asked.message_id,
        )
        await people.fault(method="sendMessage", chat=chat, **order)
        async with asyncio.timeout(SOON):
            await side(session, reply)
        found = await people.bot_messages(chat)
        left = LEFT[refusal]
        assert set().union(*map(kept, found)) == (left or set()), order
        said = " ".join(message["text"] for message in found).split()
        assert said == (
            [] if left is None else phrase("no-visible-text").split() if refusal is Refusal.WORDS else WORDS
        ), order


def test_the_rows_hold_all_that_a_reply_can_meet() -> None:
    assert set(LEFT) == set(Refusal) - {Refusal.MOVED, Refusal.OPERATOR}, "these two have tests of their own"
