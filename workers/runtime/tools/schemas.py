"""Schemas of tools' arguments, as every provider takes them: one that a provider refuses costs an agent each of its
answers (pure).

JSON Schema stays JSON Schema; what a server or a Python type says beside it goes, and its depth and length have bounds.
"""

import math
from dataclasses import dataclass
from typing import Any, cast

from tasks.text import clean

type Values = dict[str, Any]

_DEEPEST = 20
"""Schemas within one another. Google's servers read no more than 100 levels of JSON, and a schema is up to four."""
_SCHEMA = 200_000
"""Characters of one tool's schema. It goes to the model with each call."""
_EACH = 40
"""Characters that a schema counts for beside its texts."""
_TEXT = 4_096
_REFERENCES = 20
"""References that only lead to another one."""
TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
_ALIASES = {"str": "string", "text": "string", "int": "integer", "float": "number", "double": "number"}
_ALIASES.update({"bool": "boolean", "list": "array", "dict": "object", "none": "null"})
_ONE = ("items", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames")
_SEVERAL = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SCHEMAS = frozenset({*_ONE, *_SEVERAL, *_NAMED})
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_TEXTS = ("description", "title", "format", "pattern", "$schema", "$id", "$anchor", "$comment")


def input_schema(given: Any) -> Values | None:
    """A schema of an object with its properties at its top; None: it is of something else."""
    if given is not None and not isinstance(given, dict):
        return None
    schema: Values = dict(cast("Values", given or {}))
    schema = {**pointed_at(schema, schema), **schema}
    kind = schema.get("type", "object")
    if kind != "object" and not (isinstance(kind, list) and "object" in kind):
        return None
    one_of = [part for key in ("anyOf", "oneOf", "allOf") for part in _objects(schema.get(key))]
    must = [_required(part) for key in ("anyOf", "oneOf") for part in _objects(schema.get(key))]
    own = schema.get("properties")
    properties: Values = dict(cast("Values", own)) if isinstance(own, dict) else {}
    for part in one_of:
        more = {**pointed_at(part, schema), **part}.get("properties")
        properties = {**(cast("Values", more) if isinstance(more, dict) else {}), **properties}
    for part in _objects(schema.get("allOf")):
        must = must or [set[str]()]
        must = [names | _required(part) for names in must]
    needed = sorted((_required(schema) | (set.intersection(*must) if must else set())) & set(properties))
    dropped = {"anyOf", "oneOf", "allOf", "not", "enum", "const", "$ref", "required", "items"}
    top = {name: value for name, value in schema.items() if name not in dropped}
    whole = {**top, "type": "object", "properties": properties, **({"required": needed} if needed else {})}
    return mended(whole)


def mended(schema: Values) -> Values:
    """A schema with all that is in it as JSON Schema has it, within bounds."""
    return _Mending(schema).read(schema, 0)


def pointed_at(schema: Values, root: Values) -> Values:
    """What a schema that refers to another one stands for, behind all references that only lead further."""
    seen = set[str]()
    while isinstance(path := schema.get("$ref"), str) and path not in seen and len(seen) < _REFERENCES:
        seen.add(path)
        found = _found(path, root)
        if found is None:
            return {}
        if not isinstance(found.get("$ref"), str):
            return found
        schema = found
    return {}


def _found(path: str, root: Values) -> Values | None:
    if path == "#":
        return root
    if not path.startswith("#/"):
        return None
    place: Any = root
    for step in path[2:].split("/"):
        if isinstance(place, list):
            place = dict(enumerate(cast("list[Any]", place))).get(int(step)) if step.isdecimal() else None
        else:
            name = step.replace("~1", "/").replace("~0", "~")
            place = cast("Values", place).get(name) if isinstance(place, dict) else None
    return cast("Values", place) if isinstance(place, dict) else None


def _objects(value: Any) -> list[Values]:
    return [one for one in cast("list[Any]", value) if isinstance(one, dict)] if isinstance(value, list) else []


def _required(schema: Values) -> set[str]:
    names = schema.get("required")
    return {one for one in cast("list[Any]", names) if isinstance(one, str)} if isinstance(names, list) else set()


@dataclass(slots=True)
class _Mending:
    """One schema's way through; what is left of its length."""

    root: Values
    left: int = _SCHEMA

    def read(self, schema: Any, depth: int) -> Values:
        """A schema; where it is none, or too deep, or the length is used up, one that takes everything."""
        self.left -= _EACH
        if isinstance(schema, str):
            return {"type": kind} if (kind := _type(schema)) else {}
        if not isinstance(schema, dict) or depth > _DEEPEST or self.left <= 0:
            return {}
        given = cast("Values", schema)
        out: Values = {}
        for name, value in given.items():
            self._keyword(out, clean(str(name)), value, depth)
        if "properties" in out and "required" in out:
            out["required"] = [one for one in out["required"] if one in out["properties"]]
        if not out.get("required", True):
            del out["required"]
        if out.get("type") == "array" and "prefixItems" not in out:
            # A list whose items are not described is refused by OpenAI and Google.
            out.setdefault("items", {})
        return out

    def _keyword(self, out: Values, name: str, value: Any, depth: int) -> None:
        if name in ("default", "const") and value is None:
            out[name] = None
        elif (read := self._schemas(name, value, depth) if name in _SCHEMAS else self._plain(name, value)) is not None:
            out[name] = read

    def _schemas(self, name: str, value: Any, depth: int) -> Any:
        """What stands at a word that has schemas in it."""
        if name in _SEVERAL:
            return self._each(value, depth)
        if name in _NAMED:
            return self._named(value, depth)
        return self._one(name, value, depth)

    def _plain(self, name: str, value: Any) -> Any:
        """What stands at any other word."""
        if name in _NUMBERS or name in _COUNTS:
            return _number(value, whole=name in _COUNTS)
        if name in _TEXTS:
            return self._text(value)
        match name:
            case "type":
                return _types(value)
            case "$ref":
                return value if isinstance(value, str) and pointed_at({"$ref": value}, self.root) else None
            case "required":
                return sorted(map(clean, _required({"required": value}))) or None
            case "enum":
                return self._choices(value)
            case _:
                self.left -= len(name)
                return self._data(value)

    def _one(self, name: str, value: Any, depth: int) -> Values | bool | None:
        if name == "items" and isinstance(value, list):
            # Of a tuple, as older drafts say it.
            parts = self._each(cast("Any", value), depth) or [{}]
            return parts[0] if len(parts) == 1 else {"anyOf": parts}
        if name == "additionalProperties" and isinstance(value, bool):
            return value
        if name != "items" and not isinstance(value, dict):
            return None
        return self.read(value, depth + 1)

    def _each(self, value: Any, depth: int) -> list[Values] | None:
        given = cast("list[Any]", value) if isinstance(value, list) else []
        read = list[Values]()
        for one in given:
            if self.left <= 0:
                break
            read.append(self.read(one, depth + 1))
        return read or None

    def _named(self, value: Any, depth: int) -> Values | None:
        read: Values = {}
        for name, one in cast("Values", value).items() if isinstance(value, dict) else ():
            if self.left <= 0:
                break
            # False: no value is one, so there is no such property.
            if one is not False:
                self.left -= len(name)
                read[clean(str(name))] = self.read(one, depth + 1)
        return read if isinstance(value, dict) else None

    def _text(self, value: Any) -> str | None:
        if not isinstance(value, str):
            return None
        fits = clean(value[:_TEXT])
        self.left -= len(fits)
        return fits

    def _choices(self, value: Any) -> list[Any] | None:
        given = cast("list[Any]", value) if isinstance(value, list) else []
        kept = dict[str, Any]()
        for one in given:
            data = self._data(one)
            if (data is not None or one is None) and self.left > 0:
                kept.setdefault(f"{type(data).__name__} {data!r}", data)
        return list(kept.values()) or None

    def _data(self, value: Any, depth: int = 0) -> Any:
        """A JSON value; None: it is none, or it does not fit."""
        self.left -= len(value) if isinstance(value, str) else 1
        if self.left <= 0 or depth > _DEEPEST:
            return None
        if isinstance(value, str):
            return clean(value)
        if isinstance(value, dict):
            return {clean(str(name)): self._data(one, depth + 1) for name, one in cast("Values", value).items()}
        if isinstance(value, list | tuple):
            return [self._data(one, depth + 1) for one in cast("list[Any]", value)]
        return value if isinstance(value, bool) else _number(value)


def _type(value: Any) -> str | None:
    name = value.casefold() if isinstance(value, str) else ""
    name = _ALIASES.get(name, name)
    return name if name in TYPES else None


def _types(value: Any) -> str | list[str] | None:
    if not isinstance(value, list):
        return _type(value)
    names = list(dict.fromkeys(filter(None, map(_type, cast("list[Any]", value)))))
    return (names[0] if len(names) == 1 else names) or None


def _number(value: Any, *, whole: bool = False) -> float | None:
    """A number that 64 bits hold; None: it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if whole:
        return int(value) if 0 <= value < 2**63 and value == int(value) else None
    return value if abs(value) < 2**63 or isinstance(value, float) else None
