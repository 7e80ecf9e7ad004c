"""A group that becomes a supergroup while its turn runs: a /stop there means that turn."""

from tasks.store import Store
from tests.bot.conftest import BotUnderTest
from tests.bot.updates import FORUM, GROUP, said
from tests.support.redis_of import redis_of

OLD, NEW = f"4242:{GROUP.id}", f"4242:{FORUM.id}"
MOVED = said(chat=GROUP, sender=None, migrate_to_chat_id=FORUM.id, update_id=1)


async def kinds(bot: BotUnderTest, session: str) -> list[str]:
    return [entry.kind for entry in await bot.inbox(session)]


async def test_a_stop_in_the_supergroup_ends_the_turn_that_runs_in_the_group_that_it_was(
    bot: BotUnderTest, store: Store
) -> None:
    await redis_of(store).hset(f"cohort:s:{OLD}:state", "owner", "a worker")
    await bot.intake.take([MOVED, said("/stop@cohort_bot", chat=FORUM, message_id=2, update_id=2)])
    await bot.followed()
    assert (await kinds(bot, OLD), await kinds(bot, NEW)) == (["moved", "stop"], [])
    assert [str(session) for session in bot.remote.interrupted] == [OLD]


async def test_a_stop_is_for_the_supergroup_where_nothing_runs_in_the_group_that_it_was(bot: BotUnderTest) -> None:
    await bot.intake.take([MOVED, said("/stop@cohort_bot", chat=FORUM, message_id=2, update_id=2)])
    assert (await kinds(bot, OLD), await kinds(bot, NEW)) == (["moved"], ["stop"])


async def test_other_words_stay_in_the_supergroup(bot: BotUnderTest, store: Store) -> None:
    await redis_of(store).hset(f"cohort:s:{OLD}:state", "owner", "a worker")
    await bot.intake.take([MOVED, said("@cohort_bot hi", chat=FORUM, message_id=2, update_id=2)])
    assert (await kinds(bot, OLD), await kinds(bot, NEW)) == (["moved"], ["message"])
