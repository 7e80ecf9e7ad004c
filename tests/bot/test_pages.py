"""Lists that take more than one message have pages: all reminders and all notes can be seen, and each note whole."""

import re

from bot.commands import memory_texts, reminder_texts
from tasks import keys
from tasks.chats import conversations
from tasks.chats.access import Access, Person
from tasks.chats.conversations import Conversation
from tasks.config.settings import Settings
from tasks.envelope import Reply
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store import Store
from tests.bot.conftest import BOT as BOT_ID
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.test_update_intake import ANNS
from tests.bot.updates import BOT, message, pressed, said
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of

ANN = SessionKey.parse(ANNS)
LIST = message("the list", sender=BOT)


async def answered(bot: BotUnderTest, *updates: object) -> Reply:
    await bot.intake.take(updates)
    return [reply for _, reply in await own_replies(bot.store, BOT_ID, 1000)][-1]


def labels(reply: Reply) -> dict[str, str]:
    return {button.text: button.data for row in reply.buttons for button in row}


async def test_every_reminder_is_on_a_page_and_taking_one_back_stays_there(bot: BotUnderTest) -> None:
    for number in range(50):
        await bot.store.reminders.add(ANN, f"thing {number}.", 3600 + number, by=700)
    shown = await answered(bot, said("/reminders", update_id=1))
    assert "1. " in shown.text
    assert "and 30 more" in shown.text
    shown = await answered(bot, pressed(labels(shown)["2 ›"], LIST, update_id=2))
    assert shown.edit == LIST.message_id
    assert "thing 20." in shown.text
    last = await answered(bot, said("/reminders 99", update_id=3))
    assert "50. " in last.text
    assert "more" not in last.text
    assert "‹ 2" in labels(last)
    gone = await answered(bot, pressed(labels(last)["✕ 50"], LIST, update_id=4))
    assert gone.text.startswith(reminder_texts.one_cancelled(1))
    assert "thing 48." in gone.text
    assert "thing 31." in (await answered(bot, said("/reminders cancel 31", update_id=5))).text
    assert [one.text for one in await bot.store.reminders.waiting(ANN)][30] == "thing 31."
    assert all(len(data.encode()) <= 64 for data in labels(gone).values())


async def test_every_note_is_on_a_page_and_is_shown_whole(bot: BotUnderTest) -> None:
    for number in range(60):
        await bot.store.notes.remember(ANN, f"topic {number:02}", f"note {number}: {'x' * 1000}\nend {number}")
    shown, seen = await answered(bot, said("/memory", update_id=1)), set[str]()
    for update in range(2, 40):
        assert len(shown.text) <= 4096
        seen |= {line.partition(":")[0] for line in shown.text.splitlines() if line.startswith("topic")}
        on = next((data for text, data in labels(shown).items() if text.endswith("›")), None)
        if on is None:
            break
        shown = await answered(bot, pressed(on, LIST, update_id=update))
        assert shown.edit == LIST.message_id
    assert len(seen) == 60
    whole = await answered(bot, said("/memory Topic 07", update_id=50))
    assert whole.text.endswith("\nend 7")
    assert len(whole.text) > 1000
    assert (await answered(bot, said("/memory nonsense", update_id=51))).text == phrase("forgotten-none")


async def test_all_of_200_people_are_on_pages_and_found_by_their_names(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset(), admins=frozenset({700})))
    for number in range(200):
        await store.people.put(BOT_ID, 1000 + number, Person(role="member", name=f"Person {number}"))
    shown, seen = await answered(bot, said("/people", update_id=1)), set[str]()
    for update in range(2, 40):
        assert len(shown.text) <= 4096
        seen |= {line for line in shown.text.splitlines() if line.startswith("Person")}
        on = next((data for text, data in labels(shown).items() if text.endswith("›")), None)
        if on is None:
            break
        shown = await answered(bot, pressed(on, LIST, update_id=update))
        assert shown.edit == LIST.message_id
    assert len(seen) == 200
    found = await answered(bot, said("/people person 117", update_id=50))
    assert [line for line in found.text.splitlines() if "(" in line] == ["Person 117 (1117): member"]
    assert not found.buttons
    assert (await answered(bot, said("/people 1117", update_id=51))).text == found.text, "by its number, too"
    assert (await answered(bot, said("/people zoe", update_id=52))).text == phrase("people-unknown", name="zoe")


async def test_every_list_is_turned_in_one_manner(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset(), admins=frozenset({700})))
    for number in range(50):
        await store.people.put(BOT_ID, 1000 + number, Person(role="member", name=f"Person {number}"))
        await store.reminders.add(ANN, f"thing {number}.", 3600 + number, by=700)
        await store.notes.remember(ANN, f"topic {number}", "x")
    index = [Conversation(number=number, at=number) for number in range(1, 51)]
    await redis_of(bot.store).hset(keys.earlier(ANN), "index", conversations.written(index))
    for update, word in enumerate(("people", "reminders", "memory", "sessions"), 1):
        for page, turns in (("1", ["2 ›"]), ("2", ["‹ 1", "3 ›"]), ("999", None)):
            shown = await answered(bot, pressed(f"{word}:{page}", LIST, update_id=update * 100 + int(page)))
            on = [label for label in labels(shown) if re.fullmatch(r"‹ \d+|\d+ ›", label)]
            assert on == turns if turns else on[0].startswith("‹"), (word, page)


def test_a_note_as_long_as_may_be_fits_one_message_and_hides_nothing() -> None:
    said_of = memory_texts.whole("t" * 2000, "\u202eone\n" + "x" * 1990)
    assert len(said_of) <= 4096
    assert "\u202e" not in said_of
