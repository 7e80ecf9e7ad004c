"""What something else than Cohort wrote into any of its keys costs no message."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from tasks import keys
from tasks.session import SessionKey
from tests.bot.conftest import BotUnderTest
from tests.bot.updates import ANN, BEN, GROUP, said, size
from tests.conftest import BOT
from tests.support.damage import RUBBISH, SCORED, damage_one, keyed
from tests.support.redis_of import redis_of

PRIVATE = SessionKey(BOT, ANN.id)
OURS = SessionKey(BOT, GROUP.id)
KINDS = [kind for kind in keys.KINDS if kind.pattern != keys.LAYOUT]
ALONE = [pytest.param([kind], id=kind.pattern, marks=pytest.mark.soak) for kind in KINDS]


def talk(update: int) -> list[dict[str, Any]]:
    """What a group says among itself, a part of an album, a message for the agent in both chats, a command."""
    photo = [size("photo", 90, 60)]
    return [
        said("among us", sender=BEN, chat=GROUP, message_id=update, update_id=update),
        said(
            sender=BEN,
            chat=GROUP,
            photo=photo,
            media_group_id=f"a{update}",
            message_id=update + 1,
            update_id=update + 1,
        ),
        said("@cohort_bot hi", chat=GROUP, message_id=update + 2, update_id=update + 2),
        said("hello", message_id=update + 3, update_id=update + 3),
        said("/whoami", message_id=update + 4, update_id=update + 4),
        said("/model", message_id=update + 5, update_id=update + 5),
    ]


async def spoil(redis: Redis, name: str, how: str, kind: keys.KeyKind) -> None:
    """Damage a key that is there: ``beside`` what it holds, in place of its ``values``, or by another ``type``."""
    r = cast("Any", redis)
    if how == "type":
        await redis.delete(name)
        await (r.rpush(name, RUBBISH) if kind.type == "string" else r.set(name, RUBBISH))
    elif kind.type == "list":
        await r.lpush(name, RUBBISH, "x", "{}", "-1 {}", "1 {}", f"{'9' * 5000} x")
    elif kind.type == "hash":
        fields = await r.hkeys(name) if how == "values" else [RUBBISH, "1", "x", "-5"]
        await r.hset(name, mapping=dict.fromkeys(fields, RUBBISH))
    elif kind.type == "zset":
        await r.zadd(name, SCORED)
    elif kind.type == "stream":
        await r.xadd(name, {"x": RUBBISH})
    else:
        await r.set(name, RUBBISH, keepttl=True)


@pytest.mark.promise("broken-messages")
@pytest.mark.parametrize("how", ["beside", "values", "type"])
@pytest.mark.parametrize("kinds", [pytest.param(KINDS, id="all"), *ALONE])
async def test_no_damaged_key_costs_a_message(bot: BotUnderTest, kinds: Sequence[keys.KeyKind], how: str) -> None:
    redis = redis_of(bot.store)
    await bot.intake.take(talk(100))
    # An album's part and its chat's words are waiting.
    await bot.intake.take(talk(200)[:2])
    there = [name.decode() for name in await redis.keys("cohort:*")]
    for kind in kinds:
        for name in [keyed(kind, session) for session in (PRIVATE, OURS)] if how != "values" else []:
            await damage_one(redis, kind, name) if how == "beside" else await spoil(redis, name, how, kind)
        for name in there:
            if keys.kind_of(name) is kind:
                await spoil(redis, name, how, kind)
    await redis.delete(keys.replies(BOT), keys.inbox(PRIVATE), keys.inbox(OURS))
    await bot.intake.take(talk(300))
    assert [one.text for one in await bot.inbox(str(PRIVATE))] == ["hello"]
    assert [one.text for one in await bot.inbox(str(OURS))] == ["hi"]
    answers = [text for _, text in await bot.said()]
    assert len(answers) == 2
    assert not any("Ref" in answer for answer in answers), "no apology"
    await redis.flushall()  # what is left is of no declared type
