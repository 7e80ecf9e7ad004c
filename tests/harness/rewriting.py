"""Writes the bytecode of the product and of the tests while another process loads what they need.

pytest rewrites the assertions of each file of tests and keeps the outcome: 5 s of one core in a clean clone, beside 2 s
for all other files. The process that collects the tests would begin with its files when it has loaded everything.
"""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PyCompileError
from py_compile import compile as compiled

import pytest
from _pytest.assertion import rewrite
from _pytest.assertion.rewrite import assertstate_key


def begin(config: pytest.Config, plain: Iterable[Path], files: Iterable[Path]) -> None:
    """Fork a process that writes what is missing, file after file. Another may write the same one: neither waits.

    Args:
        plain: Files that Python compiles as they stand.
        files: Files whose assertions pytest rewrites.
    """
    pid = os.fork()
    if pid:
        config.add_cleanup(lambda: _ended(pid))
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        for file in plain:
            _compile(file)
        for file in files:
            _write(config, file)
    finally:
        os._exit(0)


def _ended(pid: int) -> None:
    os.waitpid(pid, 0)


def _compile(file: Path) -> None:
    if not Path(cache_from_source(file)).exists():
        with suppress(PyCompileError):  # Who imports it is told.
            compiled(str(file), doraise=True)


def _write(config: pytest.Config, file: Path) -> None:
    cached = rewrite.get_cache_dir(file) / f"{file.stem}{rewrite.PYC_TAIL}"
    if rewrite.try_makedirs(cached.parent) and not cached.exists():
        source_hash, code = rewrite._rewrite_test(file, config)  # pyright: ignore[reportPrivateUsage]
        rewrite._write_pyc(config.stash[assertstate_key], code, source_hash, cached)  # pyright: ignore[reportPrivateUsage]
