"""Tools as Google's models are told of them: the schema of one costs no other, and no turn."""

import logging
from collections.abc import Callable
from typing import Any

from workers.runtime.tools.google_schemas import google_schema

log = logging.getLogger("cohort.runtime")

_MOST_TOLD = 1_000


def worded(_: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """``GoogleConverter._clean_schema_for_google``."""

    def clean_schema_for_google(self: Any, schema: Any) -> dict[str, Any]:  # noqa: ARG001 - fast-agent's
        return google_schema(schema)

    return clean_schema_for_google


def each(original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """``GoogleConverter.convert_to_google_tools``, one tool at a time."""
    told = set[str]()

    def convert_to_google_tools(self: Any, tools: list[Any]) -> list[Any]:
        converted = list[Any]()
        for tool in tools:
            try:
                converted += original(self, [tool])
            except (ValueError, TypeError, AttributeError, RecursionError) as problem:
                # It is so at each call of a model, and is told once.
                if tool.name not in told and len(told) < _MOST_TOLD:
                    told.add(tool.name)
                    log.warning("model.tool_left_out", extra={"tool": tool.name, "error": type(problem).__name__})
        return converted

    return convert_to_google_tools
