"""The session's state hash: its field names stand in one place, for Python and for the scripts."""

import re
from pathlib import Path

import pytest

from tasks import store
from tasks.chats.choices import CHAT_CHOICES
from tasks.store.connection.redis import script
from tasks.store.state import StateField, with_fields

LUA = sorted((Path(store.__file__).parent / "lua").glob("*.lua"))


@pytest.mark.promise("atomic-steps")
@pytest.mark.parametrize("path", LUA, ids=lambda path: path.stem)
def test_a_script_names_each_field_of_the_state_as_python_does(path: Path) -> None:
    written = path.read_text()
    assert "STATE." not in script(path.stem)
    # Literal names in a call on the state would be a second place; a usage hash counts under names of its own.
    literals = re.findall(r"redis\.call\('H\w+', (?:\w+_)?state,[^\n]*?'(\w+)'", written)
    assert literals == []


@pytest.mark.promise("atomic-steps")
def test_a_field_that_is_not_there_is_no_empty_name() -> None:
    assert with_fields("HGET STATE.batch_size") == "HGET 'together'"
    with pytest.raises(KeyError):
        with_fields("STATE.batchsize")


@pytest.mark.promise("version-skew")
def test_the_names_in_redis_are_those_that_earlier_releases_read() -> None:
    assert {str(name) for name in StateField} - CHAT_CHOICES.keys() == {
        *("owner", "epoch", "tries", "commit", "journal", "history", "said", "live", "live_more", "agent", "model"),
        *("input_tokens", "output_tokens", "turns", "together", "suspects", "failed", "awaits", "moved", "fetched"),
        *("touched", "unanswered", "parked", "asked", "held", "allowed", "refused", "conversation", "start", "tongue"),
        *("waits", "resets", "heard_seconds", "spoken_characters", "stood_in", "pressed", "drafted", "told_in"),
        *("over_budget", "standing"),
    }


def test_each_choice_of_a_chat_has_its_field() -> None:
    assert CHAT_CHOICES.keys() <= {str(name) for name in StateField}
