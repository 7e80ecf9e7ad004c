"""Counts of tokens that contradict themselves: fast-agent takes none of them, and the call would cost nothing.

A total that is not the sum (reasoning counted apart, say), a negative or fractional count: what can be read is counted.
"""

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from fast_agent.llm.provider_types import Provider
from fast_agent.llm.usage_tracking import CompletionTokenUsage, PromptTokenUsage, TurnUsage, UsageSchema

from workers.interfaces import tokens

_PROVIDERS = "fast_agent.llm.provider"
_TRANSLATORS = (
    (f"{_PROVIDERS}.openai.llm_openai", "usage_from_openai_chat"),
    (f"{_PROVIDERS}.openai.responses_output", "usage_from_openai_responses"),
    (f"{_PROVIDERS}.openai.openresponses", "usage_from_responses_compatible"),
    (f"{_PROVIDERS}.openai.xai_responses", "usage_from_responses_compatible"),
    (f"{_PROVIDERS}.anthropic.llm_anthropic", "usage_from_anthropic"),
    (f"{_PROVIDERS}.google.llm_google_native", "usage_from_google_generate_content"),
)
"""fast-agent 0.10.46: where each provider's count becomes a ``TurnUsage``."""

_GIVEN = ("prompt_tokens", "input_tokens", "prompt_token_count")
_MADE = ("completion_tokens", "output_tokens", "candidates_token_count")


def install() -> None:
    """For the providers that are loaded by now; again is harmless."""
    for module, name in _TRANSLATORS:
        loaded = sys.modules.get(module)
        translate = getattr(loaded, name, None)
        if translate is not None and not hasattr(translate, "__wrapped__"):
            setattr(loaded, name, _lenient(translate))


def _lenient(translate: Callable[..., TurnUsage]) -> Callable[..., TurnUsage]:
    @wraps(translate)
    def read(usage: Any, **about: Any) -> TurnUsage:
        try:
            return translate(usage, **about)
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
