"""Schemas of tools that no provider takes as they are: no converter raises, and what is sent is what providers take."""

import json
import logging
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fast_agent.llm.provider.google.google_converter import GoogleConverter
from fast_agent.llm.provider.openai.schema_sanitizer import sanitize_tool_input_schema
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcp_types import Tool

from tests.runtime.streams import Plays, google, sse
from tests.runtime.support import Configure, Open, Screen, ask, card
from workers.runtime.patches import patch
from workers.runtime.servers.answers import answered
from workers.runtime.tools.google_schemas import google_schema
from workers.runtime.tools.schemas import TYPES, input_schema

ODD = Path(__file__).with_name("odd_server.py")
STRING = {"type": "string"}
DEEP: Any = STRING
for _ in range(400):
    DEEP = {"type": "object", "properties": {"a": DEEP, "b": {"type": "array", "items": DEEP}}}
TWICE = {"properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/B"}}}
NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
# A property, and the schema that Google is told of it (None: whatever it takes).
PROPERTIES: dict[str, tuple[Any, Any]] = {
    "true": (True, STRING),
    "a text": ("integer", {"type": "integer"}),
    "a list": ([STRING], STRING),
    "nothing": (None, STRING),
    "a number": (3, STRING),
    "a type that may be null": ({"type": ["string", "null"]}, {**STRING, "nullable": True}),
    "several types": (
        {"type": ["string", "integer"], "description": "d"},
        {"anyOf": [{**STRING, "description": "d"}, {"type": "integer"}]},
    ),
    "a type that is none": ({"type": "any"}, STRING),
    "a type in capitals": ({"type": "STRING"}, STRING),
    "a type of Python": ({"type": "int"}, {"type": "integer"}),
    "types that are none": ({"type": [3, None, {}]}, STRING),
    "numbers to choose": ({"enum": [1, 2]}, {"type": "integer", "description": "One of: 1, 2"}),
    "texts and null to choose": ({"enum": ["a", None]}, {**STRING, "enum": ["a"], "nullable": True}),
    "an empty text to choose": ({"enum": ["", "a"]}, {**STRING, "description": 'One of: "", "a"'}),
    "nothing to choose": ({"type": "string", "enum": []}, STRING),
    "no list to choose": ({"type": "string", "enum": "a"}, STRING),
    "a constant": ({"const": "a"}, {**STRING, "enum": ["a"]}),
    "a constant of objects": ({"const": {"a": [math.nan]}}, None),
    "this or null": ({"anyOf": [STRING, {"type": "null"}], "title": "T"}, {**STRING, "title": "T", "nullable": True}),
    "no alternative": ({"anyOf": [], "type": "string"}, STRING),
    "an alternative that is none": ({"anyOf": [True, STRING]}, STRING),
    "alternatives of what is required": (
        {"properties": {"a": STRING}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"type": "object", "properties": {"a": STRING}},
    ),
    "all of": (
        {"allOf": [{"properties": {"a": STRING}}, {"required": ["a"]}]},
        {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
    ),
    "not": ({"not": STRING}, STRING),
    "recursive": ({"$ref": "#/$defs/Node"}, {"type": "object", "properties": {"next": {"type": "object"}}}),
    "recursive in parts": ({"$ref": "#/$defs/All"}, None),
    "a circle of references": ({"$ref": "#/$defs/Circle"}, STRING),
    "twice recursive": ({"$ref": "#/$defs/A"}, None),
    "the whole": ({"$ref": "#"}, None),
    "a reference to nothing": ({"$ref": "#/$defs/gone"}, STRING),
    "a reference elsewhere": ({"$ref": "https://elsewhere.example/x.json"}, STRING),
    "a reference that is none": ({"$ref": 3}, STRING),
    "deep": (DEEP, None),
    "a tuple": ({"type": "array", "items": [STRING, True]}, None),
    "a tuple as newer drafts say it": (
        {"type": "array", "prefixItems": [STRING]},
        {"type": "array", "items": STRING},
    ),
    "items that are true": ({"type": "array", "items": True}, {"type": "array", "items": STRING}),
    "required that is not there": ({"type": "object", "properties": {}, "required": ["a"]}, None),
    "limits that are none": ({"type": "string", "minLength": -1, "maxLength": "9", "pattern": 3, "format": []}, STRING),
    "limits of older drafts": (
        {"type": "number", "minimum": 1, "exclusiveMinimum": True},
        {"type": "number", "minimum": 1},
    ),
    "limits without end": ({"type": "number", "minimum": -math.inf, "maximum": 10**400}, {"type": "number"}),
    "a default that is no number": ({"type": "number", "default": math.nan}, {"type": "number"}),
    "half a surrogate pair": ({"type": "string", "title": "\ud83d"}, {**STRING, "title": "\N{REPLACEMENT CHARACTER}"}),
    "a format of its own": ({"type": "string", "format": "uri"}, STRING),
    "words of its own": ({"type": "string", "x-order": 3, "examples": ["a"], "nullable": "yes"}, STRING),
    "properties that are no properties": ({"type": "object", "properties": [1]}, {"type": "object"}),
    "properties named as words are": (
        {"type": "object", "properties": {"const": STRING, "$ref": STRING, "type": STRING}, "required": ["const"]},
        {"type": "object", "properties": {"const": STRING, "$ref": STRING, "type": STRING}, "required": ["const"]},
    ),
    "very many": ({"type": "object", "properties": {f"p{number}": STRING for number in range(6_000)}}, None),
    "very long": ({"type": "string", "description": "d" * 1_000_000, "enum": ["e" * 1_000] * 5_000}, None),
}
DEFS = {
    "Node": NODE,
    "Circle": {"$ref": "#/$defs/Circle"},
    "All": {"properties": {"a": {"allOf": [{"$ref": "#/$defs/All"}]}, "b": {"allOf": [{"$ref": "#/$defs/All"}]}}},
    "A": TWICE,
    "B": TWICE,
}


@pytest.fixture(autouse=True)
def patched() -> None:
    patch.apply()


def nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every schema in one of Google's."""
    yield schema
    for inner in (*schema.get("properties", {}).values(), *schema.get("anyOf", ())):
        yield from nodes(inner)
    if "items" in schema:
        yield from nodes(schema["items"])


def check(schema: dict[str, Any]) -> dict[str, Any]:
    """Assert that every provider takes it; returns what Google is told."""
    sent = json.dumps(schema, allow_nan=False, ensure_ascii=False).encode()
    assert len(sent) < 500_000
    if len(sent) < 10_000:
        # It takes a second for the longest.
        Draft202012Validator.check_schema(schema)
    json.dumps(sanitize_tool_input_schema(schema), allow_nan=False)
    tool = Tool(name="t", description="d", input_schema=schema)
    (told,) = GoogleConverter().convert_to_google_tools([tool])
    (function,) = told.function_declarations or ()
    function.model_dump_json(exclude_none=True)
    schema = google_schema(schema)
    seen = list(nodes(schema))
    assert len(seen) <= 3_100
    for one in seen:
        assert one.keys() == {"anyOf"} or one["type"] in TYPES
        assert set(one.get("required", ())) <= set(one.get("properties", ()))
        assert all(isinstance(value, str) and value for value in one.get("enum", ()))
        assert ("items" in one) == (one.get("type") == "array")
    return schema


@pytest.mark.parametrize("kind", PROPERTIES)
def test_a_property_is_told_in_words_that_every_provider_takes(kind: str) -> None:
    odd, told = PROPERTIES[kind]
    listed = {"name": "t", "inputSchema": {"type": "object", "properties": {"odd": odd}, "$defs": DEFS}}
    (tool,) = answered("tools/list", {"tools": [listed]})["tools"]
    schema = check(tool["inputSchema"])
    if told is not None:
        assert schema == {"type": "object", "properties": {"odd": told}}


WORDS = [
    "type",
    "properties",
    "items",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "allOf",
    "$ref",
    "required",
    "default",
    "not",
]
WORDS += ["prefixItems", "format", "minimum", "minLength", "additionalProperties", "description", "$defs", "a"]
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from([*TYPES, "#", "#/a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(WORDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(ANY, ANY)
def test_whatever_stands_in_a_schema_no_converter_raises(odd: Any, definition: Any) -> None:
    for given_schema in (odd, {"properties": {"odd": odd, "x": {"$ref": "#/$defs/a"}}, "$defs": {"a": definition}}):
        schema = input_schema(given_schema)
        if schema is not None:
            check(schema)
        google_schema(given_schema)


def test_what_is_right_stays_as_it_is() -> None:
    schema = {
        "type": "object",
        "$defs": {"Node": NODE},
        "properties": {
            "name": {"type": ["string", "null"], "minLength": 1, "pattern": "^a", "default": None},
            "tree": {"$ref": "#/$defs/Node", "description": "d"},
            "all": {"anyOf": [STRING, {"type": "array", "items": STRING}]},
            "more": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
        "required": ["name"],
        "additionalProperties": False,
    }
    assert input_schema(schema) == schema


def test_a_tool_that_cannot_be_converted_is_left_out_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    good = Tool(name="good", input_schema={"type": "object"})
    bad = Tool.model_construct(name="bad" * 200, description=3, input_schema={})
    with caplog.at_level(logging.WARNING, "cohort.runtime"):
        for _ in range(2):
            (told,) = GoogleConverter().convert_to_google_tools([bad, good])
            assert [one.name for one in told.function_declarations or ()] == ["good"]
    assert [record.message for record in caplog.records] == ["model.tool_left_out"]


TOOLS = '''
import math
from typing import Annotated, Any, Literal, Optional

from pydantic import BaseModel, Field, WithJsonSchema


class Node(BaseModel):
    value: Optional[int] = None
    next: Optional["Node"] = None


Odd = Annotated[Any, WithJsonSchema({"type": ["string", "null"], "enum": [1, None], "items": True, "x": math.nan})]


def tree(node: Node, level: Literal[1, 2], odd: Odd = None, most: float = math.inf) -> str:
    """Take a tree."""
    return f"{node.next.value} {level} {odd} {most}"
'''
CARD = (
    "---\nname: assistant\nmodel: google.gemini-2.5-flash\nservers: [odd]\nfunction_tools: [tools.py:tree]\n---\nYou.\n"
)


async def test_a_gemini_model_has_the_odd_tools_of_a_server_and_of_python(
    runtime: Open, configure: Configure, cards: Path
) -> None:
    card(cards, "tools.py", TOOLS)
    card(cards, "assistant.md", CARD)
    arguments = {"node": {"next": {"value": 7}}, "level": 2}
    calls = [("tree", arguments), ("tree", {"node": 3, "level": 5}), ("odd__hostile", {"const": 1})]
    parts = [{"functionCall": {"name": name, "args": args}} for name, args in calls]
    streams = [sse(google(part, finish="STOP")) for part in parts]
    async with Plays(*streams, sse(google({"text": "Done."}, finish="STOP"))) as plays:
        configure(
            {
                "google": {"base_url": plays.url, "api_key": "k"},
                "mcp": {"servers": {"odd": {"command": sys.executable, "args": [str(ODD)]}}},
            }
        )
        async with runtime(COHORT_LANES="1") as engine:
            answer = await engine.run(ask(1, "hello"), Screen())
    assert (answer.text, len(plays.calls)) == ("Done.", 4)
    offered = [one for tool in plays.calls[0]["tools"] for one in tool["functionDeclarations"]]
    assert len(offered) == 7
    said = [
        json.dumps(part["functionResponse"]["response"])
        for content in plays.calls[3]["contents"]
        for part in content["parts"]
        if "functionResponse" in part
    ]
    assert "7 2 None inf" in said[0]
    assert "error" in said[1]
    assert "taken" in said[2]
