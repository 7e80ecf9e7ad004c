"""Who takes part in an agent's answer is worked out once for its cards, and again when one of them changes."""

from types import SimpleNamespace
from typing import Any

from workers.runtime.models.card_parts import CardPart, CardParts

WRITER: dict[str, Any] = {"type": "basic"}
LEAD: dict[str, Any] = {"type": "chain", "sequence": ["writer", "editor"]}


def parts_of(fast: Any) -> CardParts:
    return CardParts(fast)


def test_a_card_that_changes_is_read_again_and_one_that_does_not_is_not() -> None:
    fast = SimpleNamespace(agents={"lead": LEAD, "writer": WRITER, "editor": {"type": "basic"}})
    parts, three = parts_of(fast), frozenset({"lead", "writer", "editor"})
    assert parts.of("lead") == CardPart(True, three, three, ("editor",), False)
    assert parts.of("lead") is parts.of("lead")
    fast.agents["lead"] = {"type": "chain", "sequence": ["writer"]}
    two = frozenset({"lead", "writer"})
    assert parts.of("lead") == CardPart(True, two, two, ("writer",), False)
    fast.agents.clear()
    fast.agents.update({"lead": {"type": "basic", "child_agents": ["writer"]}, "writer": WRITER})
    assert parts.of("lead") == CardPart(False, two, frozenset({"lead"}), ("lead",), False)
    del fast.agents["writer"]
    assert parts.of("lead") == CardPart(False, frozenset({"lead"}), frozenset({"lead"}), ("lead",), False)


def test_a_remote_agent_calls_no_model_here() -> None:
    fast = SimpleNamespace(agents={"far": {"type": "a2a"}, "all": {"type": "parallel", "fan_out": ["far"]}})
    assert [parts_of(fast).of(name).without_model for name in ("far", "all")] == [True, True]
