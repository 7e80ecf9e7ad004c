"""The bot's own replies, from the store to the playground."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.api import Telegram
from bot.process.stop import Stop
from bot.replies import Replies
from botapi.calls import Calls
from botapi.pacing import Pacing
from playground.client import PlaygroundClient
from tasks.clock import SystemClock
from tasks.envelope import Button, Reply
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.pacing import Limits, PaceStore, Rate
from tests.bot.conftest import quick_backoff
from tests.bot.stand_ins import SOON, HandClock
from tests.conftest import BOT
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of

LAVISH = Limits(*[Rate(1_000_000, 1, 500_000)] * 3)


def paced(store: Store, telegram: Telegram, clock: HandClock, limits: Limits = LAVISH) -> Calls:
    return telegram.paced(Pacing(PaceStore(redis_of(store), clock, limits), BOT, clock))


@asynccontextmanager
async def delivering(
    store: Store, telegram: Telegram, clock: HandClock, limits: Limits = LAVISH
) -> AsyncGenerator[Replies]:
    replies = Replies(
        BOT,
        store=store.intake,
        calls=paced(store, telegram, clock, limits),
        clock=clock,
        backoff=quick_backoff(),
        look_every=timedelta(milliseconds=20),
    )
    stop = Stop()
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        group.create_task(replies.run(stop))
        yield replies
        stop.set()


def to(chat: int, text: str, **fields: object) -> Reply:
    return Reply.model_validate({"session": f"{BOT}:{chat}", "text": text, **fields})


async def emptied(store: Store, people: PlaygroundClient) -> None:
    async with asyncio.timeout(SOON):
        while await own_replies(store, BOT):
            await people.chats()


async def test_the_message_of_a_line_in_a_workers_place_is_told_and_of_no_other_reply(
    store: Store, telegram: Telegram, people: PlaygroundClient
) -> None:
    heard, clock, chat = list[tuple[str, int]](), HandClock(), (await people.chat())["id"]

    async def told_in(session: SessionKey, message_id: int) -> None:
        heard.append((str(session), message_id))
        raise StoreUnavailable("away")

    replies = Replies(BOT, store=store.intake, calls=paced(store, telegram, clock), clock=clock, told_in=told_in)
    await store.intake.push_replies(BOT, [to(chat, "Stopped.", id="exchange"), to(chat, "Help")])
    stop = Stop()
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        group.create_task(replies.run(stop))
        await emptied(store, people)
        stop.set()
    first, _ = await people.bot_messages(chat)
    assert heard == [(f"{BOT}:{chat}", first["message_id"])]


async def test_replies_are_delivered_in_order_and_dropped(
    store: Store, telegram: Telegram, people: PlaygroundClient
) -> None:
    chat = (await people.chat())["id"]
    await store.intake.push_replies(BOT, [to(chat, f"reply {number}") for number in range(50)])
    async with delivering(store, telegram, HandClock()):
        found = await people.wait_for(chat, 50)
        await emptied(store, people)
    assert [message["text"] for message in found] == [f"reply {number}" for number in range(50)]


async def test_a_reply_names_its_message_topic_and_buttons(
    store: Store, telegram: Telegram, people: PlaygroundClient
) -> None:
    chat = (await people.chat("supergroup", topics=["First"]))["id"]
    topic = await people.topic(chat, "Talk")
    said = await people.say(chat, "question", thread=topic)
    button = Button(text="Haiku", data="model:haiku")
    reply = Reply(session=f"{BOT}:{chat}:t{topic}", text="pick", buttons=((button,),), reply_to=said.message_id)
    await store.intake.push_replies(BOT, [reply])
    async with delivering(store, telegram, HandClock()):
        (message,) = await people.wait_for(chat, 1, thread=topic)
    assert message["message_thread_id"] == topic
    assert message["reply_to_message"]["message_id"] == said.message_id
    assert message["reply_markup"]["inline_keyboard"] == [[{"text": "Haiku", "callback_data": "model:haiku"}]]


async def test_a_chat_that_blocked_the_bot_holds_up_no_other(
    store: Store, telegram: Telegram, people: PlaygroundClient
) -> None:
    blocker, other = (await people.chat())["id"], (await people.chat())["id"]
    await people.block(blocker)
    replies = [to(blocker, "never"), Reply(text="to nobody"), to(other, "hello")]
    await store.intake.push_replies(BOT, replies)
    async with delivering(store, telegram, HandClock()):
        await people.wait_for(other, 1)
        await emptied(store, people)


@pytest.mark.promise("no-queue-behind-a-chat")
async def test_a_chat_that_has_to_wait_holds_up_no_other_and_gets_its_reply_later(
    store: Store, telegram: Telegram, people: PlaygroundClient
) -> None:
    clock = HandClock()
    slow, other = (await people.chat())["id"], (await people.chat())["id"]
    await people.fault("429", "sendMessage", chat=slow, retry_after=30)
    replies = [*(to(slow, f"slow {number}") for number in range(45)), to(other, "quick")]
    await store.intake.push_replies(BOT, replies)
    async with delivering(store, telegram, clock) as running:
        await people.wait_for(other, 1)
        assert await people.bot_messages(slow) == []
        clock.time += 31
        running.wake()
        await people.wait_for(slow, 45)
        await emptied(store, people)
    sent = await people.wait_journal(47, method="sendMessage")
    assert len(sent) == 47, "while it had to wait, it was asked once"


async def test_a_chat_gets_its_reply_as_soon_as_it_may(
    store: Store, telegram: Telegram, people: PlaygroundClient
) -> None:
    chat, stop, clock = (await people.chat())["id"], Stop(), SystemClock()
    await people.fault("429", "sendMessage", chat=chat, retry_after=1)
    await store.intake.push_replies(BOT, [to(chat, "hello")])
    calls = telegram.paced(Pacing(PaceStore(redis_of(store), clock, LAVISH), BOT, clock))
    replies = Replies(BOT, store=store.intake, calls=calls, clock=clock, look_every=timedelta(hours=1))
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        group.create_task(replies.run(stop))
        await people.wait_for(chat, 1)
        stop.set()


async def test_the_bot_s_own_lines_share_the_workers_budget(
    store: Store, telegram: Telegram, people: PlaygroundClient
) -> None:
    clock = HandClock()
    slow, other = (await people.chat())["id"], (await people.chat())["id"]
    worker = PaceStore(redis_of(store), clock, Limits())
    # A worker has said all that may be said in that chat for now.
    for _ in range(Limits().private.burst):
        assert (await worker.reserve(BOT, slow)).seconds == 0
    await store.intake.push_replies(BOT, [to(slow, "later"), to(other, "now")])
    async with delivering(store, telegram, clock, Limits()) as running:
        await people.wait_for(other, 1)
        assert await people.bot_messages(slow) == []
        clock.time += 5
        running.wake()
        await people.wait_for(slow, 1)
        await emptied(store, people)


async def test_workers_know_of_a_flood_that_the_bot_s_own_lines_met(
    store: Store, telegram: Telegram, people: PlaygroundClient
) -> None:
    clock = HandClock()
    slow, other = (await people.chat())["id"], (await people.chat())["id"]
    await people.fault("429", "sendMessage", chat=slow, retry_after=30)
    await store.intake.push_replies(BOT, [to(slow, "slow"), to(other, "quick")])
    async with delivering(store, telegram, clock):
        await people.wait_for(other, 1)
    taken = await PaceStore(redis_of(store), clock, LAVISH).reserve(BOT, slow)
    assert (taken.what, taken.seconds) == ("nothing", 30)


@pytest.mark.parametrize("kind", ["500", "cut_before", "garbage"])
async def test_while_telegram_is_away_replies_wait(
    store: Store, telegram: Telegram, people: PlaygroundClient, kind: str
) -> None:
    chat = (await people.chat())["id"]
    await people.fault(kind, "sendMessage", times=3)
    await store.intake.push_replies(BOT, [to(chat, "first"), to(chat, "second")])
    async with delivering(store, telegram, HandClock()):
        found = await people.wait_for(chat, 2)
    assert [message["text"] for message in found] == ["first", "second"]


async def test_a_group_that_became_a_supergroup_gets_the_reply_under_its_new_id(
    store: Store, telegram: Telegram, people: PlaygroundClient
) -> None:
    old = (await people.chat("group"))["id"]
    new = await people.migrate(old)
    await store.intake.push_replies(BOT, [to(old, "hello")])
    async with delivering(store, telegram, HandClock()):
        await people.wait_for(new, 1)


async def test_a_new_reply_is_sent_when_the_sender_is_woken(
    store: Store, telegram: Telegram, people: PlaygroundClient
) -> None:
    chat = (await people.chat())["id"]
    stop, clock = Stop(), HandClock()
    calls = paced(store, telegram, clock)
    replies = Replies(BOT, store=store.intake, calls=calls, clock=clock, look_every=timedelta(hours=1))
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        group.create_task(replies.run(stop))
        for number in range(1, 4):
            await store.intake.push_replies(BOT, [to(chat, "hello")])
            replies.wake()
            await people.wait_for(chat, number)
        stop.set()
