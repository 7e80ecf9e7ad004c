"""What a Python tool raises, as its model reads it."""

import re

import pytest

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
