"""A tool's schema as Google takes it: a few words of JSON Schema, no references, one type each (pure).

Its client refuses a word that it does not know, and its servers a choice that is no text, a required property that is
not there, a format of their own liking, and anything beside ``anyOf``.
"""

import json
from dataclasses import dataclass
from typing import Any, cast

from workers.runtime.tools.schemas import TYPES, Values, input_schema, mended, pointed_at

_SCHEMAS = 3_000
"""In one tool's, references replaced by what they refer to: two that refer to each other twice double at each step."""
_DEEPEST = 20
_SAID = 1_000
"""Characters of choices that are said in words."""
_TELLING = frozenset({"type", "properties", "items", "enum", "const", "$ref", "anyOf", "oneOf", "allOf"})
"""Words of which one says what a value is."""
_ANY = ("title", "default")
_KEPT = {
    "string": (*_ANY, "minLength", "maxLength", "pattern"),
    "number": (*_ANY, "minimum", "maximum"),
    "integer": (*_ANY, "minimum", "maximum"),
    "array": (*_ANY, "minItems", "maxItems"),
}
_FORMATS = {
    "string": ("enum", "date-time"),
    "number": ("float", "double"),
    "integer": ("int32", "int64"),
}


def google_schema(given: Any) -> Values:
    """A schema of JSON Schema in Google's words."""
    root = input_schema(given)
    if root is None:
        root = mended(cast("Values", given) if isinstance(given, dict) else {})
    return _Wording(root).read(root, ())


@dataclass(slots=True)
class _Wording:
    root: Values
    left: int = _SCHEMAS

    def read(self, schema: Values, within: tuple[str, ...], depth: int = 0) -> Values:
        """A schema. ``within``: the references that led to it."""
        self.left -= 1
        path = schema.get("$ref")
        if isinstance(path, str):
            own = {name: value for name, value in schema.items() if name != "$ref"}
            target = pointed_at(schema, self.root)
            if path in within:
                return _with_description({"type": _plain_type(target, "object")}, own)
            return self.read({**target, **own}, (*within, path), depth)
        if self.left <= 0 or depth > _DEEPEST:
            return {"type": _plain_type(schema)}
        for part in schema.get("allOf", ()):
            if (path := part.get("$ref")) not in within:
                schema = _merged(schema, {**pointed_at(part, self.root), **part})
                within = within if path is None else (*within, path)
        branches, nullable = self._branches(schema)
        if branches:
            return self._one_of(schema, branches, within, depth, nullable=nullable)
        kind, empty = _kind(schema)
        out = _with_description({"type": kind}, schema)
        out |= {name: schema[name] for name in _KEPT.get(kind, _ANY) if name in schema}
        if schema.get("format") in _FORMATS.get(kind, ()):
            out["format"] = schema["format"]
        if kind == "object":
            self._object(out, schema, within, depth)
        if kind == "array":
            out["items"] = self.read(_items(schema), within, depth + 1)
        empty = _choices(out, schema) or empty or nullable
        return {**out, "nullable": True} if empty else out

    def _branches(self, schema: Values) -> tuple[list[Values], bool]:
        """What a value is one of, and whether it may be null; none: the schema says by itself what a value is."""
        kinds = schema.get("type")
        if isinstance(kinds, list):
            named = [one for one in cast("list[str]", kinds) if one != "null"]
            rest = {name: value for name, value in schema.items() if name not in ("type", "description", "default")}
            several = [{**rest, "type": one} for one in named]
            return (several if len(several) > 1 else []), "null" in kinds
        parts = [part for key in ("anyOf", "oneOf") for part in schema.get(key, ())]
        full = [part for part in parts if part.get("type") != "null"]
        told = [part for part in full if not _TELLING.isdisjoint(part)]
        if kinds not in (None, "object") or schema.get("properties"):
            return [], len(full) < len(parts)
        return told, len(full) < len(parts)

    def _one_of(
        self, schema: Values, branches: list[Values], within: tuple[str, ...], depth: int, *, nullable: bool
    ) -> Values:
        rest = {name: value for name, value in schema.items() if name in ("description", "title", "default")}
        if len(branches) == 1:
            read = self.read({**branches[0], **rest}, within, depth + 1)
            return {**read, "nullable": True} if nullable else read
        read = [self.read(one, within, depth + 1) for one in branches if self.left > 0] or [{"type": "string"}]
        if nullable:
            read = [{**one, "nullable": True} for one in read]
        # Nothing may stand beside it.
        read[0] = _with_description(read[0], rest)
        return {"anyOf": read}

    def _object(self, out: Values, schema: Values, within: tuple[str, ...], depth: int) -> None:
        properties: Values = {}
        for name, one in schema.get("properties", {}).items():
            if self.left <= 0:
                break
            properties[name] = self.read(one, within, depth + 1)
        if "properties" in schema:
            out["properties"] = properties
        needed = [name for name in schema.get("required", ()) if name in properties]
        if needed:
            out["required"] = needed


def _merged(schema: Values, part: Values) -> Values:
    properties = {**part.get("properties", {}), **schema.get("properties", {})}
    needed = sorted({*part.get("required", ()), *schema.get("required", ())})
    whole = {name: value for name, value in {**part, **schema}.items() if name not in ("allOf", "$ref")}
    whole |= {"properties": properties} if properties else {}
    return whole | ({"required": needed} if needed else {})


def _with_description(out: Values, schema: Values) -> Values:
    said = schema.get("description")
    return {**out, "description": said} if said and not out.get("description") else out


def _plain_type(schema: Values, otherwise: str = "string") -> str:
    kind = schema.get("type")
    return kind if isinstance(kind, str) and kind not in ("array", "null") else otherwise


def _kind(schema: Values) -> tuple[str, bool]:
    """The type, and whether null is one of its values."""
    kinds = schema.get("type")
    named = [one for one in cast("list[str]", kinds if isinstance(kinds, list) else [kinds]) if one in TYPES]
    real = [one for one in named if one != "null"]
    if real:
        return real[0], "null" in named
    for word, kind in (("properties", "object"), ("items", "array"), ("prefixItems", "array")):
        if word in schema:
            return kind, "null" in named
    values = _values(schema)
    kinds_of = {type(one) for one in values if one is not None}
    known = {bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
    return (known.get(kinds_of.pop(), "string") if len(kinds_of) == 1 else "string"), "null" in named


def _values(schema: Values) -> list[Any]:
    """The values to choose from; none: there is no choice of them."""
    return schema.get("enum", [schema["const"]] if "const" in schema else [])


def _items(schema: Values) -> Values:
    if "items" in schema:
        return schema["items"]
    parts = schema.get("prefixItems", [])
    return parts[0] if len(parts) == 1 else {"anyOf": parts} if parts else {}


def _choices(out: Values, schema: Values) -> bool:
    """Set the values to choose from: texts as they are, others in words. Return whether null is one."""
    values = _values(schema)
    real = [one for one in values if one is not None]
    if real and out["type"] == "string" and all(isinstance(one, str) and one for one in real):
        out["enum"] = real
    elif real:
        words = ", ".join(json.dumps(one, ensure_ascii=False) for one in real)[:_SAID]
        out["description"] = f"{out.get('description', '')} One of: {words}".strip()
    return len(real) < len(values)
