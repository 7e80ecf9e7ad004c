"""What a provider's error says beside its HTTP status: a code in words, and when to come again (pure)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from tasks.http.retry_after import sane
from tasks.text import is_digits

_DIGITS = 3
_STATUSES = {
    "rate_limit": 429,
    "resource_exhausted": 429,
    "slow_down": 429,
    "quota": 402,
    "billing": 402,
    "overloaded": 529,
    "unavailable": 503,
    "authentication": 401,
    "api_key": 401,
    "unauthorized": 401,
    "permission": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "too_large": 413,
    "timeout": 504,
    "server_error": 500,
    "api_error": 500,
    "invalid_request": 400,
    "invalid_image": 400,
}
"""By words of an error's code or type, where it has no number."""
_NAMES = ("code", "error_code", "diagnostic_error_code", "status", "type")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_AGAIN = re.compile(
    r"(?:try again|retry|retrydelay)\W{0,6}(?:in|after)?\W{0,3}"
    r"((?:\d{1,9}(?:\.\d{1,9})?\s?(?:ms|h|m|s)[a-z]{0,8}\W{0,2}){1,4})"
)
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s?(ms|h|m|s)")


def status_of(*words: object) -> int | None:
    """The HTTP status that an error's code or type stands for; None where it says nothing known."""
    return next((status for word in words if (status := _status(word)) is not None), None)


def status_in(said: Any) -> int | None:
    """The same of an error, or of an exception that has one."""
    return status_of(*(word for name in _NAMES for word in _values(said, name)))


def wait_said(text: str) -> float:
    """Seconds until it wants to be asked again by its words, in small letters: "please try again in 6m0s"."""
    found = _AGAIN.search(text)
    return sane(sum(float(count) * _UNITS[unit] for count, unit in _TIME.findall(found[1]))) if found else 0.0


def _values(said: Any, name: str) -> Iterator[object]:
    for part in _parts(said):
        yield part.get(name) if isinstance(part, Mapping) else getattr(part, name, None)


def _parts(said: Any) -> Iterable[Any]:
    """An exception or an object, its body, and the error within that."""
    body: Any = said if isinstance(said, Mapping) else getattr(said, "body", None)
    error: Any = body.get("error") if isinstance(body, Mapping) else None
    return [part for part in (error, body, said) if part is not None]


def _status(word: object) -> int | None:
    if isinstance(word, int) or (isinstance(word, str) and is_digits(word)):
        number = int(word) if len(str(word)) == _DIGITS else 0
        return number if number >= HTTPStatus.BAD_REQUEST else None
    if not isinstance(word, str):
        return None
    return next((status for part, status in _STATUSES.items() if part in word.casefold()), None)
