"""JSON that each browser reads, whatever processes have published."""

import json
from math import isfinite
from typing import Any, override

from starlette.responses import JSONResponse


class JsonAnswer(JSONResponse):
    """JSON in ASCII, so that half a surrogate pair passes; a number that is none or has no end is null."""

    @override
    def render(self, content: Any) -> bytes:
        try:
            return _written(content)
        except ValueError:
            return _written(_finite(content))


def _written(content: Any) -> bytes:
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if isfinite(value) else None
        case dict():
            return {name: _finite(inside) for name, inside in value.items()}
        case list() | tuple():
            return [_finite(inside) for inside in value]
        case _:
            return value
