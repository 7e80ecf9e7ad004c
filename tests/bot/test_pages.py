"""Lists that take more than one message have pages: all reminders and all notes can be seen, and each note whole."""

from bot.commands import memory_texts, reminder_texts
from tasks.envelope import Reply
from tasks.phrases import phrase
from tasks.session import SessionKey
from tests.bot.conftest import BOT as BOT_ID
from tests.bot.conftest import Doorway
from tests.bot.test_update_intake import ANNS
from tests.bot.updates import BOT, message, pressed, said

ANN = SessionKey.parse(ANNS)
LIST = message("the list", sender=BOT)


async def answered(doorway: Doorway, *updates: object) -> Reply:
    await doorway.door.take(updates)
    return [reply for _, reply in await doorway.store.intake.replies(BOT_ID, 1000)][-1]


def labels(reply: Reply) -> dict[str, str]:
    return {button.text: button.data for row in reply.buttons for button in row}


async def test_every_reminder_is_on_a_page_and_taking_one_back_stays_there(doorway: Doorway) -> None:
    for number in range(50):
        await doorway.store.reminders.add(ANN, f"thing {number}.", 3600 + number, by=700)
    shown = await answered(doorway, said("/reminders", update_id=1))
    assert "1. " in shown.text
    assert "and 30 more" in shown.text
    shown = await answered(doorway, pressed(labels(shown)["2 ›"], LIST, update_id=2))
    assert shown.edit == LIST.message_id
    assert "thing 20." in shown.text
    last = await answered(doorway, said("/reminders 99", update_id=3))
    assert "50. " in last.text
    assert "more" not in last.text
    assert "‹ 2" in labels(last)
    gone = await answered(doorway, pressed(labels(last)["✕ 50"], LIST, update_id=4))
    assert gone.text.startswith(reminder_texts.one_cancelled(1))
    assert "thing 48." in gone.text
    assert "thing 31." in (await answered(doorway, said("/reminders cancel 31", update_id=5))).text
    assert [one.text for one in await doorway.store.reminders.waiting(ANN)][30] == "thing 31."
    assert all(len(data.encode()) <= 64 for data in labels(gone).values())


async def test_every_note_is_on_a_page_and_is_shown_whole(doorway: Doorway) -> None:
    for number in range(60):
        await doorway.store.notes.remember(ANN, f"topic {number:02}", f"note {number}: {'x' * 1000}\nend {number}")
    shown, seen = await answered(doorway, said("/memory", update_id=1)), set[str]()
    for update in range(2, 40):
        assert len(shown.text) <= 4096
        seen |= {line.partition(":")[0] for line in shown.text.splitlines() if line.startswith("topic")}
        on = next((data for text, data in labels(shown).items() if text.endswith("›")), None)
        if on is None:
            break
        shown = await answered(doorway, pressed(on, LIST, update_id=update))
        assert shown.edit == LIST.message_id
    assert len(seen) == 60
    whole = await answered(doorway, said("/memory Topic 07", update_id=50))
    assert whole.text.endswith("\nend 7")
    assert len(whole.text) > 1000
    assert (await answered(doorway, said("/memory nonsense", update_id=51))).text.startswith(phrase("memory"))


def test_a_note_as_long_as_may_be_fits_one_message_and_hides_nothing() -> None:
    said_of = memory_texts.whole("t" * 2000, "\u202eone\n" + "x" * 1990)
    assert len(said_of) <= 4096
    assert "\u202e" not in said_of
