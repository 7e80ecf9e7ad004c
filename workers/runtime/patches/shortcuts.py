"""Ways through fast-agent and its clients that are shorter and end at the same place.

Each takes over the plain cases of one function and leaves the rest to it: the transforming of a request's body (which
changes nothing but names, where its type has other names), and deep copies of messages.
"""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any, get_args, get_type_hints

from fast_agent.types import LlmStopReason
from pydantic import BaseModel

_SCALARS = frozenset({str, int, float, bool, type(None)})
_NEVER_COPIED = _SCALARS | {bytes, datetime, LlmStopReason}

type _Transform = Callable[[Any, Any], Awaitable[Any]]


# -- bodies


@cache
def renames(body: Any) -> bool:
    """Whether a key of a body of this type, however deep, is sent under another name."""
    seen: dict[int, Any] = {}
    places = [body]
    while places:
        place = places.pop()
        if id(place) in seen:
            continue
        seen[id(place)] = place
        if any(getattr(mark, "alias", None) is not None for mark in getattr(place, "__metadata__", ())):
            return True
        places.extend(get_args(place))
        # ``typing.is_typeddict`` does not know those of typing_extensions.
        if hasattr(place, "__required_keys__"):
            places.extend(get_type_hints(place, include_extras=True).values())
    return False


def _plain(value: Any) -> bool:
    """Whether JSON has it: then its transforming is about names only."""
    kind = type(value)
    if kind is dict:
        value = value.values()
    elif kind is not list and kind is not _Unquoted:
        return kind in _SCALARS
    # Most are texts and numbers: no call for each.
    return all(map(_plain, [one for one in value if type(one) not in _SCALARS]))


def as_it_is(original: _Transform) -> _Transform:
    """``async_maybe_transform`` for which every body is looked up in its type's hints, all members of all unions."""
    openai = import_module("openai")
    left_out = (openai.NotGiven, openai.Omit)

    async def async_maybe_transform(data: Any, expected_type: Any) -> Any:
        if type(data) is dict:
            given: dict[str, Any] = {key: value for key, value in data.items() if not isinstance(value, left_out)}
            if _plain(given) and not renames(expected_type):
                return given
        return await original(data, expected_type)

    return async_maybe_transform


class _Unquoted(list[Any]):
    """Messages that do not come into a text by accident."""

    def __repr__(self) -> str:
        return f"[{len(self)} messages]"


def unquoted(original: Callable[..., Awaitable[list[Any]]]) -> Callable[..., Awaitable[list[Any]]]:
    """``OpenAILLM._normalize_chat_completion_files``: what it gives becomes a debug event's text, pictures and all."""

    async def normalize(self: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return _Unquoted(await original(self, *args, **kwargs))

    return normalize


# -- copies


def _plain_model(value: Any) -> bool:
    """Whether pydantic's way is to copy its fields."""
    kind = type(value)
    return (
        # Not ``issubclass``, which asks pydantic's metaclass.
        BaseModel in kind.__mro__
        and kind.__deepcopy__ in _MODELS
        and getattr(value, "__pydantic_private__", None) is None
    )


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """``copy.deepcopy`` of what messages are made of."""
    kind: Any = type(value)
    if kind in _NEVER_COPIED:
        return value
    if id(value) in memo:
        return memo[id(value)]
    made: Any
    if kind is list:
        made = memo[id(value)] = []
        # Most are texts and numbers: a call for each would be most of the copy's time.
        made.extend([item if type(item) in _NEVER_COPIED else _copied(item, memo) for item in value])
    elif kind is dict:
        made = memo[id(value)] = {}
        for key, item in value.items():
            copy = item if type(item) in _NEVER_COPIED else _copied(item, memo)
            made[key if type(key) in _NEVER_COPIED else _copied(key, memo)] = copy
    elif _plain_model(value):
        made = memo[id(value)] = kind.__new__(kind)
        extra = value.__pydantic_extra__
        object.__setattr__(made, "__pydantic_extra__", None if extra is None else _copied(extra, memo))
        object.__setattr__(made, "__pydantic_fields_set__", set(value.__pydantic_fields_set__))
        object.__setattr__(made, "__pydantic_private__", None)
        fields = {
            name: item if type(item) in _NEVER_COPIED else _copied(item, memo) for name, item in value.__dict__.items()
        }
        object.__setattr__(made, "__dict__", fields)
    else:
        made = deepcopy(value, memo)
    return made


def copying(original: Callable[..., Any]) -> Callable[..., Any]:
    """``PromptMessageExtended.__deepcopy__``: fast-agent copies all of a history three times a turn."""

    def __deepcopy__(self: Any, memo: dict[int, Any] | None = None) -> Any:  # noqa: N807 - a method to be
        # ``_copied`` gives any other back to its own ``__deepcopy__``, which may be, or call, this.
        return _copied(self, {} if memo is None else memo) if _plain_model(self) else original(self, memo)

    _MODELS.add(__deepcopy__)
    return __deepcopy__


_MODELS: set[Any] = {BaseModel.__deepcopy__}
