"""Which model answers (pure)."""

from collections.abc import Mapping
from typing import Any

import pytest

from ops.model import BY_KEY, DEMO, ECHO, Given, choose, echo, key_for
from tasks.errors import Misconfigured


def given(
    *,
    model: str | None = None,
    cards: tuple[str | None, ...] = (None, None),
    config: Mapping[str, Any] | None = None,
    **environ: str,
) -> Given:
    return Given(model, environ, config or {}, cards)


def test_what_the_operator_names_wins_over_everything_else() -> None:
    choice = choose(given(model="opus", config={"default_model": "haiku"}, ANTHROPIC_API_KEY="k"))
    assert (choice.title, choice.env, choice.demo) == ("opus", {}, False)


def test_the_configuration_file_decides_before_a_key_does() -> None:
    assert choose(given(config={"default_model": "gpt-5.4"}, ANTHROPIC_API_KEY="k")).title == "gpt-5.4"
    assert choose(given(FAST_AGENT_MODEL="grok", ANTHROPIC_API_KEY="k")).title == "grok"


def test_cards_that_all_name_a_model_need_no_default() -> None:
    choice = choose(given(cards=("haiku", "gpt-5.4")))
    assert (choice.env, choice.demo) == ({}, False)


@pytest.mark.parametrize("key", sorted(BY_KEY))
def test_a_key_alone_is_enough_and_leaves_cards_their_models(key: str) -> None:
    choice = choose(given(cards=("opus", None), **{key: "k"}))
    assert choice.env == {"FAST_AGENT_MODEL": BY_KEY[key]}
    assert key in choice.why


@pytest.mark.parametrize(
    "config",
    [{"anthropic": {"api_key": "k"}}, {"anthropic": {"api_key": "<your-api-key-here>"}, "google": {"api_key": "k"}}],
)
def test_a_key_in_the_secrets_file_counts_and_a_placeholder_does_not(config: Mapping[str, Any]) -> None:
    expected = "haiku" if config["anthropic"]["api_key"] == "k" else "gemini"
    assert choose(given(config=config)).title == expected


def test_without_model_and_key_the_demo_model_answers() -> None:
    choice = choose(given())
    assert (choice.env, choice.demo) == ({"COHORT_MODEL": DEMO}, True)
    assert "ANTHROPIC_API_KEY" in choice.hint


def test_an_empty_variable_is_no_key() -> None:
    assert choose(given(ANTHROPIC_API_KEY="")).demo


def test_where_the_demo_model_cannot_run_an_echo_answers_and_says_so() -> None:
    choice = echo(choose(given()), "is not installed")
    assert choice.env == {"COHORT_MODEL": ECHO}
    assert "echoed" in choice.title
    assert "is not installed" in choice.why


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"OPENROUTER_API_KEY": "k"}, "COHORT_MODEL=openrouter.<model>"),
        ({"config": {"generic": {"base_url": "http://127.0.0.1:11434/v1"}}}, "COHORT_MODEL=generic.<model>"),
    ],
)
def test_a_provider_of_many_models_without_a_model_is_one_clear_line(more: dict[str, Any], expected: str) -> None:
    with pytest.raises(Misconfigured, match=expected):
        choose(given(**more))


def test_the_name_of_a_model_tells_its_key() -> None:
    assert key_for("haiku?reasoning=low") == "ANTHROPIC_API_KEY"
    assert key_for("responses.gpt-5.4") == "OPENAI_API_KEY"
    assert key_for(DEMO) is None
