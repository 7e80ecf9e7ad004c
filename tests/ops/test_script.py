"""The scripted stand-in: its play, line by line (pure), in OpenAI's protocol."""

import json
from typing import Any

import pytest

from ops.model import Given, choose
from ops.up.script import ELSEWHERE, HELP, NOTHING, Line, chunks, next_line

TOOLS = {"ask_user", "free_tables", "book_table"}
ASK = {"role": "user", "content": "A table for tonight, please"}
TIMES = "19:00, 20:30"
BOOKED = "Booked: a table for 4 at 19:00. Reservation 1A2B3C."


def said(*results: str, first: Any = ASK) -> Line:
    """The line after these results of tools."""
    told = [{"role": "tool", "content": result} for result in results]
    return next_line([{"role": "system", "content": "You are"}, first, *told], TOOLS)


@pytest.mark.parametrize(
    ("results", "tool", "arguments"),
    [
        ((), "ask_user", {"question": "For how many people?", "choices": ["2", "4", "6"]}),
        (("4",), "free_tables", {"people": 4}),
        (("we are 3",), "free_tables", {"people": 3}),
        (("4", TIMES), "ask_user", {"question": "At what time?", "choices": ["19:00", "20:30"]}),
        (("4", TIMES, "19:00"), "book_table", {"people": 4, "time": "19:00"}),
    ],
)
def test_the_play_asks_looks_asks_and_books(results: tuple[str, ...], tool: str, arguments: dict[str, Any]) -> None:
    assert said(*results) == Line(tool=tool, arguments=arguments)


@pytest.mark.parametrize(
    ("results", "text"),
    [
        (("4", TIMES, "19:00", BOOKED), BOOKED),
        (("4", TIMES, "19:00", "Not carried out: the person did not allow this call."), NOTHING),
        (
            ("9", "No table is free for 9 tonight; the largest seats 6."),
            "No table is free for 9 tonight; the largest seats 6.",
        ),
        (("many",), NOTHING),
        (("4", TIMES, "noon"), NOTHING),
        (("", ""), NOTHING),
    ],
)
def test_the_play_ends_with_what_came_of_it(results: tuple[str, ...], text: str) -> None:
    assert said(*results) == Line(text)


def test_whatever_else_is_said_it_says_what_it_is() -> None:
    assert said(first={"role": "user", "content": [{"type": "text", "text": "hi"}]}) == Line(HELP)
    assert next_line([ASK], {"current_time"}) == Line(ELSEWHERE)
    assert next_line([], TOOLS) == Line(HELP)
    assert "script, not a model" in HELP
    assert "script, not a model" in ELSEWHERE


@pytest.mark.parametrize("line", [Line("Good evening to you"), Line(tool="free_tables", arguments={"people": 2})])
def test_a_line_is_a_stream_that_is_put_together_again(line: Line) -> None:
    events = [event.removeprefix("data: ").strip() for event in chunks(line, "call_1")]
    assert events.pop() == "[DONE]"
    choices = [choice for event in events for choice in json.loads(event)["choices"]]
    assert "".join(choice["delta"].get("content", "") for choice in choices) == line.text
    calls = [call["function"] for choice in choices for call in choice["delta"].get("tool_calls", ())]
    assert [(call["name"], json.loads(call["arguments"])) for call in calls] == (
        [(line.tool, line.arguments)] if line.tool else []
    )
    assert choices[-1]["finish_reason"] == ("tool_calls" if line.tool else "stop")


def test_the_script_is_chosen_by_its_name_alone_and_called_a_script() -> None:
    choice = choose(Given("demo.script", {"ANTHROPIC_API_KEY": "k"}, {}, (None,)))
    assert (choice.script, choice.demo, choice.env) == (True, False, {"COHORT_MODEL": "generic.demo.script"})
    assert "not a model" in choice.title
