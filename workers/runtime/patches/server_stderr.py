"""A stdio server's standard error goes through a pipe of which the end is kept; fast-agent gives it to /dev/null."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from workers.runtime.servers import words as server_words

_PIECE = 2**16


def piped(original: Callable[[Any], int]) -> Callable[[Any], int]:
    """``LoggerTextIO.fileno``, which the start of a process asks for, in the loop, at the moment that it starts it."""

    def fileno(self: Any) -> int:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return original(self)
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        server_words.begun(self.server_name)
        loop.add_reader(reading, _drain, loop, reading, self.server_name)
        # The process has its own by then; ours would keep the pipe open for ever.
        loop.call_soon(os.close, writing)
        return writing

    return fileno


def _drain(loop: asyncio.AbstractEventLoop, reading: int, server: str) -> None:
    try:
        said = os.read(reading, _PIECE)
    except BlockingIOError:
        return
    except OSError:
        said = b""
    if said:
        server_words.heard(server, said)
    else:
        loop.remove_reader(reading)
        os.close(reading)
