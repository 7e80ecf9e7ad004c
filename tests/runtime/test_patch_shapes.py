"""Shapes: what of a part of another library is looked at before it is replaced."""

import inspect
from collections.abc import Iterator

from workers.runtime.patches.manifest import shape_of

# -- shapes


class Kinds:
    async def waits(self, one: int, *, two: str = "x") -> None: ...

    async def gives(self) -> Iterator[int]:  # type: ignore[misc]
        yield 1


def one(value):
    """Adds one."""
    return value + 1  # at once


def two(value: int) -> int:
    return value + 1


def three(value: int) -> int:
    return value + 2


def test_a_shape_is_kind_and_parameters_and_where_asked_for_what_the_source_does() -> None:
    assert shape_of(Kinds.waits) == "async (self, one, *, two)"
    assert shape_of(Kinds.gives) == "async generator (self)"
    assert shape_of("x") == "str"
    assert shape_of(Kinds) == "class ()"

    def source(function: object) -> str:
        return shape_of(function, with_source=True)

    named = inspect.getsource(two).replace("two", "one")
    assert named != inspect.getsource(one)
    assert source(two) != source(three)
    assert source(one).startswith("def (value) #")


def test_the_source_of_what_is_compiled_or_no_definition_has_a_hash_too() -> None:
    assert shape_of(len, with_source=True) == "def (obj, /) #unknown"
    assert shape_of(lambda value: value, with_source=True).startswith("def (value) #")
