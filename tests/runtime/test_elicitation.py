"""What MCP servers ask while they carry out a call: by the real runtime and real servers, on stdin and over HTTP."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from tests.runtime.support import Open, Screen, ask, inbound, until
from tests.support.model import Model
from workers.sessions.turns.asking import open_question
from workers.steps import PersonsAnswer, Question

PROPERTIES = {
    "size": {"type": "integer", "title": "Size", "minimum": 30, "maximum": 50},
    "colour": {"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"]},
    "gift": {"type": "boolean"},
    "note": {"type": "string"},
}
FORM = {"type": "object", "properties": PROPERTIES, "required": ["size", "colour"]}


@dataclass
class Person:
    """Answers with these, one after the other: words, or with ``>`` what they press; then waits for ever."""

    answers: list[str] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    gone: int = 0

    async def __call__(self, question: Question, seconds: float) -> PersonsAnswer | None:
        self.asked.append(question)
        self.seconds.append(seconds)
        if not self.answers:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self.gone += 1
        said = self.answers.pop(0)
        if said == "-":
            return None
        if said.startswith(">"):
            return PersonsAnswer("words", said[1:], pressed=question.choices.index(said[1:]))
        return PersonsAnswer("words", f"<tagged>{said}", said)


def asking(person: Person, chat: int = 1, **what: object):
    return replace(ask(chat, inbound(chat, f"CALL:ask{json.dumps(what)}")), holds=person, asks=True)


@pytest.mark.promise("elicited")
async def test_a_servers_form_is_asked_field_by_field_and_checked(
    runtime: Open, model: Model, serve: Callable[..., None]
) -> None:
    serve("shop")
    person = Person(["huge", "42", ">Green", ">Yes", ">Skip this"])
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(asking(person, form=FORM), Screen())
    assert '"action": "accept"' in result.text
    assert '"content": {"size": 42, "colour": "g", "gift": true}' in result.text
    texts = [question.text for question in person.asked]
    assert texts[0] == "The tool server shop asks: An order.\n\nSize"
    assert texts[1].startswith("Please send a whole number (30 to 50).")
    assert person.asked[2].choices == ("Red", "Green", "Cancel")
    assert all(0 < seconds < 120 for seconds in person.seconds)


@pytest.mark.promise("elicited")
@pytest.mark.parametrize(
    ("answers", "action"), [((">Decline",), "decline"), ((">Cancel",), "cancel"), (("42", ">Cancel"), "cancel")]
)
async def test_a_form_is_declined_or_cancelled_as_its_person_says(
    runtime: Open, model: Model, serve: Callable[..., None], answers: tuple[str, ...], action: str
) -> None:
    serve("shop")
    person = Person([*answers])
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(asking(person, form=FORM), Screen())
    assert f'"action": "{action}"' in result.text
    offered = [question.choices[-2:] for question in person.asked]
    assert offered == [("Decline", "Cancel"), ("Green", "Cancel")][: len(answers)], "it is declined before it is begun"


@pytest.mark.parametrize("said", [">Cancel", "-"])
async def test_a_form_that_is_cancelled_or_not_answered_in_time_is_told_to_the_server(
    runtime: Open, model: Model, serve: Callable[..., None], said: str
) -> None:
    serve("shop")
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(asking(Person(["42", said]), form=FORM), Screen())
        assert '"action": "cancel"' in result.text
        assert "content" not in result.text
        assert (await engine.run(ask(2, "still here"), Screen())).text == "echo: still here [n=1]"


@pytest.mark.parametrize("form", [{"properties": {"a": {"type": "object"}}}, {"properties": 1}])
async def test_what_is_no_form_is_cancelled_unasked(
    runtime: Open, model: Model, serve: Callable[..., None], form: object
) -> None:
    serve("shop")
    person = Person()
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(asking(person, form=form), Screen())
    assert "accept" not in result.text
    assert person.asked == []


@pytest.mark.promise("nothing-asks")
async def test_without_a_person_a_server_that_asks_is_told_no(
    runtime: Open, model: Model, serve: Callable[..., None]
) -> None:
    serve("shop")
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(replace(asking(Person(), form=FORM), holds=None), Screen())
    assert '"action": "cancel"' in result.text


@pytest.mark.promise("elicited")
async def test_a_stopped_turn_ends_its_question_and_the_lane_serves_the_next(
    runtime: Open, model: Model, serve: Callable[..., None]
) -> None:
    serve("shop")
    person = Person()
    async with runtime(COHORT_LANES="1") as engine:
        async with asyncio.TaskGroup() as group:
            turn = group.create_task(engine.run(asking(person, form=FORM), Screen()))
            await until(lambda: bool(person.asked))
            turn.cancel()
        assert person.gone == 1
        other = Person([">Cancel"])
        assert '"action": "cancel"' in (await engine.run(asking(other, 2, form=FORM), Screen())).text
        assert len(person.asked) == 1


@pytest.mark.promise("elicited")
@pytest.mark.parametrize(("pressed", "action"), [("I've opened it", "accept"), ("No", "decline"), ("Cancel", "cancel")])
async def test_a_page_to_open_is_shown_whole_in_a_private_chat(
    runtime: Open, model: Model, serve: Callable[..., None], pressed: str, action: str
) -> None:
    serve("shop")
    person = Person([f">{pressed}"])
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(asking(person, url="https://shop.example/login?of=1"), Screen())
    assert f'"action": "{action}"' in result.text
    (question,) = person.asked
    assert question.text == (
        "The tool server shop asks you to open a page of shop.example: Log in.\n\nhttps://shop.example/login?of=1"
    )


@pytest.mark.promise("elicited")
@pytest.mark.parametrize(("chat", "url"), [(-1, "https://shop.example"), (1, "javascript:alert(1)"), (1, "https://")])
async def test_a_page_is_not_shown_in_a_group_and_what_is_no_page_nowhere(
    runtime: Open, model: Model, serve: Callable[..., None], chat: int, url: str
) -> None:
    serve("shop")
    person = Person()
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(asking(person, chat, url=url), Screen())
    assert '"action": "cancel"' in result.text
    assert person.asked == []


@pytest.mark.promise("elicited")
async def test_an_address_is_shown_whole_however_much_is_said_about_it(
    runtime: Open, model: Model, serve: Callable[..., None]
) -> None:
    serve("shop")
    person = Person([">Cancel"])
    url = "https://shop.example/" + "x" * 1_900
    async with runtime(COHORT_LANES="1") as engine:
        await engine.run(asking(person, url=url, words=2_000 * "\N{GRINNING FACE}"), Screen())
    (question,) = person.asked
    assert open_question(question).text.endswith(f"\n\n{url}")
