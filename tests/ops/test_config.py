"""``cohort config``, and the table of settings: what they show can be written into ``.env`` again."""

import re
from pathlib import Path

import pytest

from ops.commands.config import MASK, rows
from ops.context import Context
from ops.home import Home
from tasks.config.settings import Settings, env_name, load
from tasks.errors import Misconfigured
from tools import settings_table

GIVEN = {
    "COHORT_ALLOW": "1,-100",
    "COHORT_BURST": "0.25",
    "COHORT_COMMANDS": "news,weather",
    "COHORT_MODEL_READS": "generic.llava=image,pdf generic.ears=ogg",
    "COHORT_SHELL": "on",
    "COHORT_WORKERS": "auto:1..4",
}


def wrongs(environ: dict[str, str]) -> list[str]:
    try:
        load(environ)
    except Misconfigured as problem:
        return str(problem).splitlines()
    return []


def context(tmp_path: Path, given: dict[str, str]) -> Context:
    return Context(load(given), dict(given), Home(tmp_path), None)


def test_what_config_shows_can_be_written_again(tmp_path: Path) -> None:
    shown = {name: value for name, value, _ in rows(context(tmp_path, GIVEN), {}) if value != MASK}
    assert {name: shown[name] for name in GIVEN} == GIVEN
    assert load(shown) == load(GIVEN)


@pytest.mark.promise("docs-true")
def test_each_default_of_the_table_can_be_written_and_is_the_default() -> None:
    row = re.compile(r"^\| `([A-Z_]+)` \|.*?\| `([^`|]+)` \| [^|]+\|$", re.MULTILINE)
    told = dict(row.findall(settings_table.table()))
    assert "COHORT_SHELL" in told
    told.pop("COHORT_CONFIG")  # a file that is named has to be there
    told.pop("COHORT_ENV_FILE")
    assert load(told) == load({})


@pytest.mark.promise("settings-clear")
@pytest.mark.parametrize("wrong", ["maybe", "-1", "1.5", "99999999999999999999", "\u00b2", "[]"])
def test_what_is_wrong_with_a_setting_is_told_in_words_of_operators(wrong: str) -> None:
    told = [line for name in map(env_name, Settings.model_fields) for line in wrongs({name: wrong})]
    assert [line for line in told if re.search("Input should|datetime|valid |parse|boolean|integer", line)] == []
