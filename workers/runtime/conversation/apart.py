"""Runs a program of ``workers.runtime.extraction`` in a process of its own: what it reads may be hostile."""

import asyncio
import importlib.util
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

TOO_LONG = -1000
"""Instead of a status: the program had its time, perhaps not its share of a core. It may do better another time."""
_TIMEOUT_S = 30.0
_ROOT = Path(__file__).parents[3]
_START = (
    "import os, sys; from importlib import import_module; sys.path[:0] = [sys.argv.pop(1)]; "
    "sys.path += sys.argv.pop(1).split(os.pathsep); import_module(sys.argv.pop(1)).run()"
)


async def run(program: str, libraries: tuple[str, ...], *arguments: str) -> tuple[int, bytes]:
    """The program's exit status and what it printed. It is killed when it takes too long, or is not wanted any more.

    Args:
        program: A module with ``run``.
        libraries: What it needs besides the standard library; it starts with their folders alone.
        arguments: The program's.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-S", "-c", _START, str(_ROOT), _folders(libraries), program, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    said, late = b"", False
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            said, _ = await process.communicate()
    except TimeoutError:
        late = True
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return TOO_LONG if late else process.returncode or 0, said


def _folders(libraries: tuple[str, ...]) -> str:
    return os.pathsep.join(dict.fromkeys(where(library) for library in libraries))


@cache
def where(library: str) -> str:
    """The folder in which a library stands; "" if it is not installed."""
    found = importlib.util.find_spec(library)
    return str(Path(found.origin).parents[1]) if found is not None and found.origin else ""
