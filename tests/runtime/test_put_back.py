"""What a tool's call changes of its process is put back: all chats of a worker share it."""

import logging
import os
import socket
import sys
from inspect import isawaitable
from pathlib import Path

import pytest

from workers.runtime.tools.results import clean_function


def test_a_tool_comes_back_to_where_it_was_though_it_raises(tmp_path: Path) -> None:
    here = Path.cwd()

    def leaves() -> None:
        os.chdir(tmp_path)
        raise ValueError(Path.cwd())

    with pytest.raises(ValueError, match=str(tmp_path)):
        clean_function(leaves)()
    assert Path.cwd() == here


@pytest.mark.parametrize("raises", [False, True])
async def test_what_all_chats_share_is_put_back_after_a_call(monkeypatch: pytest.MonkeyPatch, raises: bool) -> None:
    monkeypatch.setenv("KEY_OF_A_MODEL", "key")

    def shared() -> tuple[object, ...]:
        return (
            os.environ.get("KEY_OF_A_MODEL"),
            logging.root.manager.disable,
            socket.getdefaulttimeout(),
            sys.getrecursionlimit(),
        )

    def changes() -> None:
        monkeypatch.delenv("KEY_OF_A_MODEL")
        monkeypatch.setenv("OF_THE_TOOL", "stays")
        logging.disable(logging.CRITICAL)
        socket.setdefaulttimeout(0.001)
        sys.setrecursionlimit(sys.getrecursionlimit() + 500)
        if raises:
            raise ValueError("changed")

    async def later() -> None:
        changes()

    before = shared()
    for tool in (clean_function(changes), clean_function(later)):
        try:
            given = tool()
            await given if isawaitable(given) else None
        except ValueError:
            assert raises
        assert shared() == before
        assert os.environ["OF_THE_TOOL"] == "stays"
