import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.session import SessionKey

sessions = st.builds(
    SessionKey,
    bot=st.integers(1, 2**40),
    chat=st.integers(1, 2**52),
    inline=st.text("abcXYZ019_-", min_size=1, max_size=128),
) | st.builds(
    SessionKey,
    bot=st.integers(1, 2**40),
    chat=st.integers(-(2**52), 2**52),
    topic=st.none() | st.integers(0, 2**31),
    business=st.none() | st.text("abcXYZ019_-", min_size=1, max_size=20),
)


@given(sessions)
def test_a_session_reads_back_what_it_writes(session: SessionKey) -> None:
    assert SessionKey.parse(str(session)) == session


@given(sessions, sessions)
def test_two_sessions_are_never_written_alike(one: SessionKey, other: SessionKey) -> None:
    assert (str(one) == str(other)) == (one == other)


@pytest.mark.parametrize(
    "text", ["", "1", "1:", "x:1", "1:2:t", "1:2:x3", "1:2 ", "1:2:b", "1:2:b a", "1:2:t3:t4", "1:2\n", "1:2:i3"]
)
def test_what_is_no_session_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a session"):
        SessionKey.parse(text)


def test_an_older_release_reads_the_session_of_an_inline_message_as_one_that_it_can_leave() -> None:
    before = re.compile(r"\d+:-?\d+(?::t\d+)?(?::b[^:\s]+)?", re.ASCII)
    written = str(SessionKey(1, 2, inline="AAQ_-7"))
    assert before.fullmatch(written)
    assert SessionKey.parse(written).business is None
