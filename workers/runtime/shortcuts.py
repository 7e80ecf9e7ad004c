"""Ways through fast-agent and its clients that are shorter and end at the same place.

Each takes over the plain cases of one function and leaves the rest to it: the transforming of a request's body (which
changes nothing but names, where its type has other names), deep copies of messages, the merging of request parameters,
and the reading of one key out of a whole configuration. Together they are a quarter of a first message's processor
time, and half of one's with ten turns before it.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from datetime import datetime
from functools import cache, partial
from importlib import import_module
from typing import Any, get_args, get_type_hints

from fast_agent.llm import fastagent_llm, provider_key_manager
from fast_agent.types import LlmStopReason, PromptMessageExtended, RequestParams
from pydantic import BaseModel

from workers.runtime.replacing import replace_once

# A provider -> where OpenAI's client, at its first call, finds what transforms that provider's bodies.
_RESOURCES = {
    "fast_agent.llm.provider.openai.llm_openai": "openai.resources.chat.completions.completions",
    "fast_agent.llm.provider.openai.responses": "openai.resources.responses.responses",
}

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
    if kind is list:
        return all(map(_plain, value))
    if kind is dict:
        return all(map(_plain, value.values()))
    return kind in _SCALARS


def _as_it_is(original: _Transform, left_out: tuple[type, ...]) -> _Transform:
    """``async_maybe_transform`` for which every body is looked up in its type's hints, all members of all unions."""

    async def async_maybe_transform(data: Any, expected_type: Any) -> Any:
        if type(data) is dict:
            given: dict[str, Any] = {key: value for key, value in data.items() if not isinstance(value, left_out)}
            if _plain(given) and not renames(expected_type):
                return given
        return await original(data, expected_type)

    return async_maybe_transform


# -- copies


def _plain_model(value: Any) -> bool:
    """Whether pydantic's way is to copy its fields."""
    kind = type(value)
    return (
        issubclass(kind, BaseModel)
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
        made.extend([_copied(item, memo) for item in value])
    elif kind is dict:
        made = memo[id(value)] = {}
        for key, item in value.items():
            made[_copied(key, memo)] = _copied(item, memo)
    elif _plain_model(value):
        made = memo[id(value)] = kind.__new__(kind)
        object.__setattr__(made, "__pydantic_extra__", _copied(value.__pydantic_extra__, memo))
        object.__setattr__(made, "__pydantic_fields_set__", set(value.__pydantic_fields_set__))
        object.__setattr__(made, "__pydantic_private__", None)
        object.__setattr__(made, "__dict__", _copied(value.__dict__, memo))
    else:
        made = deepcopy(value, memo)
    return made


def _copying(original: Callable[..., Any]) -> Callable[..., Any]:
    """``PromptMessageExtended.__deepcopy__``: fast-agent copies all of a history three times a turn."""

    def __deepcopy__(self: Any, memo: dict[int, Any] | None = None) -> Any:  # noqa: N807 - a method to be
        # ``_copied`` gives any other back to its own ``__deepcopy__``, which may be, or call, this.
        return _copied(self, {} if memo is None else memo) if _plain_model(self) else original(self, memo)

    _MODELS.add(__deepcopy__)
    return __deepcopy__


_MODELS: set[Any] = {BaseModel.__deepcopy__}


# -- parameters


def _simple(name: str, value: Any) -> bool:
    """Whether pydantic dumps it as it is, two of them are not merged into one, and a new one is made of it if it can
    change.
    """
    kind = type(value)
    if kind in _SCALARS:
        return True
    if name == "tool_execution_handler":
        return not any(hasattr(kind, mark) for mark in ("__iter__", "__dataclass_fields__", "__pydantic_serializer__"))
    if kind is list:
        return name != "response_format" and all(type(item) in _SCALARS for item in value)
    return name != "response_format" and kind is dict and not value


def _merging(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """``merge_request_params``: fast-agent does it seven times a turn, over two whole dumps."""

    def merge_request_params(default_params: Any, provided_params: Any) -> Any:
        if type(default_params) is not RequestParams or type(provided_params) is not RequestParams:
            return original(default_params, provided_params)
        default = default_params.__dict__
        given = {name: provided_params.__dict__[name] for name in provided_params.model_fields_set}
        merged = {**default, **given}
        merged.pop("messages", None)
        # An empty dictionary replaces none: it is merged into it.
        emptied = [name for name, value in given.items() if type(value) is dict and default.get(name)]
        if emptied or not all(map(_simple, merged, merged.values())):
            return original(default_params, provided_params)
        result = RequestParams(**merged)
        if "streaming_timeout" not in default_params.model_fields_set | provided_params.model_fields_set:
            result.model_fields_set.discard("streaming_timeout")
        return result

    return merge_request_params


# -- configuration


def _one_key(original: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """``_get_config_value``, which dumps the configuration of everything to look up a key."""

    def get_config_value(config: Any, key: str) -> Any:
        if isinstance(config, BaseModel):
            dumped: Mapping[str, Any] = config.model_dump(include={key})
            return dumped.get(key)
        return original(config, key)

    return get_config_value


def install() -> None:
    """In fast-agent, and in the clients that are loaded. Cheap to call again."""
    replace_once(fastagent_llm, "merge_request_params", _merging)
    replace_once(provider_key_manager, "_get_config_value", _one_key)
    replace_once(PromptMessageExtended, "__deepcopy__", _copying)
    for provider, resource in _RESOURCES.items():
        if provider in sys.modules:
            client = import_module("openai")
            wrap = partial(_as_it_is, left_out=(client.NotGiven, client.Omit))
            replace_once(import_module(resource), "async_maybe_transform", wrap)
