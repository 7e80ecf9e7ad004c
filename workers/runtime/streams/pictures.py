"""What pictures cost that a tool of OpenAI's Responses API draws: the answer's own count leaves them out (pure).

A server that says what the tool used (``tool_usage``) is believed; else a picture counts as OpenAI's guide to image
generation has it, by size and quality. Google's models and servers of chat completions count pictures with the answer.
"""

import re
from collections.abc import Sequence
from typing import Any

from workers.usage import tokens

_SIZE = re.compile(r"(\d{2,4})x(\d{2,4})", re.ASCII)
_SQUARE = 1024 * 1024
_TOKENS = {"low": 272, "medium": 1056, "high": 4160}
"""Of a square of 1024 pixels, and by area of other sizes. A quality that is not named here counts as high."""
_MOST = 64
"""Pictures of one answer that are counted."""


def tokens_of_pictures(response: Any, calls: Sequence[Any]) -> tuple[int, int]:
    """Tokens that the tool read, and those that it made.

    Args:
        response: The whole response.
        calls: Its items of the kind ``image_generation_call``.
    """
    used = _field(_field(response, "tool_usage"), "image_gen")
    given, made = tokens(_field(used, "input_tokens")), tokens(_field(used, "output_tokens"))
    if given or made:
        return given, made
    return 0, sum(_estimated(call) for call in calls[:_MOST] if _field(call, "result"))


def _estimated(call: Any) -> int:
    quality, size = _field(call, "quality"), _field(call, "size")
    found = _SIZE.fullmatch(size) if isinstance(size, str) else None
    area = int(found[1]) * int(found[2]) if found is not None else _SQUARE
    square = _TOKENS.get(quality, _TOKENS["high"]) if isinstance(quality, str) else _TOKENS["high"]
    return tokens(square * area / _SQUARE)


def _field(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
