"""What people see of an answer that waits because its group has had its messages of this minute."""

import asyncio

from botapi.client import connected
from botapi.pacing import Pacing
from tasks.envelope import Reply
from tasks.session import SessionKey
from tasks.store.pacing import Limits, PaceStore, Rate
from tests.support.until import until
from tests.telegram.conftest import World
from workers.telegram.delivery import TelegramDelivery
from workers.telegram.tempo import Tempo
from workers.telegram.waiting import typing_meanwhile


async def ended() -> bool:
    """Whether no sign is being shown."""
    return not any(task.get_name().startswith("waits ") for task in asyncio.all_tasks())


async def test_typing_is_shown_in_the_topic_while_its_answer_waits_for_the_group(world: World) -> None:
    chat = (await world.pg.chat("supergroup", topics=["a"]))["id"]
    topic = await world.pg.topic(chat, "b")
    session, let_go = SessionKey(world.settings.bot_id, chat, topic), asyncio.Event()
    lavish = Rate(1_000_000, 1, 500_000)
    store = PaceStore(world.redis, world.clock, Limits(bot=lavish, private=lavish, group=Rate(1, 60, 1)))

    async def sleep(seconds: float) -> None:
        await let_go.wait()
        await world.clock.sleep(seconds)

    async with connected(world.settings.token, world.settings.telegram_base_url, connections=4) as connection:
        bot = connection.bot(Pacing(store, world.settings.bot_id, world.clock, sleep))
        delivery = TelegramDelivery(bot, world.settings, world.clock, sleep=sleep, tempo=Tempo(typing=0.01))
        await delivery.deliver(session, Reply(text="one"))
        async with asyncio.TaskGroup() as group:
            group.create_task(delivery.deliver(session, Reply(text="two")), name="delivery")
            typed = await world.pg.wait_journal(2, chat=chat, method="sendChatAction")
            assert {entry["params"]["message_thread_id"] for entry in typed} == {str(topic)}
            assert await world.texts(session) == ["one"]
            let_go.set()
    assert await world.texts(session) == ["one", "two"]


async def test_no_sign_is_left_when_the_answer_is_there(world: World) -> None:
    session = await world.session("group")
    with typing_meanwhile(world.calls, session, 0.0):
        await world.pg.wait_journal(1, chat=session.chat, method="sendChatAction")
    await until(ended)


async def test_a_chat_that_takes_no_sign_is_asked_once(world: World) -> None:
    gone = SessionKey(world.settings.bot_id, -1)
    with typing_meanwhile(world.calls, gone, 0.0):
        await world.pg.wait_journal(1, chat=gone.chat, method="sendChatAction")
        await until(ended)
    assert len(await world.pg.journal(chat=gone.chat)) == 1
