"""Ways through fast-agent and its clients that are shorter and end at the same place.

Each takes over the plain cases of one function and leaves the rest to it: the transforming of a request's body (which
changes nothing but names, where its type has other names), the merging of a call's parameters, and deep copies of
messages.
"""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from datetime import datetime
from functools import cache, lru_cache
from importlib import import_module
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from fast_agent.types import LlmStopReason, RequestParams
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


# -- parameters

_TIMEOUT = "streaming_timeout"
"""Where neither gives it, it is no field that was set: fast-agent finds it for each call."""
_HANDLER = "tool_execution_handler"
_ALL = frozenset(RequestParams.model_fields) - {_TIMEOUT, "messages"}
"""What a merge sets. Parameters that have all of these came of one, and nothing of the defaults is left in another."""


def _parts(annotation: Any) -> set[Any]:
    return set(get_args(annotation)) if get_origin(annotation) in (Union, UnionType) else {annotation}


_PARTS = {name: _parts(field.annotation) for name, field in RequestParams.model_fields.items()}
_NAMES = tuple(_PARTS)
_WORDS = {
    name: {word for part in parts if get_origin(part) is Literal for word in get_args(part)}
    for name, parts in _PARTS.items()
}
"""Parameter -> the words that it may be."""


@lru_cache(64)
def _looked_at(kinds: tuple[type, ...]) -> tuple[str, ...] | None:
    """The parameters that have to be looked at where all are of these types; None where pydantic may change one.

    A bool is no number, and a whole number becomes a float. Of a handler that can neither be iterated over nor is made
    of fields, pydantic knows nothing.
    """
    found: list[str] = []
    for (name, parts), kind in zip(_PARTS.items(), kinds, strict=True):
        marks = ("__iter__", "__dataclass_fields__", "__pydantic_serializer__")
        if kind in parts & _SCALARS or (name == _HANDLER and not any(hasattr(kind, mark) for mark in marks)):
            continue
        if not (kind in (list, dict) or (kind is str and _WORDS[name])):
            return None
        found.append(name)
    return tuple(found)


def merging(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """``merge_request_params``: nine times a call parameters are dumped, merged and read again, eight times with what
    came of the first.
    """

    def merge_request_params(default_params: Any, provided_params: Any) -> Any:
        if type(default_params) is not RequestParams or type(provided_params) is not RequestParams:
            return original(default_params, provided_params)
        given, default, values = provided_params.model_fields_set, default_params.__dict__, provided_params.__dict__
        looked_at = _looked_at(tuple(map(type, values.values()))) if (*values,) == _NAMES else None
        if looked_at is None or not given >= _ALL:
            return original(default_params, provided_params)
        emptied: dict[str, Any] = {}
        for name in looked_at:
            value = values[name]
            if type(value) is str:
                stays = value in _WORDS[name]
            else:
                # Two that are not empty become one; one that is can be filled.
                stays, emptied[name] = not (value or default[name]), type(value)()
            if not stays:
                return original(default_params, provided_params)
        merged: Any = provided_params.model_copy()
        merged.__dict__.update(emptied)
        if _TIMEOUT not in given:
            merged.__dict__[_TIMEOUT] = default[_TIMEOUT]
            merged.model_fields_set.update({_TIMEOUT} & default_params.model_fields_set)
        return merged

    return merge_request_params


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
