"""What a card and its entries of ``function_tools`` say to us: fast-agent 0.10.46 refuses what it does not know.

Of an entry it is taken out before, and comes back as metadata of the tool; ``approve`` of a card stands in the agent's
configuration afterwards. Cards whose type calls no tools may not have it: it would protect no call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fast_agent.core.exceptions import AgentConfigError
from fast_agent.tools.function_tool_config import FunctionToolSpec

from workers.runtime.durable.tool_facts import CARD_MARK, KEYS, OURS, wrong

_APPROVE = "approve"
_CALLS_TOOLS = frozenset({"agent", "smart"})


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


def with_approval(original: Callable[..., Any]) -> Callable[..., Any]:
    def build(path: Path, raw: dict[str, Any], *, body: str | None, remote_source: str | None = None) -> Any:
        rest = _without_approval(raw)
        loaded = original(path, rest, body=body, remote_source=remote_source)
        if len(rest) < len(raw):
            problem = wrong({_APPROVE: raw[_APPROVE]})
            if problem is not None:
                raise AgentConfigError(f"'{_APPROVE}': {problem} in {path}")
            loaded.agent_data["config"].__dict__[CARD_MARK] = raw[_APPROVE]
        return loaded

    return build


def scanned(original: Callable[[Path], tuple[dict[str, Any], str | None]]) -> Callable[[Path], Any]:
    """The check looks at names of fields alone; ``with_approval`` says what is wrong with this one."""

    def load(card_path: Path) -> tuple[dict[str, Any], str | None]:
        raw, body = original(card_path)
        return _without_approval(raw), body

    return load


def _without_approval(raw: dict[str, Any]) -> dict[str, Any]:
    if str(raw.get("type") or "agent").strip().casefold() not in _CALLS_TOOLS:
        return raw
    return {key: value for key, value in raw.items() if key != _APPROVE}
