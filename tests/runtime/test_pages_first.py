"""An MCP server that carries out a call only when a person has opened a page (its error -32042)."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.runtime.support import Open, Screen, ask, inbound
from tests.runtime.test_elicitation import Person
from tests.support.model import Model
from workers.interfaces import TurnRequest

OPENED = ">I've opened it"


def at_the_gate(person: Person, chat: int = 1, **what: object) -> TurnRequest:
    return replace(ask(chat, inbound(chat, f"CALL:gate{json.dumps(what)}")), holds=person, asks=True)


@pytest.mark.promise("elicited")
async def test_a_call_is_made_again_when_the_page_was_opened_that_its_server_wants(
    runtime: Open, model: Model, serve: Callable[..., None]
) -> None:
    serve("shop")
    person = Person([OPENED, OPENED, OPENED])
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(
            at_the_gate(person, times=1, urls=["https://a.example", "https://b.example"]), Screen()
        )
        assert "through, 2 calls" in result.text
        assert [question.text.rpartition("\n")[2] for question in person.asked] == [
            "https://a.example",
            "https://b.example",
        ]
        assert person.asked[0].text.startswith("The tool server shop asks you to open a page of a.example: Log in.")
    assert len(person.answers) == 1


@pytest.mark.promise("elicited")
async def test_a_server_that_wants_pages_opened_for_ever_ends(
    runtime: Open, model: Model, serve: Callable[..., None]
) -> None:
    serve("shop")
    person = Person([OPENED] * 20)
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(at_the_gate(person, times=1_000_000), Screen())
        assert "wants pages opened again and again" in result.text
        assert len(person.asked) == 3
        assert (await engine.run(ask(2, "still here"), Screen())).text == "echo: still here [n=1]"


@pytest.mark.promise("elicited")
@pytest.mark.parametrize("said", [">No", ">Cancel", "-"])
async def test_a_call_is_not_made_again_when_the_page_was_not_opened(
    runtime: Open, model: Model, serve: Callable[..., None], said: str
) -> None:
    serve("shop")
    person = Person([said])
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(at_the_gate(person, times=1), Screen())
        assert "the person has not opened it. The call was not carried out." in result.text
    assert len(person.asked) == 1


@pytest.mark.promise("nothing-asks")
@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("chat", "holds", "urls"),
    [(1, False, ["https://a.example"]), (-1, True, ["https://a.example"]), (1, True, ["file:///x"]), (1, True, [])],
)
async def test_without_a_person_or_a_page_that_can_be_shown_the_model_is_told(
    runtime: Open, serve: Callable[..., None], chat: int, holds: bool, urls: list[str]
) -> None:
    serve("shop")
    person = Person()
    request = at_the_gate(person, chat, times=1, urls=urls)
    async with runtime(COHORT_LANES="1") as engine:
        result = await engine.run(request if holds else replace(request, holds=None), Screen())
    assert "The call was not carried out." in result.text
    assert person.asked == []
