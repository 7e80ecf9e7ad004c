"""A bot that was taken out is forgotten: all of its keys go, and no key of another bot."""

from tasks import keys
from tasks.envelope import Inbound
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tasks.store.intake import Accept
from tests.support.redis_of import redis_of


async def test_all_of_one_bot_goes_and_nothing_of_another_whose_chats_have_the_same_numbers(store: Store) -> None:
    for bot in (20, 202):
        session = SessionKey(bot, 7)
        inbound = Inbound(session=str(session), update_id=1, at=0.0, text="hello", message_id=1)
        await store.intake.accept(bot, [Accept(1, inbound=inbound)])
        await store.people.offer(bot, "code", "owner")
        assert await store.people.pair(bot, "code", 7, name="Ann", has=None) == "owner"
        await store.pace.reserve(bot, 7)
        await redis_of(store).hset(keys.usage(f"{bot}:user:7", "2026-11-26"), "input_tokens", 5)
        await redis_of(store).expire(keys.usage(f"{bot}:user:7", "2026-11-26"), 60)
    assert await store.oversight.bots() == {20, 202}
    assert {bot: count for bot, (count, _) in (await store.oversight.waiting_by_bot()).items()} == {20: 1, 202: 1}

    erased = await store.erasure.erase(ErasureScope(bot=20), media=lambda _: (), strike=lambda _: None)

    assert erased.sessions == {SessionKey(20, 7)}
    left = {name.decode() for name in await redis_of(store).keys("cohort:*")}
    assert not [name for name in left if ":20:" in name]
    assert {
        keys.inbox(SessionKey(202, 7)),
        keys.people(202),
        keys.seen(202),
        keys.usage("202:user:7", "2026-11-26"),
    } <= left
    assert {bot: count for bot, (count, _) in (await store.oversight.waiting_by_bot()).items()} == {202: 1}
