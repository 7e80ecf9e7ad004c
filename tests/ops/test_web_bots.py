"""The console and its metrics where one deployment serves several bots."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ops.web.names import process_names
from ops.web.scrape import scrape
from ops.web.sections import overview
from tasks.chats.access import Person
from tasks.chats.feedback import Opinion
from tasks.clock import SystemClock
from tasks.envelope import DeadLetter, Inbound
from tasks.session import SessionKey
from tasks.status.bot import BotStatus
from tasks.store import Store
from tasks.store.intake import Accept
from tasks.telemetry import metrics
from tasks.turn_record import TurnRecord
from tests.ops.test_web import Open, console
from tests.support.redis_of import redis_of

__all__ = ["console"]


async def accepted(store: Store, bot: int, chat: int) -> None:
    inbound = Inbound(session=str(SessionKey(bot, chat)), update_id=chat, at=1.0, text="hi", message_id=1)
    await store.intake.accept(bot, [Accept(chat, inbound=inbound)])


async def page(store: Store) -> dict[str, dict[str, float]]:
    """The page's samples: name -> bot -> value."""
    text = await scrape(store, SystemClock(), slots=64)
    return {
        family.name: {one.labels["bot"]: one.value for one in family.samples if "bot" in one.labels}
        for family in text_string_to_metric_families(text)
    }


@pytest.mark.promise("console-metrics")
async def test_what_waits_is_told_by_bot_where_there_are_several_and_only_there(store: Store) -> None:
    await accepted(store, 101, 1)
    await store.bots.beat("h-1", BotStatus(bot=101, username="a", host="h"))
    assert "cohort_bot_waiting" not in await page(store)
    assert (await overview(store, SystemClock(), slots=64))["by_bot"] == []

    await store.bots.beat("h-1", BotStatus(bot=101, name="one", username="a", host="h"))
    await store.bots.beat("h-2", BotStatus(bot=202, name="two", username="b", host="h"))
    for chat in (1, 2):
        await accepted(store, 303, chat)
    told = await page(store)
    assert told["cohort_bot_waiting"] == {"101": 1.0, "303": 2.0}, "also what waits for one that was taken out"
    assert min(told["cohort_bot_waiting_oldest_seconds"].values()) > 0
    rows = (await overview(store, SystemClock(), slots=64))["by_bot"]
    seen = [(row["bot"], row["name"], row["waiting"]) for row in rows]
    assert seen == [
        (303, "", 2),
        (101, "one", 1),
        (202, "two", 0),
    ]


def test_processes_of_several_bots_on_one_machine_have_names_that_outlive_them() -> None:
    bots = {f"{name}-{life}": BotStatus(name=name, host="h") for name in ("one", "two") for life in "a"}
    assert process_names({}, bots) == {"one-a": "bot-one@h", "two-a": "bot-two@h"}


def test_a_bot_has_a_series_of_its_own_and_very_many_share_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_BOTS", 2)
    monkeypatch.setattr(metrics, "_seen", {})
    for bot in (901, 902, 903, 904, 901):
        metrics.of_bot(metrics.BOT_TURNS, bot, "test")
    counted = {
        sample.labels["bot"]: sample.value
        for family in metrics.BOT_TURNS.collect()
        for sample in family.samples
        if sample.name.endswith("_total") and sample.labels["outcome"] == "test"
    }
    assert counted == {"901": 2.0, "902": 1.0, "other": 2.0}


@pytest.mark.promise("console-metrics")
async def test_each_list_of_the_console_is_shown_of_one_bot(store: Store, console: Open) -> None:
    clock = SystemClock()
    for bot in (101, 202):
        key = SessionKey(bot, 7)
        await accepted(store, bot, 7)
        letter = DeadLetter(reason="why", at=1.0, session=str(key), update_id=2)
        await store.intake.accept(bot, [Accept(2, dead=letter)])
        await store.trail.append([TurnRecord(session=str(key), updates=(3,), outcome="answered")])
        await store.feedback.put(Opinion(key, 1, 5, 7, "up", clock.now()))
        await store.people.put(bot, 7, Person(role="member", name="Ann"))
        await store.bots.beat(f"h-{bot}", BotStatus(bot=bot, name=f"b{bot}", username="b", host="h"))
        state = redis_of(store).hset(f"cohort:s:{key}:state", "turns", "1")
        await state  # type: ignore[misc]
        await redis_of(store).zadd("cohort:slot:00:parked", {str(key): 2_000_000_000})
    lists = {
        "sessions": lambda told: [one["session"] for one in told["sessions"]],
        "sessions?cursor=0": lambda told: [one["session"] for one in told["sessions"]],
        "sessions?by=work": lambda told: [one["session"] for one in told["sessions"]],
        "sessions?q=7": lambda told: [one["session"] for one in told["sessions"]],
        "questions": lambda told: [one["session"] for one in told["questions"]],
        "dead": lambda told: [one["session"] for one in told["letters"]] * told["count"],
        "people": lambda told: [f"{one['bot']}:{one['user']}" for one in told["people"]] * told["count"],
        "feedback": lambda told: [one["session"] for one in told["newest"]],
    }
    async with console() as http:
        for path, named in lists.items():
            mark = "&" if "?" in path else "?"
            for bot in (101, 202):
                told = (await http.get(f"/api/{path}{mark}bot={bot}")).json()
                assert named(told) == [f"{bot}:7"], path
            both = (await http.get(f"/api/{path}")).json()
            assert {"101:7", "202:7"} == set(named(both)), path
            rubbish = await http.get(f"/api/{path}{mark}bot=%C2%B2")
            assert rubbish.status_code == 200
