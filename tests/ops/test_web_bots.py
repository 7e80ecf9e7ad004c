"""The console and its metrics where one deployment serves several bots."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ops.web.names import process_names
from ops.web.scrape import scrape
from ops.web.sections import overview
from tasks.bot_status import BotStatus
from tasks.clock import SystemClock
from tasks.envelope import Inbound
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.intake import Accept
from tasks.telemetry import metrics


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
