"""The fields of a form: what each takes from a person, and what it does not."""

from typing import Any

import pytest

from workers.runtime.asking.fields import NotAForm, NotAnAnswer, fields_of

COLOURS = {"enum": ["r", "g"], "enumNames": ["Red", "Green"]}
TITLED = {"oneOf": [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]}
SEVERAL = {"type": "array", "items": {"anyOf": TITLED["oneOf"]}, "minItems": 1, "maxItems": 1}

TAKEN: list[tuple[dict[str, Any], str, Any]] = [
    ({"type": "string"}, " Ann ", "Ann"),
    ({"type": "string", "format": "email"}, "a@b.example", "a@b.example"),
    ({"type": "string", "format": "date"}, "2026-12-31", "2026-12-31"),
    ({"type": "string", "format": "uri"}, "https://a.example/x", "https://a.example/x"),
    ({"type": "string", "format": "date-time"}, "2026-12-31T18:00:00Z", "2026-12-31T18:00:00Z"),
    ({"type": "integer", "minimum": 1}, "4", 4),
    ({"type": "number"}, "4,5", 4.5),
    ({"type": "boolean"}, "Yes", True),
    ({"type": "string", **COLOURS}, "red", "r"),
    (COLOURS, "2", "g"),
    (TITLED, "g", "g"),
    (SEVERAL, "Green", ["g"]),
    ({**SEVERAL, "maxItems": 2}, "1, Green, r", ["r", "g"]),
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"type": "string", "minLength": 2}, "a"),
    ({"type": "string", "maxLength": 2}, "abc"),
    ({"type": "string", "format": "email"}, "nobody"),
    ({"type": "string", "format": "date"}, "tomorrow"),
    ({"type": "string", "format": "uri"}, "http://[x"),
    ({"type": "integer"}, "4.5"),
    ({"type": "integer", "minimum": 1, "maximum": 3}, "4"),
    ({"type": "number"}, "nan"),
    ({"type": "number"}, "1e999"),
    ({"type": "boolean"}, "perhaps"),
    (TITLED, "3"),
    (SEVERAL, "1,2"),
    (SEVERAL, ""),
]
NO_FORMS: list[Any] = [
    {"properties": []},
    {"properties": {"a": {"type": "object"}}},
    {"properties": {"a": {"type": "array", "items": {"type": "string"}}}},
    {"properties": {"a": "text"}},
    {"properties": {"a": {"type": ["string"]}}},
    {"properties": {"a": {"enum": list(range(51))}}},
    {"properties": {str(place): {"type": "string"} for place in range(21)}},
    {"properties": {"a": {"type": "string"}}, "required": "a"},
]


@pytest.mark.parametrize(("rules", "words", "value"), TAKEN)
def test_a_field_takes_what_fits_it(rules: dict[str, Any], words: str, value: object) -> None:
    (field,) = fields_of({"properties": {"it": rules}, "required": ["it"]})
    assert field.read(words) == value
    assert type(field.read(words)) is type(value)


@pytest.mark.parametrize(("rules", "words"), REFUSED)
def test_a_field_says_what_it_takes_instead(rules: dict[str, Any], words: str) -> None:
    (field,) = fields_of({"properties": {"it": rules}})
    with pytest.raises(NotAnAnswer, match="Please"):
        field.read(words)


@pytest.mark.parametrize("schema", NO_FORMS)
def test_a_schema_that_is_no_form_is_refused(schema: object) -> None:
    with pytest.raises(NotAForm):
        fields_of(schema)
