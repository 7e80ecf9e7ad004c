"""A picture of everything that can be reached from an object: path -> what stands there, to compare two of a kind."""

import enum
import types
from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import PurePath
from typing import Any

_PLAIN = (str, int, float, complex, bool, bytes, type(None), enum.Enum, PurePath)
_CLOSED = (
    "_asyncio", "asyncio", "_contextvars", "contextvars", "threading", "_thread", "weakref", "logging", "re", "ssl",
    "anyio", "opentelemetry", "rich", "httpx2", "httpx", "aiohttp", "openai", "typing", "types", "_abc",
)  # fmt: skip
"""Packages whose objects are their own affair: their kind stands in the picture, and nothing behind them."""

type Picture = dict[str, str]


def picture(root: object, *, shared: Iterable[object] = ()) -> Picture:
    """Everything reachable from ``root``, breadth first; behind the ``shared`` objects nothing is looked at."""
    found: Picture = {}
    seen: dict[int, str] = {id(thing): "shared" for thing in shared}
    kept: list[object] = [*shared]
    places: deque[tuple[str, Any]] = deque([("", root)])
    while places:
        path, thing = places.popleft()
        kind = type(thing)
        if isinstance(thing, (*_PLAIN, type, types.ModuleType)):
            found[path] = f"{kind.__name__} {thing!r}"
            continue
        if id(thing) in seen:
            found[path] = f"@{seen[id(thing)]}"
            continue
        seen[id(thing)] = path
        kept.append(thing)
        found[path] = f"{kind.__module__}.{kind.__qualname__}"
        if kind.__module__.split(".")[0] not in _CLOSED:
            places.extend((f"{path}{step}", value) for step, value in _steps(thing))
    return found


def _steps(thing: Any) -> Iterable[tuple[str, Any]]:
    match thing:
        case Mapping():
            yield from ((f"[{key!r}]", value) for key, value in thing.items())
        case set() | frozenset():
            yield from ((f"{{{number}}}", value) for number, value in enumerate(sorted(thing, key=_name)))
        case list() | tuple() | deque():
            yield from ((f"[{number}]", value) for number, value in enumerate(thing))
        case types.FunctionType():
            yield from ((f"<{number}>", cell.cell_contents) for number, cell in enumerate(thing.__closure__ or ()))
            yield from ((f".{name}", value) for name, value in vars(thing).items())
        case types.MethodType():
            yield ".__self__", thing.__self__
        case partial():
            yield from ((f".{name}", getattr(thing, name)) for name in ("func", "args", "keywords"))
        case _:
            yield from ((f".{name}", value) for name, value in _attributes(thing))


def _attributes(thing: Any) -> Iterable[tuple[str, Any]]:
    yield from getattr(thing, "__dict__", {}).items()
    for name in ("__pydantic_private__", "__pydantic_extra__", "__pydantic_fields_set__"):
        value = getattr(thing, name, None)
        if isinstance(value, dict | set) and value:
            yield name, value
    for kind in type(thing).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(thing, name) and not name.startswith("__"):
                yield name, getattr(thing, name)


def _name(thing: object) -> str:
    return repr(thing) if isinstance(thing, _PLAIN) else type(thing).__qualname__


def differences(before: Picture, after: Picture) -> dict[str, tuple[str | None, str | None]]:
    """Paths that stand in one alone, or differ; of a branch that is new or gone its first path only."""
    found: dict[str, tuple[str | None, str | None]] = {}
    for path in sorted({*before, *after}):
        one, other = before.get(path), after.get(path)
        if one != other and not any(path != known and path.startswith(known) for known in found):
            found[path] = (one, other)
    return found
