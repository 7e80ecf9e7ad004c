"""A turn that asks a person, over real processes: everything may die while it waits, and its call is made once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground import PLAYGROUND_TOKEN
from playground.client import PlaygroundClient
from tasks.session import SessionKey
from tasks.store import connect
from tests.harness.nursery import nursery
from tests.harness.product import Harness, ModelControl
from tests.harness.valkey import Valkey
from tests.support.until import until

BOT = int(PLAYGROUND_TOKEN.split(":")[0])
CARD = """---
name: assistant
default: true
function_tools:
  - {entrypoint: booking.py:book, approve: true}
  - booking.py:ask_user
---
You book.
"""
BOOKING = '''
"""A tool that writes down each of its executions with the key of the call, and one that asks."""

from pathlib import Path

from cohort import ask_user as ask
from cohort import current_call


async def book(table: str, password: str = "") -> str:
    """Book."""
    with Path(__file__).with_suffix(".log").open("a") as log:
        log.write(f"{current_call().key} {table}\\n")
    return f"booked {table}"


async def ask_user(question: str, choices: list[str] | None = None) -> str:
    """Ask."""
    return await ask(question, choices or [])
'''


def asks(message: dict) -> bool:
    """Whether it is a question; a message that grows for long has a button, too."""
    return "ask:" in str(message.get("reply_markup"))


class Restaurant:
    """A system of its own, whose agent books tables."""

    def __init__(self, harness: Harness, valkey: Valkey, people: PlaygroundClient, model: ModelControl) -> None:
        self.harness, self.valkey, self.people, self.model = harness, valkey, people, model

    async def parked(self, chat: int, questions: int = 1) -> list[dict]:
        """The messages that ask, once the turn rests and no worker owns its session."""
        ours = await self.people.wait_for(chat, lambda ours: sum(map(asks, ours)) >= questions)
        async with connect(self.harness.settings()) as store:

            async def at_rest() -> bool:
                glance = await store.sessions.glance(SessionKey(BOT, chat))
                return not glance.running_on and bool(await store.sessions.parked_turns(64))

            await until(at_rest)
        return [one for one in ours if asks(one)]

    async def press(self, chat: int, message: dict, label: str, user: int | None = None) -> str:
        """Press a button; what its person reads at once."""
        data = next(
            button["callback_data"]
            for row in message["reply_markup"]["inline_keyboard"]
            for button in row
            if button["text"] == label
        )
        pressed = await self.people.press(chat, message["message_id"], data, user=user)
        answer = await self.people.press_answer(pressed["callback_query_id"])
        return (answer or {}).get("text", "")

    def executions(self) -> list[str]:
        log = self.harness.home / "cards" / "booking.log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
async def restaurant(tmp_path: Path) -> AsyncIterator[Restaurant]:
    valkey = Valkey(tmp_path / "valkey")
    valkey.start()
    try:
        with Harness(tmp_path / "h", valkey.url, await asyncio.to_thread(nursery)) as own:
            cards = own.home / "cards"
            (cards / "booking.py").write_text(BOOKING)
            (cards / "assistant.md").write_text(CARD)
            playground, url = own.playground(), own.model()
            own.worker(ready=False)
            own.bot()
            async with PlaygroundClient(playground) as people, ModelControl(url) as model:
                yield Restaurant(own, valkey, people, model)
    finally:
        valkey.end()


@pytest.mark.promise("parked")
async def test_everything_dies_while_a_turn_waits_and_the_answer_has_it_go_on(restaurant: Restaurant) -> None:
    harness, people = restaurant.harness, restaurant.people
    chat = (await people.chat())["id"]
    await people.say(chat, 'CALL:book{"table": "4", "password": "s3cret"}')
    (question,) = await restaurant.parked(chat)
    assert "book" in question["text"]
    assert "s3cret" not in question["text"]
    for process in (*harness.workers.values(), *harness.bots):
        process.kill()
    restaurant.valkey.kill()
    restaurant.valkey.start()
    (harness.home / "cards" / "assistant.md").write_text(CARD.replace("You book.", "You book with care."))
    harness.bot()
    assert await restaurant.press(chat, question, "Allow once") == "Thanks."
    harness.worker(ready=False)

    def answered(ours: list[dict]) -> bool:
        """The question is edited and the answer is whole, whichever comes first."""
        asked = ours[-2] if len(ours) > 1 else {}
        told = "Allowed once." in asked.get("text", "") and "reply_markup" not in asked
        return told and "tool=booked 4" in ours[-1]["text"]

    await people.wait_for(chat, answered)
    assert len(restaurant.executions()) == 1
    assert len(await restaurant.model.begun(0, 0)) == 2, "what the model had said before was not asked for again"


@pytest.mark.promise("ask-answered-once")
async def test_a_second_press_and_one_by_another_person_are_told_so(restaurant: Restaurant) -> None:
    people = restaurant.people
    author, other = [(await people.user(name))["id"] for name in ("Ann", "Ben")]
    chat = (await people.chat("supergroup", users=[author, other]))["id"]
    day_of = 'CALL:ask_user{"question": "Which day?", "choices": ["Mo", "Tu"]}'
    await people.say(chat, f'@cohort_playground_bot CALL:book{{"table": "4"}} {day_of}', user=author)
    book, day = await restaurant.parked(chat, 2)
    # No worker has noted the first answer when the second one comes.
    next(iter(restaurant.harness.workers.values())).kill()
    assert "Only the person who asked me" in await restaurant.press(chat, book, "Allow once", other)
    assert await restaurant.press(chat, book, "Deny", author) == "Okay, I won't."
    assert await restaurant.press(chat, book, "Allow once", author) == "This question has been answered already."
    assert await restaurant.press(chat, day, "Tu", author) == "Thanks."
    restaurant.harness.worker(ready=False)
    ours = await people.wait_for(chat, lambda ours: bool(ours) and "tool=Tu" in ours[-1]["text"], timeout=60)
    assert "Not carried out" in ours[-1]["text"]
    assert restaurant.executions() == []
