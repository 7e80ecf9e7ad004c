"""Reads foreign JSON: each value has the type that the Bot API promises, or the update is malformed (pure)."""

from typing import Any, cast

type Json = dict[str, Any]


class MalformedValue(ValueError):  # noqa: N818 - reads as what it is
    """An update without the shape that the Bot API promises; the message names the field, never its content."""


def clean(text: str) -> str:
    """The text without what UTF-8 cannot carry: JSON can escape half a surrogate pair, and no store takes it."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()


def part(of: Json, name: str) -> Json:
    """An object that must be there.

    Raises:
        Malformed: it is not.
    """
    found = maybe_part(of, name)
    if found is None:
        raise MalformedValue(f"{name} is missing")
    return found


def maybe_part(of: Json, name: str) -> Json | None:
    """An object that may be there.

    Raises:
        Malformed: something else is there.
    """
    found = of.get(name)
    if found is not None and not isinstance(found, dict):
        raise MalformedValue(f"{name} is no object")
    return cast("Json | None", found)


def parts(of: Json, name: str) -> list[Json]:
    """A list of objects; empty when it is not there.

    Raises:
        Malformed: something else is there.
    """
    found = of.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise MalformedValue(f"{name} is no list")
    items = cast("list[Any]", found)
    if not all(isinstance(item, dict) for item in items):
        raise MalformedValue(f"{name} is no list of objects")
    return cast("list[Json]", items)


def number(of: Json, name: str) -> int:
    """An integer that must be there.

    Raises:
        Malformed: it is not.
    """
    found = maybe_number(of, name)
    if found is None:
        raise MalformedValue(f"{name} is missing")
    return found


def maybe_number(of: Json, name: str) -> int | None:
    """An integer that may be there.

    Raises:
        Malformed: something else is there.
    """
    found = of.get(name)
    if found is not None and type(found) is not int:
        raise MalformedValue(f"{name} is no integer")
    return found


def text(of: Json, name: str) -> str:
    """A text that must be there.

    Raises:
        Malformed: it is not.
    """
    found = maybe_text(of, name)
    if found is None:
        raise MalformedValue(f"{name} is missing")
    return found


def maybe_text(of: Json, name: str) -> str | None:
    """A text that may be there.

    Raises:
        Malformed: something else is there.
    """
    found = of.get(name)
    if found is not None and not isinstance(found, str):
        raise MalformedValue(f"{name} is no text")
    return clean(found) if found is not None else None


def hint(of: Json, name: str) -> str | None:
    """A text that only decorates; a value of another type counts as absent."""
    found = of.get(name)
    return clean(found) if isinstance(found, str) else None


def hint_number(of: Json, name: str) -> int | None:
    """A number that only decorates; a value of another type counts as absent, and fractions are cut off."""
    found = of.get(name)
    if type(found) is int:
        return found
    # Not infinite, not NaN.
    return int(found) if isinstance(found, float) and abs(found) < 2**53 else None
