"""A field of a card whose value has a type of another field: the check says something, and does not fall over it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.config.settings import load
from workers.runtime.cards.checks import looked_at

LISTS = ("servers", "function_tools", "agents", "skills", "approve", "mcp_connect", "tools", "request_params")
OTHERS = (
    *(
        "name",
        "type",
        "description",
        "default",
        "tool_only",
        "model",
        "resources",
        "prompts",
        "messages",
        "human_input",
    ),
    *("shell", "isolation", "tool_hooks", "lifecycle_hooks", "harness_tools", "subagents", "subagent_model", "cwd"),
    *("history_merge_target", "use_history", "api_key", "instruction", "tool_input_schema", "trim_tool_history"),
)
WRONG: tuple[Any, ...] = (7, [[1]])
MORE: tuple[Any, ...] = (1.5, True, None, "text", "", [], [7], [None], [{"a": 1}], {}, {"a": 1}, {1: 2}, {"a": [1]})


@pytest.mark.parametrize(
    ("fields", "values"),
    [(LISTS, WRONG), pytest.param((*LISTS, *OTHERS), (*WRONG, *MORE), marks=pytest.mark.soak)],
)
@pytest.mark.promise("cards-checked")
def test_a_value_of_a_wrong_type_is_a_problem_in_words_or_accepted_and_other_cards_are_checked(
    fields: tuple[str, ...], values: tuple[Any, ...], tmp_path: Path
) -> None:
    cards = tmp_path / "cards"
    cards.mkdir()
    (tmp_path / "fastagent.config.yaml").write_text("default_model: passthrough\n")
    settings = load({"COHORT_CARDS": str(cards), "COHORT_CONFIG": str(tmp_path / "fastagent.config.yaml")})
    (cards / "broken.md").write_text("---\nname: other\nservers: [nowhere]\n---\nYou.\n")
    for field in fields:
        for value in values:
            (cards / "pirate.md").write_text(f"---\n{yaml.safe_dump({'name': 'pirate', field: value})}---\nYou.\n")
            problems, _ = looked_at(settings)
            assert [one for one in problems if "nowhere" in one], (field, value)
            assert not [one for one in problems if "\n" in one], (field, value)
    (cards / "broken.md").unlink()
    for field in fields:
        for value in values:
            (cards / "pirate.md").write_text(f"---\n{yaml.safe_dump({'name': 'pirate', field: value})}---\nYou.\n")
            looked_at(settings)
