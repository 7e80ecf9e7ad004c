"""Several bots in one worker: each session is worked on with what belongs to its bot, and no bot fills the pool."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from botapi.client import connected
from tasks.bots import bots_of
from tasks.clock import SystemClock
from tasks.config.settings import Settings, load
from tasks.envelope import Inbound, Reply, Sender
from tasks.operator_files.watched import Watched
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.intake import Accept
from tasks.telemetry import metrics
from tests.support.own_replies import own_replies
from tests.support.several_bots import several_bots
from tests.telegram.fakes import FakeClock
from tests.workers.pool import Pool, Worker
from workers.process.served_bots import ServedBots, watched_bots
from workers.sessions.alerts import Alerts, in_charge
from workers.sessions.scheduler import SessionScheduler
from workers.sessions.spending import LEAST_HELD, USED_UP, Spending
from workers.usage import Usage

ONE, TWO = "4242:one-token", "202:two-token"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bots.yaml"
    path.write_text(
        "bots:\n  one: {token: $ONE, admins: [5, 6], budget_chat: 7}\n  two: {token: $TWO, agents: [poet], admins: 6}\n"
    )
    (tmp_path / "tokens").write_text(f"ONE={ONE}\nTWO={TWO}\n")
    return path


@pytest.fixture
def settings(redis_url: str, file: Path) -> Settings:
    tokens = file.with_name("tokens")
    return load({"REDIS_URL": redis_url, "COHORT_BOTS": str(file), "COHORT_BOTS_ENV": str(tokens)})


def take_out_one(file: Path) -> None:
    file.write_text("bots:\n  two: {token: $TWO, agents: [clerk]}\n")


def counted(bot: int) -> float:
    return metrics.BOT_SENDS.labels(str(bot))._value.get()


def mine(session: SessionKey, text: str) -> Reply:
    return Reply(text=text, session=str(session))


@pytest.mark.promise("many-bots")
async def test_each_bot_has_its_token_its_settings_and_its_floods(settings: Settings, store: Store, file: Path) -> None:
    clock = FakeClock()
    watched = watched_bots(settings)
    async with several_bots(ONE, TWO) as telegram, connected(ONE, telegram.url, connections=8) as connection:
        served = ServedBots(settings, watched, connection, store.pace, clock)
        chats = {bot: SessionKey(bot, (await people.chat())["id"]) for bot, people in telegram.people.items()}
        one, two = chats[4242], chats[202]
        assert one.chat == two.chat

        async def texts(session: SessionKey) -> list[str]:
            return [message["text"] for message in await telegram.people[session.bot].bot_messages(session.chat)]

        # One bot is held by Telegram for an hour; the other one sends.
        sent_before = counted(two.bot)
        await store.pace.punish(one.bot, None, 3600)
        assert await served._of(two.bot).delivery.deliver(two, mine(two, "of two"))
        assert (await texts(two), await texts(one)) == (["of two"], [])
        assert served.sends().sent == 1
        assert counted(two.bot) == sent_before + 1, "of this bot, in the metrics"

        assert [served.settings(session.bot).budget_chat for session in (one, two)] == [7, 0]
        operators = await in_charge(served.all_settings(), store.people)
        assert operators == (SessionKey(4242, 5), SessionKey(4242, 6)), "each admin hears of it once"
        assert served.serves(one)
        assert not served.serves(SessionKey(303, 1)), "a bot whose token is not here"
        assert served.media(one)._cache is served.media(two)._cache

        # A bot that is taken out stays known: what was accepted is answered.
        before = served._of(one.bot)
        take_out_one(file)
        assert watched.look()
        served._take()
        assert served.serves(one)
        assert served._of(one.bot) is before
        assert served.entry(two).agents == ("clerk",)
        assert set(served.entries()) == {4242, 202}
        assert served.entries() is served.entries(), "a turn asks several times"


def telling(*chats: SessionKey) -> Callable[[], Awaitable[Sequence[SessionKey]]]:
    async def operators() -> Sequence[SessionKey]:
        return chats

    return operators


async def test_an_alert_reaches_each_admin_by_the_first_bot_that_names_them(settings: Settings, store: Store) -> None:
    chats = (SessionKey(4242, 5), SessionKey(202, 6))
    alerts = Alerts(store.alerts, store.intake, operators=telling(*chats))
    await alerts.raise_("model", "refused")
    for chat in chats:
        replies = await own_replies(store, chat.bot)
        assert [reply.session for _, reply in replies] == [str(chat)]


@pytest.mark.promise("many-bots")
async def test_an_alert_of_one_bot_hides_none_of_another_and_what_bots_share_is_told_once(
    settings: Settings, store: Store
) -> None:
    names = {4242: "shop", 202: "bank"}
    alerts = Alerts(store.alerts, store.intake, operators=telling(SessionKey(4242, 5)), named=lambda bot: names[bot])
    await alerts.raise_("cards", "shop/cards: no agent", 4242)
    await alerts.raise_("cards", "shop/cards: no card of clerk", 4242)
    await alerts.raise_("cards", "bank/cards: no agent", 202)
    for bot in names:
        await alerts.raise_("model", "key refused", bot)
    await alerts.raise_("model", "no such model", 202)
    told = [reply.text for _, reply in await own_replies(store, 4242)]
    assert told == [
        "Operator: cards (bot shop): shop/cards: no agent",
        "Operator: cards (bot bank): bank/cards: no agent",
        "Operator: model (bot shop): key refused",
        "Operator: model (bot bank): no such model",
    ]


def accepted(session: SessionKey, update: int) -> Accept:
    inbound = Inbound(session=str(session), update_id=update, at=0.0, text="hello", message_id=update)
    return Accept(update, inbound=inbound)


@pytest.mark.promise("many-bots")
async def test_a_bot_with_many_chats_leaves_doorbells_of_another_their_places(pool: Pool) -> None:
    worker: Worker = await pool.worker("w-one")
    hold = pool.model.hold("hello")
    seen: list[int] = []

    def of_bot(common, session):
        seen.append(session.bot)
        return replace(common, of_bot=None)

    async with asyncio.TaskGroup() as loops:
        scheduler = SessionScheduler(replace(worker.deps, of_bot=of_bot), loops, capacity=2)
        flood, other = [SessionKey(4242, chat) for chat in range(1, 6)], SessionKey(202, 1)
        await pool.store.intake.accept(4242, [accepted(one, one.chat) for one in flood])
        await pool.store.intake.accept(202, [accepted(other, 1)])
        visits = [loops.create_task(scheduler.visit(one), name=str(one)) for one in (*flood, other)]
        await pool.model.changes.until(lambda: len(pool.model.calls) >= 3)
        assert (scheduler.awake, sorted(seen)) == (3, [202, 4242, 4242])
        assert sum(visit.done() for visit in visits) == 3, "a session that waits holds no place"
        hold.go.set()
        await pool.telegram.until_delivered(6)
    assert len(seen) == 6
    assert not scheduler._queued


def test_a_worker_says_which_token_it_lacks(settings: Settings, file: Path) -> None:
    file.with_name("tokens").write_text(f"ONE={ONE}\n")
    with pytest.raises(Exception, match=r"bots\.two: TWO is not set here"):
        Watched(lambda: bots_of(settings), (file,))


@pytest.mark.promise("many-bots")
async def test_what_a_person_used_of_one_bot_counts_for_no_other(settings: Settings, store: Store) -> None:
    allowed = settings.model_copy(update={"budget_user": LEAST_HELD, "budget_chat": LEAST_HELD})
    asked = [Inbound(session=str(SessionKey(bot, 5)), update_id=1, at=0.0, sender=Sender(id=5)) for bot in (20, 202)]
    shop, bank = (Spending(one.key, store.sessions, allowed, SystemClock()) for one in asked)
    shop.shared_by(asked[:1])
    shop.spent(Usage(LEAST_HELD, 0, "a-model"))
    await shop.count()
    refused, taken = await shop.admit(asked[:1], Usage(), 0), await bank.admit(asked[1:], Usage(), 0)
    assert (refused.chat, taken.chat) == (USED_UP, 0)
    assert taken.payers == {5: 0}
