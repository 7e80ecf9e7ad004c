"""What people and models wrote, on a terminal: nothing of it acts there, and what was written can be read."""

import json
import logging
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.telemetry.logs import JsonFormat, TextFormat
from tasks.text import printable

ACTS = ("Cc", "Cf", "Cs", "Zl", "Zp")
EVERY = [one for one in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(one) in ACTS]
KEPT = "\n\t\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


def test_what_acts_on_a_terminal_or_reorders_text_is_written_as_json_escapes_it() -> None:
    for one in EVERY:
        shown = printable(f"a{one}b")
        if one in KEPT:
            assert shown == f"a{one}b"
        else:
            assert shown.isascii(), repr(one)
            assert json.loads(f'"{shown}"') == f"a{one}b"


@pytest.mark.parametrize(
    "kept", ["line\nline\tcell", "naïve", "100\u00a0€", "東\u3000京", "👩\u200d💻", "می\u200cخواهم", "\ue000"]
)
def test_what_people_write_every_day_stays(kept: str) -> None:
    assert printable(kept) == kept


@given(st.text(st.characters(codec=None)))
def test_json_that_was_made_printable_says_the_same(text: str) -> None:
    shown = printable(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(shown) == {"text": text}
    assert not set(shown) & set(EVERY) - set(KEPT)


@pytest.mark.parametrize("form", [TextFormat(), JsonFormat()])
def test_no_log_line_acts_on_a_terminal_not_even_what_an_exception_says(form: logging.Formatter) -> None:
    problem = ValueError(f"\x1b[2J {''.join(EVERY)}")
    record = logging.LogRecord("cohort", logging.ERROR, "", 1, "turn.failed", (), (ValueError, problem, None))
    record.problem = "".join(EVERY)
    line = form.format(record)
    assert not set(line) & set(EVERY) - set(KEPT)
    assert "\\u001b[2J" in line
