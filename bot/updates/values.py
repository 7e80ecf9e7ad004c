"""Single values of foreign JSON as types that pydantic reads: what must be right, and what only decorates (pure)."""

from typing import Annotated, Any, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    Strict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

_EXACT = 2**53
"""Floats below it have all their digits; infinity and NaN are not below it."""


class Object(BaseModel):
    """An object of the Bot API: the fields that the bot reads, and no other."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def clean(text: str) -> str:
    """The text without what UTF-8 cannot carry: JSON can escape half a surrogate pair, and no store takes it."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()


def or_empty(value: object) -> object:
    """The object, or an empty one in place of what is none."""
    return cast("object", value) if isinstance(value, dict) else {}


def _cleaned(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


def _hint(value: object) -> str | None:
    if isinstance(value, str):
        return value if value.isascii() else clean(value)
    return None


def _hint_number(value: object) -> int | None:
    if type(value) is int:
        return value
    return int(value) if isinstance(value, float) and abs(value) < _EXACT else None


def _plain(value: object) -> str:
    return clean(str(value)) if isinstance(value, str | int | float) else "?"


def _is_true(value: object) -> bool:
    return value is True


def _present(_value: object) -> bool:
    return True


def listed(value: object) -> list[Any]:
    """The lists of a list, without what is none."""
    return [item for item in cast("list[Any]", value) if isinstance(item, list)] if isinstance(value, list) else []


def _objects(value: object) -> list[Any]:
    return [item for item in cast("list[Any]", value) if isinstance(item, dict)] if isinstance(value, list) else []


def _numbers(value: object) -> tuple[int, ...]:
    found = cast("list[Any]", value) if isinstance(value, list) else []
    return tuple(number for number in found if type(number) is int)


def _there(value: object) -> object:
    if value is None:
        raise PydanticCustomError("missing", "is missing")
    return value


def _or_none(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


type Number = Annotated[int, Strict()]
"""An integer that the meaning depends on."""

type CleanText = Annotated[str, BeforeValidator(_cleaned)]
"""A text that the meaning depends on."""

type Hint = Annotated[str | None, PlainValidator(_hint)]
"""A text that only decorates; a value of another type counts as absent."""

type HintNumber = Annotated[int | None, PlainValidator(_hint_number)]
"""A number that only decorates, without its fraction; a value of another type counts as absent."""

type Plain = Annotated[str, PlainValidator(_plain)]
"""A text or a number as it is shown; "?" in place of anything else."""

type Flag = Annotated[bool, PlainValidator(_is_true)]
"""Whether Telegram says true."""

type Present = Annotated[bool, PlainValidator(_present)]
"""Whether the field is there, whatever it holds."""

type Maybe[T] = Annotated[T | None, WrapValidator(_or_none)]
"""An object that only decorates; one of another shape counts as absent."""

type Objects[T] = Annotated[tuple[T, ...], BeforeValidator(_objects)]
"""The objects of a list, without what is none."""

type Numbers = Annotated[tuple[int, ...], PlainValidator(_numbers)]
"""The integers of a list, without what is none."""

type UpdateKind[T] = Annotated[T | None, BeforeValidator(_there)]
"""A kind of update: where its field is, its object is, too."""
