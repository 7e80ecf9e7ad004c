"""Servers that are not quite OpenAI's Responses API: fields of any type, items in one event alone, ids of any kind."""

from pathlib import Path
from typing import Any

import pytest

from tests.runtime.response_streams import (
    ADDED,
    BEGUN,
    CREATED,
    DELTA,
    DONE,
    END,
    PART,
    PART_DONE,
    PLACE,
    SAID,
    TEXT,
    WELL,
    Sockets,
    asks,
    begins,
    but,
    called,
    done,
    end,
    piece,
    stream,
    whole,
)
from tests.runtime.streams import CARD, TOOLS, Plays, item, output_text, response
from tests.runtime.support import Configure, Open, Screen, ask, card
from workers.runtime.streams.outputs import Outputs

R = response("completed", SAID)
SEARCH = {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "x"}}


def ends(**more: Any) -> bytes:
    """A stream whose last event's response has these."""
    return stream(DELTA, {"type": "response.completed", "response": but(R, **more)})


def says(content: Any) -> bytes:
    return stream(DELTA, end({**item(), "content": content}))


def moved(*last: Any, **more: Any) -> bytes:
    """The events of an answer with other fields, and its end."""
    return stream(*({**event, **more} for event in BEGUN[1:]), *last)


def step(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": f"response.web_search_call.{kind}", "output_index": 0, "item_id": "ws", **more}


WORDS: dict[str, bytes] = {
    "as it should be": stream(*BEGUN, END),
    "the end alone": stream(END),
    "a piece and the end": stream(DELTA, END),
    "an empty end": stream(*BEGUN, end()),
    "an empty end after pieces alone": stream(CREATED, DELTA, end()),
    "an empty end after the text alone": stream(CREATED, TEXT, end()),
    "an empty end after a part alone": stream(CREATED, ADDED, PART_DONE, end()),
    "an empty end that is too short": stream(CREATED, DELTA, end({**item(), "content": []})),
    "an end without a response": stream(*BEGUN, {"type": "response.completed"}),
    "an end whose response is null": stream(*BEGUN, {"type": "response.completed", "response": None}),
    "an end that is the response": stream(DELTA, {**R, "type": "response.completed"}),
    "an output that is null": ends(output=None),
    "a null in the output": ends(output=[None, SAID]),
    "one item, no list": ends(output=SAID),
    "content that is null before one": stream(DELTA, end({**item(), "content": None}, SAID)),
    "content that is a text": says(WELL),
    "one part, no list": says(output_text(WELL)),
    "a null among the parts": says([None, output_text(WELL)]),
    "a part of another kind": says([{"type": "hologram", "x": 1}, output_text(WELL)]),
    "a part of chat completions": says([{"type": "text", "text": WELL}]),
    "a part without a kind": says([{"text": WELL}]),
    "a text that is null before one": says([{"type": "output_text", "text": None}, output_text(WELL)]),
    "notes that are null": says([{**output_text(WELL), "annotations": None}]),
    "notes that are none": says(
        [{**output_text(WELL), "annotations": ["x", None, {"type": "url_citation", "url": 3}]}]
    ),
    "a refusal that says nothing": says([output_text(WELL), {"type": "refusal", "refusal": ""}]),
    "a refusal that is null": says([output_text(WELL), {"type": "refusal", "refusal": None}]),
    "an item without a kind": stream(DELTA, end(but(SAID, "type"))),
    "an item of another kind": stream(
        CREATED, done(0, {"type": "hologram"}), DELTA, end({"type": "hologram", "id": 3}, SAID)
    ),
    "an item that is null": stream({**ADDED, "item": None}, {**DONE, "item": None}, DELTA, END),
    "another role": stream(DELTA, end({**SAID, "role": "model"})),
    "an event of another kind": stream(CREATED, {"type": "response.hologram.delta", "delta": {"x": 1}}, DELTA, END),
    "a gap in the places": moved(END, output_index=7),
    "a place that is a text": moved(END, output_index="0"),
    "a place that is a text, and an empty end": moved(end(), output_index="0"),
    "a place that is none": moved(END, output_index=[]),
    "no place, and an empty end": stream(*(but(event, "output_index") for event in BEGUN[1:]), end()),
    "each begun twice": stream(CREATED, CREATED, ADDED, ADDED, PART, PART, DELTA, DONE, END),
    "ended twice, and an empty end": stream(ADDED, DELTA, DONE, DONE, end()),
    "two ends": stream(DELTA, DONE, END, END),
    "a second end that is empty": stream(DELTA, END, end()),
    "the other way round": stream(TEXT, DELTA, DONE, PART, ADDED, CREATED, END),
    "a piece after the end": stream(CREATED, ADDED, END, DELTA),
    "an error after the end": stream(DELTA, END, {"type": "response.failed", "response": response("failed")}),
    "pieces that are no text": stream(
        *({**DELTA, "delta": one} for one in (None, {"text": "x"}, ["x"], 3)), DELTA, END
    ),
    "numbers that are none": stream({**DELTA, "sequence_number": None}, {**END, "sequence_number": "x"}),
    "no count": ends(usage=None),
    "a count that is a list": ends(usage=[]),
    "counts that are texts": ends(usage={"input_tokens": "5", "output_tokens": "many"}),
    "counts without details": ends(usage={"input_tokens": 5, "output_tokens": 1, "input_tokens_details": None}),
    "counts of chat completions": ends(usage={"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}),
    "a status that is null": ends(status=None),
    "a status that goes on": ends(status="in_progress"),
    "a status that is none": ends(status={"x": 1}),
    "no id and no model": ends(id=None, model=None),
    "an error that is empty": ends(error={}),
    "details that are none": ends(incomplete_details="x"),
    "two parts": stream(end(item(output_text("All "), output_text("well.")))),
    "thoughts in parts": stream(
        *(
            {"type": "response.reasoning_summary_text.delta", "item_id": "rs", "summary_index": number, "delta": "Hm."}
            for number in range(2)
        ),
        DELTA,
        end({"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "Hm."}] * 2}, SAID),
    ),
    "thoughts that are none": stream(
        *({"type": "response.reasoning_summary_text.delta", "delta": one} for one in ({"a": 1}, None, "Hm.")),
        DELTA,
        end(
            {"type": "reasoning", "id": None, "summary": None},
            {"type": "reasoning", "id": "r", "summary": "Hm.", "encrypted_content": 3},
            {"type": "reasoning", "summary": [None, "x", {"type": "summary_text"}], "content": 3},
            SAID,
        ),
    ),
    "signs of life": b": ping\n\n"
    + stream(DELTA)
    + b":\n\nevent: keepalive\ndata: \n\n"
    + stream({"type": "keepalive"}, {"type": "ping"}, END)
    + b"data: [DONE]\n\n",
    "a search": stream(
        {**ADDED, "item": {**SEARCH, "status": "in_progress"}},
        step("in_progress"),
        step("searching"),
        step("completed"),
        done(0, SEARCH),
        {**DELTA, "output_index": 1},
        end(SEARCH, SAID),
    ),
    "a search that is never done": stream(
        {**ADDED, "item": {**SEARCH, "status": "in_progress"}}, {**DELTA, "output_index": 1}, END
    ),
    "a search that was never begun": stream(step("searching"), step("completed", item_id=3), DELTA, END),
    "searches that are none": stream(
        {**ADDED, "item": {"type": "web_search_call"}},
        DELTA,
        end({"type": "web_search_call", "action": None}, {"type": "web_search_call", "id": None, "action": "x"}, SAID),
    ),
    "a program that says nothing": stream(
        end({"type": "code_interpreter_call", "id": "c", "code": None, "outputs": None}, SAID)
    ),
    "files that were searched": stream(end({"type": "file_search_call", "id": "f", "queries": None}, SAID)),
    "a picture that is drawn": stream(
        {"type": "response.image_generation_call.partial_image", "partial_image_b64": "xx"},
        done(0, {"type": "image_generation_call", "result": None}),
        DELTA,
        end({"type": "image_generation_call", "id": "x", "result": None}, SAID),
    ),
    "no response at its beginning": stream({**CREATED, "response": None}, {"type": "response.queued"}, DELTA, END),
}
A, B = asks(1, "Rome"), asks(2, "Oslo")
BARE = [but(one, "call_id", "id") for one in (A, B)]
FREE = [but(one, "call_id") for one in (A, B)]
SAME = {**B, "call_id": "call_1"}
TWIN = {**SAME, "id": "fc_1"}
WRITTEN = [{**A, "arguments": {"zone": "Rome"}}, {**B, "arguments": {"zone": "Oslo"}}]
BLANK = [{**A, "arguments": ""}, {**B, "arguments": ""}]
CALLS: dict[str, bytes] = {
    "as they should be": stream(CREATED, *called(0, A), *called(1, B), end(A, B)),
    "the end alone": stream(end(A, B)),
    "an empty end": stream(CREATED, *called(0, A), *called(1, B), end()),
    "an end without a response": stream(CREATED, *called(0, A), *called(1, B), {"type": "response.completed"}),
    "begun, never done, and an empty end": stream(begins(0, A), whole(0, A), begins(1, B), whole(1, B), end()),
    "in pieces alone": stream(begins(0, A), piece(0, A), begins(1, B), piece(1, B), end()),
    "in pieces, never done": stream(begins(0, A), piece(0, A), begins(1, B), piece(1, B), end(A, B)),
    "arguments that the end lacks": stream(*called(0, A), *called(1, B), end(*BLANK)),
    "arguments that their own end has alone": stream(begins(0, A), whole(0, A), begins(1, B), whole(1, B), end(*BLANK)),
    "arguments that the item lacks": stream(
        *called(0, A)[:3], done(0, BLANK[0]), *called(1, B)[:3], done(1, BLANK[1]), end()
    ),
    "arguments that are no text": stream(*called(0, WRITTEN[0]), *called(1, WRITTEN[1]), end(*WRITTEN)),
    "pieces that are no text": stream(
        begins(0, A), *(piece(0, A, delta=one) for one in (None, {"x": 1})), done(0, A), *called(1, B), end(A, B)
    ),
    "one id of a call for two": stream(*called(0, A), *called(1, SAME), end(A, SAME)),
    "one id for two": stream(*called(0, A), *called(1, TWIN), end(A, TWIN)),
    "one id for two in the end alone": stream(end(A, TWIN)),
    "no id of the call": stream(*called(0, FREE[0]), *called(1, FREE[1]), end(*FREE)),
    "no ids": stream(*called(0, BARE[0]), *called(1, BARE[1]), end(*BARE)),
    "no ids in the end alone": stream(end(*BARE)),
    "ids that are empty": stream(end(*({**one, "call_id": "", "id": ""} for one in (A, B)))),
    "ids that are null": stream(end(*({**one, "call_id": None, "id": None} for one in (A, B)))),
    "ids that are numbers": stream(
        *called(0, {**A, "call_id": 1, "id": 1}),
        *called(1, {**B, "call_id": 2, "id": 2}),
        end({**A, "call_id": 1, "id": 1}, {**B, "call_id": 2, "id": 2}),
    ),
    "another id in each event": stream(
        begins(0, A),
        piece(0, A, item_id="u"),
        done(0, {**A, "id": "v"}),
        begins(1, B),
        piece(1, B, item_id="w"),
        done(1, {**B, "id": "x"}),
        end({**A, "id": "y"}, {**B, "id": "z"}),
    ),
    "one place for two": stream(*called(0, A), *called(0, B), end(A, B)),
    "one place for two, and an empty end": stream(*called(0, A), *called(0, B), end()),
    "no places": stream(*(but(event, "output_index") for event in (*called(0, A), *called(1, B))), end(A, B)),
    "a gap in the places": stream(*called(5, A), *called(9, B), end(A, B)),
    "by turns": stream(begins(0, A), begins(1, B), piece(1, B), piece(0, A), done(1, B), done(0, A), end(A, B)),
    "done twice": stream(*called(0, A), done(0, A), *called(1, B), done(1, B), end()),
    "never begun": stream(piece(0, A), whole(0, A), done(0, A), piece(1, B), done(1, B), end(A, B)),
    "an end that has one of them": stream(*called(0, A), *called(1, B), end(A)),
    "a status that is none": stream(end({**A, "status": "incomplete"}, {**B, "status": None})),
}


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize("transport", ["sse", "websocket"])
async def test_a_response_is_read_however_a_server_writes_it(
    runtime: Open, configure: Configure, cards: Path, transport: str
) -> None:
    card(cards, "tools.py", TOOLS)
    card(cards, "assistant.md", CARD.format("responses.gpt-5-mini"))
    said, run, asked = dict[str, str](), dict[str, str](), 0
    streams = [*WORDS.values(), *(one for call in CALLS.values() for one in (call, WORDS["as it should be"]))]
    async with Plays(*streams) if transport == "sse" else Sockets(*streams) as plays:
        section = {"base_url": f"{plays.url}/v1", "api_key": "k", "transport": transport}
        configure({"responses": section})
        async with runtime(COHORT_LANES="1") as engine:
            for chat, kind in enumerate(WORDS, 1):
                screen = Screen()
                result = await engine.run(ask(chat, "hello"), screen)
                said[kind] = result.text
                assert (result.cut, result.notices) == (False, ()), kind
                assert screen.frames[-1:] == [WELL], f"{kind}: it is shown while it comes"
            asked = len(plays.calls)
            for chat, kind in enumerate(CALLS, 1_000):
                said[kind] = (await engine.run(ask(chat, "hello"), Screen())).text
                results = [one for one in plays.calls[-1]["input"] if one.get("type") == "function_call_output"]
                run[kind] = ", ".join(sorted(one["output"] for one in results))
                assert len({one["call_id"] for one in results}) == 2, kind
    assert said == dict.fromkeys([*WORDS, *CALLS], WELL)
    assert run == dict.fromkeys(CALLS, "noon in Oslo, noon in Rome")
    assert (asked, len(plays.calls)) == (len(WORDS), len(streams))


async def test_answers_that_count_their_calls_from_one_have_each_of_them_run(
    runtime: Open, configure: Configure, cards: Path
) -> None:
    card(cards, "tools.py", TOOLS)
    card(cards, "assistant.md", CARD.format("responses.gpt-5-mini"))
    async with Plays(stream(end(A)), stream(end({**B, "call_id": "call_1"})), stream(END)) as plays:
        configure({"responses": {"base_url": f"{plays.url}/v1", "api_key": "k", "transport": "sse"}})
        async with runtime(COHORT_LANES="1") as engine:
            assert (await engine.run(ask(1, "hello"), Screen())).text == WELL
    results = [one["output"] for one in plays.calls[-1]["input"] if one.get("type") == "function_call_output"]
    assert results == ["noon in Rome", "noon in Oslo"]


def test_events_that_are_as_they_should_be_are_left_as_they_are() -> None:
    for events in ((*BEGUN, END), (CREATED, *called(0, A), *called(1, B))):
        outputs = Outputs()
        for event in events:
            before = repr(event)
            (passed,) = outputs.read(event, str(event["type"]))
            if event is not END:
                assert repr(passed) == before
    assert PLACE["output_index"] == 0
