"""What a Python tool raises, as its model reads it."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest

from tasks.errors import Terminal
from workers.runtime.tools.results import clean_function


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ValueError("no such order"), "no such order"),
        (ValueError(), "ValueError"),
        (KeyError("id"), "KeyError: 'id'"),
        (ExceptionGroup("many", [ValueError("a"), KeyError("b")]), "many: a; KeyError: 'b'"),
    ],
)
def test_what_a_tool_raises_is_told_with_its_kind_where_its_words_say_nothing(raised: Exception, said: str) -> None:
    def tool() -> None:
        raise raised

    with pytest.raises((ValueError, RuntimeError), match=f"^{re.escape(said)}$"):
        clean_function(tool)()


def raises() -> None:
    raise ValueError("no order of Ann's")


def deep() -> None:
    json.loads("{Ann")


def ends() -> None:
    raise SystemExit(3)


async def later() -> None:
    raise KeyError("Ann")


def refuses() -> None:
    raise Terminal("too many notes")


@pytest.mark.parametrize(
    ("tool", "error"), [(raises, "ValueError"), (deep, "JSONDecodeError"), (ends, "SystemExit"), (later, "KeyError")]
)
async def test_the_log_names_the_line_of_a_tool_that_raised_and_not_its_words(
    tool: Callable[[], Any], error: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "cohort.runtime"), pytest.raises(Exception, match=r"Ann|Expecting|process"):
        await clean_function(tool)()
    (told,) = [vars(record) for record in caplog.records if record.message == "tool.raised"]
    assert (told["tool"], told["error"]) == (tool.__name__, error)
    assert told["where"] == f"test_tool_errors.py:{tool.__code__.co_firstlineno + 1}"
    assert "Ann" not in str(told)


def test_what_a_tool_of_ours_refuses_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "cohort.runtime"), pytest.raises(Terminal):
        clean_function(refuses)()
    assert caplog.records == []
