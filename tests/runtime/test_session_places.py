"""The directory and the name that a session has for its own MCP servers: whatever its parts hold."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.session import SessionKey
from tasks.session_files import place, slug
from tests.runtime.conftest import SERVER
from tests.runtime.support import Open, Screen, ask
from tests.runtime.test_mcp import told

FOREIGN = (
    "..",
    "../../../etc",
    "/etc/passwd",
    ".",
    "AbC-_9",
    "abc-_9",
    "{workdir}",
    "a b",
    "x" * 5000,
    "\udcff",
    "-rf",
)


@pytest.mark.promise("servers-per-session")
@given(st.integers(), st.none() | st.integers(0), st.none() | st.text(min_size=1))
def test_a_session_is_named_by_digits_small_letters_and_two_signs(
    chat: int, topic: int | None, business: str | None
) -> None:
    named = slug(SessionKey(42, chat, topic, business))
    assert re.fullmatch(r"42_-?\d+(_t\d+)?(_h[0-9a-f]{20})?", named)
    assert ("_h" in named) == (business is not None)


@pytest.mark.promise("servers-per-session")
def test_each_session_has_a_place_of_its_own_below_the_home(tmp_path: Path) -> None:
    sessions = [SessionKey(42, 5, None, business) for business in FOREIGN]
    sessions += [SessionKey(42, 5), SessionKey(42, 5, 7), SessionKey(42, -5), SessionKey(4, 25)]
    places = [place(tmp_path, session) for session in sessions]
    assert len({str(found).lower() for found in places}) == len(sessions)
    assert {found.parent for found in places} == {tmp_path / "sessions"}
    assert len(list((tmp_path / "sessions").iterdir())) == len(sessions)


def test_the_places_of_plain_sessions_stay_what_they_were() -> None:
    assert slug(SessionKey(42, -1005, 7)) == "42_-1005_t7"
    assert slug(SessionKey(42, 5)) == "42_5"


def test_a_place_that_an_earlier_release_named_is_taken_over_once(tmp_path: Path) -> None:
    former = tmp_path / "sessions" / "42_5_bAbC-_9"
    former.mkdir(parents=True)
    (former / "memory.json").write_text("what the server kept")
    own = place(tmp_path, SessionKey(42, 5, None, "AbC-_9"))
    assert (own / "memory.json").read_text() == "what the server kept"
    former.mkdir()
    assert place(tmp_path, SessionKey(42, 5, None, "AbC-_9")) == own
    assert (own / "memory.json").exists()


@pytest.mark.promise("servers-per-session")
async def test_a_server_of_a_business_chat_is_told_nothing_that_its_customer_could_have_written(
    runtime: Open, serve, tmp_path: Path
) -> None:
    serve("own", env={"STORE": "{workdir}/notes.txt"}, args=[str(SERVER), "for-{session}"], isolation="chat")
    session = SessionKey(42, 1, None, "../../../escaped")
    asked = replace(ask(1, "CALL:whoami"), session=session)
    async with runtime(COHORT_LANES="1") as engine:
        who = told((await engine.run(asked, Screen())).text)
    assert who["args"] == [f"for-{slug(session)}"]
    assert Path(str(who["store"])).is_relative_to(tmp_path)
    assert Path(str(who["store"])).parent.name == slug(session)
