"""``manifest.toml`` as values, and the shape of a thing that is replaced (docs/adr/0012)."""

import ast
import inspect
import re
import sys
import textwrap
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2s
from pathlib import Path
from typing import Any, Literal

ABSENT: Any = object()
"""Stands for a thing that the library does not have."""

_FILE = Path(__file__).with_name("manifest.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One place in another library, and what is put there."""

    target: str
    """``module:name`` of what is replaced."""
    by: str
    """``module.name``, in this package, of the function that is given the original and returns the replacement."""
    kind: Literal["needed", "speed"]
    """Why it is replaced.

    - ``needed``: for safety or correctness.
    - ``speed``: the same result in less processor time.
    """
    shapes: tuple[str, ...]
    """What the replacement is right for, as ``shape_of`` says it; ``...`` in one stands for anything."""
    reason: str
    report: str
    """The public report to the library's authors, or that there is none."""
    gain: Mapping[str, float] = field(default_factory=dict[str, float])
    """Percent of a turn's processor time, by row of docs/performance.md; of ``speed`` only."""
    lazy: bool = False
    """Whether it waits until the library is loaded: providers load theirs with their first model."""
    loaded_with: str = ""
    """The module whose loading makes a lazy patch due, where it is not the target's own."""

    @property
    def module(self) -> str:
        """The module of the target."""
        return self.target.partition(":")[0]

    @property
    def due(self) -> bool:
        """Whether it can be put in place now."""
        return not self.lazy or (self.loaded_with or self.module) in sys.modules

    @property
    def by_source(self) -> bool:
        """Whether the source of what is replaced decides, too."""
        return any("#" in shape for shape in self.shapes)

    def fits(self, seen: str) -> bool:
        """Whether the replacement is right for a shape."""
        return any(_pattern(shape).fullmatch(seen) for shape in self.shapes)


@cache
def _pattern(shape: str) -> re.Pattern[str]:
    return re.compile(re.escape(shape).replace(r"\.\.\.", ".*"))


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text())


def tried() -> tuple[str, ...]:
    """The releases of fast-agent that all patches were tried with, oldest first."""
    return tuple(_read()["tried"])


@cache
def patches() -> tuple[Patch, ...]:
    """Every patch, in the order in which they are put in place."""
    return tuple(
        Patch(target=target, shapes=(shape,) if isinstance(shape := entry["shape"], str) else tuple(shape), **about)
        for entry in _read()["patch"]
        for about in [{name: value for name, value in entry.items() if name not in {"targets", "shape"}}]
        for target in entry["targets"]
    )


def shape_of(found: Any, *, with_source: bool = False) -> str:
    """What a replacement depends on: the kind of a thing, the names of its parameters, a hash of its source.

    Annotations, defaults, comments and docstrings do not count: they change while the behaviour stays.
    """
    if found is ABSENT:
        return "absent"
    if not (inspect.isroutine(found) or isinstance(found, type)):
        return type(found).__name__
    kind = "class" if isinstance(found, type) else "def"
    if inspect.iscoroutinefunction(found):
        kind = "async"
    elif inspect.isasyncgenfunction(found):
        kind = "async generator"
    empty = inspect.Parameter.empty
    taken = inspect.signature(found).parameters.values()
    shape = f"{kind} {inspect.Signature([one.replace(annotation=empty, default=empty) for one in taken])}"
    return f"{shape} #{_hash(found)}" if with_source else shape


def _hash(function: Any) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        # Compiled, or in the middle of an expression.
        return "unknown"
    body: Any = tree.body[0]
    if isinstance(body, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(body) is not None:
        del body.body[0]
    return blake2s(ast.unparse(tree).encode(), digest_size=5).hexdigest()
