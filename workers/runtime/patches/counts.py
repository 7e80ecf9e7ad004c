"""Counts of tokens that contradict themselves: fast-agent refuses them, and the call would cost nothing.

A total that is not the sum (reasoning counted apart, say), a negative or fractional count: what can be read is counted.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from fast_agent.llm.provider_types import Provider
from fast_agent.llm.usage_tracking import CompletionTokenUsage, PromptTokenUsage, TurnUsage, UsageSchema

from workers.usage import tokens

_GIVEN = ("prompt_tokens", "input_tokens", "prompt_token_count")
_MADE = ("completion_tokens", "output_tokens", "candidates_token_count")


def lenient(original: Callable[..., TurnUsage]) -> Callable[..., TurnUsage]:
    @wraps(original)
    def read(usage: Any, **about: Any) -> TurnUsage:
        try:
            return original(usage, **about)
        except (ValueError, TypeError, AttributeError):
            return TurnUsage(
                provider=about.get("provider", Provider.GOOGLE),
                usage_schema=UsageSchema.OPENAI_CHAT,
                model=str(about.get("model") or "unknown"),
                prompt=PromptTokenUsage(total=_first(usage, _GIVEN)),
                completion=CompletionTokenUsage(total=_first(usage, _MADE)),
            )

    return read


def _first(usage: Any, names: tuple[str, ...]) -> int:
    """The largest that is a count: providers fill one of these names."""
    said: Mapping[str, Any] = usage if isinstance(usage, Mapping) else {name: getattr(usage, name, 0) for name in names}
    return max(tokens(said.get(name, 0)) for name in names)
