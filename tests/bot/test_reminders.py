"""/reminders and /timezone: what is set here, in the zone of the person who asks, and taking it back."""

from datetime import UTC, datetime

import pytest

from bot.commands import reminder_texts as texts
from tasks.envelope import Reply
from tasks.phrases import phrase, speaking
from tasks.session import SessionKey
from tests.bot.conftest import BOT as BOT_ID
from tests.bot.conftest import BotUnderTest
from tests.bot.test_update_intake import ANNS
from tests.bot.updates import BOT, message, pressed, said
from tests.support.own_replies import own_replies

ANN, OTHER = SessionKey.parse(ANNS), SessionKey(4242, 9)
LIST = message("the list", sender=BOT)


async def answers_of(bot: BotUnderTest) -> list[Reply]:
    return [reply for _, reply in await own_replies(bot.store, BOT_ID, 1000)]


@pytest.mark.promise("reminders-bounded")
async def test_a_conversations_reminders_are_shown_and_cancelled(bot: BotUnderTest) -> None:
    store = bot.store.reminders
    await store.add(ANN, "water\nthe plants " + "x" * 500, 3600, by=700)
    await store.add(OTHER, "somebody else's", 3600)
    await bot.intake.take([said("/reminders", update_id=1)])
    ((_, shown),) = await bot.said()
    assert "water the plants" in shown
    assert "somebody" not in shown
    await bot.intake.take([said("/reminders cancel", update_id=2)])
    assert (await bot.said())[-1] == (ANNS, texts.cancelled(1))
    assert [len(await store.waiting(where)) for where in (ANN, OTHER)] == [0, 1]
    await bot.intake.take([said("/reminders", update_id=3)])
    assert (await bot.said())[-1] == (ANNS, texts.reminders([], "UTC", 0.0))


async def test_a_recurring_one_is_shown_in_words_and_its_button_takes_back_that_one_alone(bot: BotUnderTest) -> None:
    store = bot.store.reminders
    await store.repeat(ANN, "stretch", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "09:00", "Europe/Berlin", by=700)
    await store.add(ANN, "tea", 400 * 3600, by=700)
    await bot.intake.take([said("/reminders", update_id=1)])
    (listed,) = await answers_of(bot)
    assert "(Europe/Berlin), every weekday: stretch" in listed.text
    buttons = {button.text: button.data for row in listed.buttons for button in row}
    assert list(buttons) == ["✕ 1", "✕ 2", "Cancel the reminders"]
    assert all(len(data.encode()) <= 64 for data in buttons.values())
    await bot.intake.take([pressed(buttons["✕ 1"], LIST, update_id=2)])
    assert [one.text for one in await store.waiting(ANN)] == ["tea"]
    changed = (await answers_of(bot))[-1]
    assert changed.edit is not None
    assert "tea" in changed.text
    await bot.intake.take([pressed(buttons["✕ 1"], LIST, update_id=20)])
    gone = (await answers_of(bot))[-1].text
    assert gone.startswith(phrase("reminder-gone"))
    assert phrase("reminders-none") not in gone
    # Pressed again, or made up: it takes nothing else back.
    for number, data in enumerate((buttons["✕ 1"], "reminders:cancel 99999", f"reminders:cancel {'9' * 40}"), 3):
        await bot.intake.take([pressed(data, LIST, update_id=number)])
    assert [one.text for one in await store.waiting(ANN)] == ["tea"]


@pytest.mark.parametrize("word", ["/reminders cancel", "/reminders cancel all"])
async def test_the_button_for_all_asks_first_and_the_word_does_not(bot: BotUnderTest, word: str) -> None:
    store = bot.store.reminders
    for hours in (1, 2):
        await store.add(ANN, "tea", hours * 3600, by=700)
    await bot.intake.take([pressed("reminders:cancel", LIST, update_id=1)])
    asks = (await answers_of(bot))[-1]
    assert (asks.text, len(await store.waiting(ANN))) == (phrase("cancel-all-sure", count=2), 2)
    sure, keep = (row[0].data for row in asks.buttons)
    await bot.intake.take([pressed(keep, LIST, update_id=2)])
    assert (await answers_of(bot))[-1].text.startswith("1. ")
    await bot.intake.take([pressed(sure, LIST, update_id=3)])
    assert (await answers_of(bot))[-1].text == texts.cancelled(2)
    for data in (sure, "reminders:cancel"):
        await bot.intake.take([pressed(data, LIST, update_id=10 + len(data))])
        assert (await answers_of(bot))[-1].text == texts.cancelled(0), "pressed again"
    await store.add(ANN, "tea", 3600, by=700)
    await bot.intake.take([said(word, update_id=50)])
    assert (await answers_of(bot))[-1].text == texts.cancelled(1)


async def test_a_number_that_is_written_is_the_place_in_the_list(bot: BotUnderTest) -> None:
    store = bot.store.reminders
    for text, hours in (("last", 3), ("first", 1), ("second", 2)):
        await store.add(ANN, text, hours * 3600, by=700)
    await bot.intake.take([said("/reminders cancel 1", update_id=1), said("/reminders cancel 3", update_id=2)])
    assert [one.text for one in await store.waiting(ANN)] == ["second", "last"]
    assert (await answers_of(bot))[-1].text.startswith(phrase("reminder-gone")), "there is no third one"


async def test_a_time_zone_is_chosen_shown_used_and_forgotten(bot: BotUnderTest) -> None:
    words = [
        "/timezone",
        "/timezone berlin",
        "/timezone",
        "/timezone Europe/Berln",
        "/timezone \u202e<b>x",
        "/timezone off",
    ]
    for number, word in enumerate(words, 1):
        await bot.intake.take([said(word, update_id=number)])
    answers = [text for _, text in await bot.said()]
    assert "Berlin" in answers[0]
    assert all("Europe/Berlin" in answer for answer in answers[1:4])
    assert "biggest city" in answers[4]
    assert await bot.store.reminders.zones.look(4242, 700) is None


@pytest.mark.parametrize(
    ("due", "words"),
    [
        ("2026-11-26T15:00", "today at 16:00"),
        ("2026-11-26T23:30", "tomorrow at 00:30"),
        ("2026-11-30T08:00", "Monday at 09:00"),
        ("2026-12-24T08:00", "2026‑12‑24 at 09:00"),
        ("2026-11-20T08:00", "2026‑11‑20 at 09:00"),
    ],
)
def test_a_time_is_said_as_people_say_it(due: str, words: str) -> None:
    now, then = (datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() for at in ("2026-11-26T14:00", due))
    assert texts.when(then, "Europe/Berlin", now) == words


def test_a_rule_is_said_in_words_and_one_that_cannot_be_read_is_left_out() -> None:
    rules = ("FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,MO", "FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=YEARLY", "???")
    said_of = [texts.rule_in_words(rule) for rule in rules]
    assert said_of == ["every day", "every 2 weeks: Monday, Friday", "every month", "every year", ""]
    assert [texts.zone_name(zone) for zone in ("Etc/GMT-2", "America/New_York")] == ["UTC+2", "America/New York"]


@pytest.mark.promise("own-language")
@pytest.mark.parametrize(
    ("language", "date", "daily", "others"),
    [
        ("en", "2027‑01‑05 at 09:00", "every day", ("every 2 days", "every 21 days")),
        ("de", "5.1.2027 um 09:00", "jeden Tag", ("alle 2 Tage", "alle 21 Tage")),
        ("es", "5/1/2027, 09:00", "todos los días", ("cada 2 días", "cada 21 días")),
        ("pt", "05/01/2027, 09:00", "todo dia", ("a cada 2 dias", "a cada 21 dias")),
        ("ru", "05.01.2027 в 09:00", "каждый день", ("раз в 2 дня", "раз в 21 день")),
        ("zh", "2027年1月5日 09:00", "每天", ("每 2 天", "每 21 天")),
    ],
)
def test_a_date_and_how_often_are_said_as_people_of_the_language_say_them(
    language: str, date: str, daily: str, others: tuple[str, str]
) -> None:
    due = datetime.fromisoformat("2027-01-05T08:00+00:00").timestamp()
    with speaking(language):
        assert texts.when(due, "Europe/Berlin", due - 40 * 86_400) == date
        said = [texts.rule_in_words(rule) for rule in ("FREQ=DAILY", "FREQ=DAILY;INTERVAL=2", "FREQ=DAILY;INTERVAL=21")]
    assert said == [daily, *others]


async def test_a_single_one_has_its_own_button_and_none_for_all(bot: BotUnderTest) -> None:
    store = bot.store.reminders
    await store.add(ANN, "tea", 3600, by=700)
    await bot.intake.take([said("/reminders", update_id=1)])
    await store.add(ANN, "more tea", 7200, by=700)
    await bot.intake.take([said("/reminders", update_id=2)])
    one, two = await answers_of(bot)
    assert [[button.text for button in row] for row in one.buttons] == [["✕ 1"]]
    assert [[button.text for button in row] for row in two.buttons] == [["✕ 1", "✕ 2"], ["Cancel the reminders"]]
    assert [phrase("reminders-cancel") in reply.text for reply in (one, two)] == [False, True]
