"""MCP servers whose tools, results, and lines are not as they should be: what is wrong costs itself and no more."""

import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.runtime.support import Open, Screen, ask
from tests.support.model import Model
from workers.runtime.durable import approval, in_doubt
from workers.runtime.durable.tool_facts import ToolFacts
from workers.runtime.patches.server_text import Lines
from workers.runtime.servers.answers import answered, recovered, taken_name
from workers.runtime.tools.schemas import input_schema

ODD = Path(__file__).with_name("odd_server.py")
ALL_TAKE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
DEEP: Any = json.loads("[" * 200 + "]" * 200)


async def test_what_is_wrong_with_a_server_costs_itself_and_no_other_tool(
    runtime: Open, model: Model, serve: Callable[..., None]
) -> None:
    serve("odd", command=sys.executable, args=[str(ODD)])
    async with runtime(COHORT_LANES="1") as engine:
        said = {
            tool: (await engine.run(ask(1, f"CALL:{tool}"), Screen())).text.partition("tool=")[2]
            for tool in ("plain", "union", "shapeless", "delete__all")
        }
        offered = model.journal[0].tools
        (dotted,) = [name for name in offered if "no_dots" in name]
        said["dotted"] = (await engine.run(ask(1, f"CALL:{dotted}"), Screen())).text.partition("tool=")[2]
        assert engine.servers_down == ()
    assert len(offered) == 6
    assert all(map(ALL_TAKE.fullmatch, offered))
    assert said == {
        "plain": '[a part that cannot be read: {"type": "video", "data": "x"}] and words',
        "union": "The tool failed, and its server gives no reason.",
        "shapeless": '{"result":["a list"]}',
        "delete__all": "only words",
        "dotted": "caf\N{REPLACEMENT CHARACTER}",
    }


@pytest.mark.parametrize("name", ["shop__a.b", "shop__", "погода__x", "3d__x", "s" * 70, "", "a b", "\ud83d"])
def test_a_tool_has_a_name_that_every_provider_takes(name: str) -> None:
    assert ALL_TAKE.fullmatch(taken_name(name))
    assert taken_name(name + "1") != taken_name(name)


def test_a_name_that_all_providers_take_stays_and_long_ones_that_begin_alike_stay_apart() -> None:
    assert taken_name("shop__pay-now_1") == "shop__pay-now_1"
    assert taken_name("x" * 64) == "x" * 64
    assert taken_name("x" * 65 + "a") != taken_name("x" * 65 + "b")


def test_a_pattern_means_what_a_tool_is_called_at_its_server() -> None:
    long = "delete_" + "x" * 80
    for name, known_as, pattern in (
        ("delete__all", "shop__delete__all", "delete*"),
        ("pay.now", taken_name("shop__pay.now"), "pay.now"),
        (long, taken_name(f"shop__{long}"), long),
        ("pay", "shop__pay", "pay"),
    ):
        assert approval.is_needed(ToolFacts({"approve": [pattern]}, name=name), known_as)
        assert approval.is_needed(ToolFacts(card=pattern, name=name), known_as)
        facts = ToolFacts({"in_doubt": {pattern: "fail", "*": "run"}}, name=name)
        assert in_doubt.decide(facts, known_as, asks=True, approved_once=False) == "fail"


STRING = {"type": "string"}
SCHEMAS: list[tuple[Any, Any]] = [
    (None, {"type": "object", "properties": {}}),
    ({}, {"type": "object", "properties": {}}),
    ({"type": "object", "properties": None}, {"type": "object", "properties": {}}),
    ({"type": ["object", "null"]}, {"type": "object", "properties": {}}),
    ({"type": "object", "additionalProperties": False}, None),
    (
        {"anyOf": [{"properties": {"a": STRING}, "required": ["a", "b"]}, {"properties": {"b": STRING}}, 3]},
        {"type": "object", "properties": {"a": STRING, "b": STRING}},
    ),
    (
        {"oneOf": [{"properties": {"a": STRING}, "required": ["a"]}, {"required": ["a"]}]},
        {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
    ),
    (
        {"allOf": [{"properties": {"a": STRING}, "required": ["a"]}, {"properties": {"b": STRING}, "required": ["b"]}]},
        {"type": "object", "properties": {"a": STRING, "b": STRING}, "required": ["a", "b"]},
    ),
    (
        {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "properties": {"a": STRING}, "required": ["a"]}}},
        {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
    ),
    ({"$ref": "#/$defs/none/at/all"}, {"type": "object", "properties": {}}),
    ({"$ref": "https://elsewhere.example/x.json"}, {"type": "object", "properties": {}}),
    (
        {"properties": {"a": {"type": "array"}, "b": True}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {}}, "b": {}}},
    ),
    ({"required": "a", "properties": {"a": STRING}}, {"type": "object", "properties": {"a": STRING}}),
]


@pytest.mark.parametrize(("given", "taken"), SCHEMAS)
def test_a_schema_has_its_properties_at_its_top(given: Any, taken: Any) -> None:
    schema = input_schema(given)
    assert schema is not None
    assert schema["type"] == "object"
    assert {"anyOf", "oneOf", "allOf", "$ref"}.isdisjoint(schema)
    if taken is not None:
        assert {name: value for name, value in schema.items() if name != "$defs"} == taken


@pytest.mark.parametrize("given", ["text", [], {"type": "string"}, {"type": ["string"]}, 3])
def test_a_tool_that_takes_no_object_is_left_out(given: Any) -> None:
    assert input_schema(given) is None
    assert answered("tools/list", {"tools": [{"name": "a", "inputSchema": given}]}) == {"tools": []}


def test_a_list_of_tools_keeps_what_can_be_called_and_bounds_what_is_said_of_it() -> None:
    wordy = {"name": "a", "description": "d" * 1_000_000, "inputSchema": {"type": "object"}, "annotations": "no"}
    (tool,) = answered("tools/list", {"tools": [wordy, None, {"name": 3}], "nextCursor": "2"})["tools"]
    assert len(tool["description"]) < 20_000
    assert "annotations" not in tool
    assert answered("tools/list", {"tools": None}) == {"tools": []}
    assert answered("tools/list", "none") == "none"
    assert answered("prompts/list", {"tools": 3}) == {"tools": 3}


TEXT = {"type": "text", "text": "a"}
RESULTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"content": [], "isError": False}),
    ({"content": None}, {"content": [], "isError": False}),
    ({"content": TEXT}, {"content": [TEXT], "isError": False}),
    ({"content": "a"}, {"content": [TEXT], "isError": False}),
    ({"content": ["a", {"text": "a"}]}, {"content": [TEXT, TEXT], "isError": False}),
    ({"content": [TEXT], "isError": "true"}, {"content": [TEXT], "isError": True}),
    ({"content": [TEXT], "isError": None}, {"content": [TEXT], "isError": False}),
    ({"structuredContent": [1]}, {"content": [], "isError": False, "structuredContent": {"result": [1]}}),
    ({"content": [TEXT], "structuredContent": DEEP}, {"content": [TEXT], "isError": False}),
]


@pytest.mark.parametrize(("given", "taken"), RESULTS)
def test_a_result_is_read_as_what_it_means(given: dict[str, Any], taken: dict[str, Any]) -> None:
    assert answered("tools/call", given) == taken


def test_a_result_of_very_many_parts_has_few() -> None:
    picture = {"type": "image", "data": "", "mimeType": "image/png"}
    many = answered("tools/call", {"content": [TEXT] * 100_000 + [picture] + [TEXT] * 2})["content"]
    assert [part["type"] for part in many] == ["text", "image", "text"]
    assert many[0]["text"].count("a") == 100_000
    assert len(answered("tools/call", {"content": [picture] * 1_000})["content"]) < 300
    (much,) = answered("tools/call", {"content": [{"type": "text", "text": "a" * 10_000_000}]})["content"]
    assert len(much["text"]) < 1_000_000
    (deep,) = answered("tools/call", {"content": [{"type": "odd", "of": DEEP}]})["content"]
    assert "too deeply" in deep["text"]


@pytest.mark.parametrize(
    ("line", "is_error"),
    [
        ('{"id": 5, "result": {}}', False),
        ('{"jsonrpc": "2.0", "id": 5, "result": "words"}', False),
        ('{"jsonrpc": "2.0", "id": 5, "result": null}', False),
        ('{"jsonrpc": "2.0", "id": 5, "error": "words"}', True),
        ('{"jsonrpc": "2.0", "id": 5, "error": {"message": null}}', True),
        ('{"jsonrpc": "2.0", "id": 5, "result": {"content": [{"type"', True),
        ('{"jsonrpc": "2.0", "id": 5, "result": ' + "[" * 100_000, True),
    ],
)
def test_an_answer_that_is_refused_answers_its_call(line: str, *, is_error: bool) -> None:
    answer = recovered(line)
    assert answer is not None
    assert answer["id"] == 5
    assert ("error" in answer) == is_error


@pytest.mark.parametrize("line", ["", "DEBUG", "[]", "3", "{}", '{"id": 5}', '{"id": 5, "method": "ping"}', '{"id": 5'])
def test_what_is_no_answer_answers_no_call(line: str) -> None:
    assert recovered(line) is None


class Pieces:
    """A server's output, as it comes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    async def receive(self) -> bytes:
        piece = next(self._pieces, None)
        if piece is None:
            raise anyio.EndOfStream
        return piece


async def read(*pieces: bytes, longest: int = 1_000) -> list[str]:
    lines = Lines(Pieces(pieces), longest=longest)
    return "".join([piece async for piece in lines]).splitlines()


async def test_a_line_is_read_whole_whatever_stands_before_it_and_whatever_pieces_it_comes_in() -> None:
    message = '{"jsonrpc": "2.0", "text": "é"}'
    raw = f"\ufeff{message}\r\n\nDEBUG\nloading... {message}\n{message}\nthe end".encode()
    for size in (1, 2, 7, 1000):
        pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
        assert await read(*pieces) == [message] * 3
    assert await read(b'{"a": "\xff"}\n') == ['{"a": "\N{REPLACEMENT CHARACTER}"}']


async def test_a_line_without_end_is_not_kept_and_what_it_answered_is_told() -> None:
    begun, good = b'{"jsonrpc": "2.0", "id": 5, "result": "', b'{"jsonrpc": "2.0"}'
    long, after = await read(begun, *[b"x" * 500] * 5_000, b'"}\n', good + b"\n")
    assert len(long) < 3_000
    assert (recovered(long) or {})["id"] == 5
    assert after == good.decode()
