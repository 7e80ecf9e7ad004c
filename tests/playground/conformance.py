"""An independent opinion on the wire: aiogram's models of the Bot API judge what is sent either way.

``check_update`` takes an update as the playground (or Telegram) hands it out, ``check_request`` a call as a bot makes
it, ``check_result`` what came back, ``check_journal`` all calls of a playground's journal. Each raises
``NotConforming`` with every complaint in it.
"""

import functools
import types
import typing
from collections.abc import Iterable
from typing import Any

from aiogram import Bot, methods
from aiogram.methods.base import TelegramMethod
from aiogram.types import Update
from aiogram.types.base import TelegramObject
from pydantic import BaseModel, TypeAdapter, ValidationError

type Json = dict[str, Any]

_BOT = Bot("1:conformance")


class NotConforming(AssertionError):  # noqa: N818 - reads as the verdict
    """The Bot API's models do not know it like this."""


@functools.cache
def _names(model: type[BaseModel]) -> dict[str, str]:
    """Name on the wire -> name of the field."""
    return {str(field.alias or name): name for name, field in model.model_fields.items()}


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that a field's type allows."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if isinstance(annotation, typing.TypeAliasType):
        return _models(annotation.__value__)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated, list):
        return [model for part in typing.get_args(annotation) for model in _models(part)]
    return []


def _unknown(raw: Any, parsed: Any, where: str) -> Iterable[str]:
    """Fields in ``raw`` that the model it was parsed into does not have."""
    if isinstance(raw, list) and isinstance(parsed, list):
        for index, (one, of) in enumerate(zip(raw, parsed, strict=True)):
            yield from _unknown(one, of, f"{where}[{index}]")
    elif isinstance(raw, dict) and isinstance(parsed, BaseModel):
        names = _names(type(parsed))
        for key, value in raw.items():
            if key not in names:
                yield f"{where}.{key}: {type(parsed).__name__} has no such field"
            else:
                yield from _unknown(value, getattr(parsed, names[key]), f"{where}.{key}")
    elif isinstance(raw, dict) and not isinstance(parsed, dict):
        yield f"{where}: an object where {type(parsed).__name__} belongs"


def _check(adapter: TypeAdapter[Any], raw: Any, where: str) -> Any:
    try:
        parsed = adapter.validate_python(raw, context={"bot": _BOT})
    except ValidationError as problem:
        lines = [f"{where}.{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in problem.errors()]
        raise NotConforming("\n".join(lines)) from None
    complaints = list(_unknown(raw, parsed, where))
    if complaints:
        raise NotConforming("\n".join(complaints))
    return parsed


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def check_update(raw: Json) -> Update:
    """An update is whole, of the right types, and has no field that the Bot API does not know.

    Returns:
        The update as aiogram sees it.

    Raises:
        NotConforming: with all complaints.
    """
    update = _check(_adapter(Update), raw, "update")
    if len(raw) != 2:
        raise NotConforming(f"update: holds {sorted(raw)}, must hold update_id and one thing that happened")
    return update


@functools.cache
def _method(name: str) -> type[TelegramMethod[Any]]:
    for candidate in methods.__all__:
        model = getattr(methods, candidate)
        if str(getattr(model, "__api_method__", "")).lower() == name.lower():
            return model
    raise NotConforming(f"{name}: the Bot API has no such method")


def _unknown_params(given: Any, annotation: Any, where: str) -> Iterable[str]:
    """As ``_unknown``, by declared types: a request's unions need not be resolved, one fitting member is enough."""
    if isinstance(given, list):
        for index, one in enumerate(given):
            yield from _unknown_params(one, annotation, f"{where}[{index}]")
    elif isinstance(given, dict) and set(given) != {"file", "size"}:
        candidates = [model for model in _models(annotation) if issubclass(model, TelegramObject)]
        misfits = []
        for model in candidates:
            names = _names(model)
            misfit = [f"{where}.{key}: {model.__name__} has no such field" for key in given if key not in names]
            for key in given.keys() & names.keys():
                misfit += _unknown_params(given[key], model.model_fields[names[key]].annotation, f"{where}.{key}")
            misfits.append(misfit)
        if misfits and all(misfits):
            yield from min(misfits, key=len)


def check_request(method: str, params: Json) -> None:
    """A call names a method of the Bot API, only parameters that it has, all that it needs, and known fields inside.

    Args:
        method: in any case.
        params: as in the playground's journal: structured, an upload as ``{"file": name, "size": bytes}``.

    Raises:
        NotConforming: with all complaints.
    """
    model = _method(method)
    names = _names(model)
    # An upload that a field names by "attach://" is a part of its own.
    attached = {key for key in params if f"attach://{key}" in str(params)}
    complaints = [f"{method}: has no parameter {key}" for key in params if key not in names and key not in attached]
    for key, field in names.items():
        declared = model.model_fields[field]
        if declared.is_required() and key not in params:
            complaints.append(f"{method}: needs {key}")
        elif key in params:
            complaints += _unknown_params(params[key], declared.annotation, f"{method}.{key}")
    if complaints:
        raise NotConforming("\n".join(complaints))


def check_result(method: str, result: Any) -> Any:
    """What a method gave is of the type that the Bot API promises, with no unknown fields.

    Raises:
        NotConforming: with all complaints.
    """
    return _check(_adapter(_method(method).__returning__), result, method)


def check_journal(entries: Iterable[Json]) -> int:
    """All calls of a journal conform, whatever became of them.

    Returns:
        How many there were.

    Raises:
        NotConforming: with the complaints of every call that does not.
    """
    complaints: list[str] = []
    count = 0
    for entry in entries:
        count += 1
        try:
            check_request(entry["method"], entry["params"])
        except NotConforming as problem:
            complaints.append(f"call {entry['seq']}: {problem}")
    if complaints:
        raise NotConforming("\n".join(complaints))
    return count
