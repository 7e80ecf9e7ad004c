"""What a server's program says at its end is kept, bounded, and without secrets."""

import os

import pytest

from workers.runtime.servers import words as server_words
from workers.runtime.servers.words import begun, heard, last


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("one\ntwo\n\n", "two"),
        ("\x1b[1;31mError:\x1b[0m no\r\n", "Error: no"),
        ("key: sk-proj-abc is refused", "key: ••• is refused"),
        ("OPENAI_API_KEY=abc", "OPENAI_API_KEY=•••"),
        ('{"password": "x", "a": 1}', '{"password": ••• "a": 1}'),
        ("postgres://me:pw@db/x: refused", "postgres://•••@db/x: refused"),
        ("Authorization: Bearer abc", "Authorization: ••• •••"),
        ("at ghp_0123456789abcdefghijKLMN", "at •••"),
        ("Cannot find module '@modelcontextprotocol/sdk'", "Cannot find module '@modelcontextprotocol/sdk'"),
        ("x " * 1_000, "x " * 99 + "x…"),
        ("\n \n", ""),
    ],
)
def test_the_last_line_is_shown_without_what_may_be_a_secret(said: str, shown: str) -> None:
    begun("s")
    heard("s", said.encode())
    assert last("s") == shown


def test_little_is_kept_of_much_and_of_many() -> None:
    for _ in range(100):
        heard("s", os.urandom(2**16))
    heard("s", b"\nthe end\n")
    assert last("s") == "the end"
    for number in range(1_000):
        heard(f"server-{number}", b"x")
    assert sum(map(len, server_words.kept.values())) < 2**21
    assert (last("server-0"), last("server-999"), last("none")) == ("", "x", "")
    begun("server-999")
    assert last("server-999") == ""
