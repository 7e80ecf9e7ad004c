"""What a card's entry of ``function_tools`` says to us: fast-agent 0.10.46 refuses what it does not know.

It is taken out of the entry before, and comes back as metadata of the tool.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fast_agent.tools.function_tool_config import FunctionToolSpec

from workers.runtime.durable.tool_facts import KEYS, OURS, wrong


@dataclass(frozen=True, slots=True)
class _Spec(FunctionToolSpec):
    """An entry of a card with what it says to us."""

    ours: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def metadata(self) -> dict[str, Any] | None:  # pyright: ignore[reportIncompatibleMethodOverride] - holds a mapping
        return {**(FunctionToolSpec.metadata(self) or {}), OURS: dict(self.ours)}


def taking_ours(original: Callable[..., Any]) -> Callable[..., Any]:
    def parse(raw: Any, *, field_path: str) -> Any:
        ours = {key: raw[key] for key in KEYS if key in raw} if isinstance(raw, dict) else {}
        if not ours:
            return original(raw, field_path=field_path)
        problem = wrong(ours)
        if problem is not None:
            raise ValueError(f"'{field_path}' {problem}")
        rest = original({key: value for key, value in raw.items() if key not in ours}, field_path=field_path)
        return _Spec(rest.entrypoint, rest.variant, rest.code_arg, rest.language, ours)

    return parse
