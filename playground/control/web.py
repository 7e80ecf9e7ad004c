"""JSON in, JSON out, and errors as one sentence, for all handlers of the control API."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from playground import Json
from playground.errors import ApiError, ControlError

type Handler = Callable[[Request], Awaitable[Any]]

MAX_WAIT = 120.0
"""Seconds that a waiting request is held at most."""


async def body(request: Request) -> Json:
    """The request's JSON object; empty when there is no body.

    Raises:
        ControlError: it is something else.
    """
    raw = await request.body()
    if not raw:
        return {}
    try:
        given = json.loads(raw)
    except ValueError:
        raise ControlError("the body is no JSON") from None
    if not isinstance(given, dict):
        raise ControlError("the body must be a JSON object")
    return given


def number(value: object, name: str) -> int:
    """A number from a body or a query.

    Raises:
        ControlError: it is not a number.
    """
    try:
        return int(str(value))
    except ValueError:
        raise ControlError(f"{name} must be a number, not {value!r}") from None


def seconds(value: object) -> float:
    """How long to wait.

    Raises:
        ControlError: it is no number.
    """
    try:
        return min(max(float(str(value)), 0.0), MAX_WAIT)
    except ValueError:
        raise ControlError(f"timeout must be a number of seconds, not {value!r}") from None


def route(method: str, path: str, handler: Handler) -> Route:
    """A route whose handler returns what becomes JSON, or a Response."""

    async def endpoint(request: Request) -> Response:
        try:
            result = await handler(request)
        except ControlError as problem:
            return JSONResponse({"error": str(problem)}, problem.status)
        except ApiError as problem:
            return JSONResponse({"error": problem.description}, problem.code)
        return result if isinstance(result, Response) else JSONResponse(result)

    return Route(path, endpoint, methods=[method])
