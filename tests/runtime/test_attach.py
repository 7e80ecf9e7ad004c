"""``attach``: what a tool may give, and what it reads when that is not sent."""

from collections.abc import Callable, Generator
from contextvars import copy_context
from pathlib import Path

import pytest

from cohort import attach
from tasks.errors import Misconfigured
from tasks.text import INSTEAD, utf16
from workers.outgoing import INLINE, MOST
from workers.runtime.tools.files_out import FilesOut, attaching, files_of_turn

BODY = b"x" * (INLINE + 1)
"""So large that it is kept in the state directory."""


@pytest.fixture
def turn(tmp_path: Path) -> Generator[FilesOut]:
    files = FilesOut(tmp_path / "out")
    token = files_of_turn.set(files)
    yield files
    files_of_turn.reset(token)


def kept(turn: FilesOut) -> int:
    return len([*turn.folder.glob("*")])


def test_it_works_only_inside_a_tool_call() -> None:
    with pytest.raises(Misconfigured):
        attach(b"x")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_any_kind_are_sent(turn: FilesOut, kind: Callable[[bytes], bytes]) -> None:
    with attaching() as attached:
        assert attach(kind(b"a,b"), "data.csv") == "data.csv is sent to the chat with the answer."
    assert [file.size_bytes for file in attached] == [3]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/no/such/file", "the file cannot be read."),
        ("/", "the file cannot be read."),
        ("/tmp/a\0b", "the file cannot be read."),
        ("/tmp/\ud800", "the file cannot be read."),
        ("https://example.com/a.png", "attach takes a path or bytes, no address."),
    ],
)
def test_what_cannot_be_read_is_told_to_the_tool(turn: FilesOut, path: str, said: str) -> None:
    with attaching() as attached:
        assert attach(path) == f"Not sent: {said}"
    assert attached == []


@pytest.mark.parametrize(
    ("given", "kept_as"),
    [
        ("half \ud83d", f"half {INSTEAD}"),
        ("a\0b", f"a{INSTEAD}b"),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_a_caption_is_text_that_every_store_takes(turn: FilesOut, given: str, kept_as: str) -> None:
    with attaching() as attached:
        attach(b"x", caption=given)
    assert [file.caption for file in attached] == [kept_as]


@pytest.mark.parametrize("caption", ["x" * 1_000_000, "😀" * 1000])
def test_of_a_long_caption_no_more_is_kept_than_is_sent(turn: FilesOut, caption: str) -> None:
    with attaching() as attached:
        assert attach(b"x", caption=caption).endswith("Its caption is cut at 1024 characters.")
    assert utf16(attached[0].caption) in (1023, 1024)


def test_a_thread_that_a_call_left_behind_sends_nothing_and_is_told_so(turn: FilesOut) -> None:
    with attaching() as attached:
        behind = copy_context()
    assert behind.run(attach, BODY) == "Not sent: the tool call has ended."
    assert (attached, turn.promised, kept(turn)) == ([], 0, 0)


def failing() -> None:
    with attaching():
        for _ in range(MOST):
            assert "is sent" in attach(BODY)
        raise RuntimeError


def test_a_call_that_is_ended_takes_its_files_back(turn: FilesOut) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError):
            failing()
    assert (turn.promised, turn.left_out, kept(turn)) == (0, 0, 0)
