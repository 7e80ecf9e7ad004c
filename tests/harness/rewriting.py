"""Writes the bytecode of the tests' files while another process loads what they need.

pytest rewrites each file's assertions and keeps the outcome. In a clean clone that is 5 s of one core, and the process
that collects the tests would begin with them only when it has loaded everything.
"""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest
from _pytest.assertion import rewrite
from _pytest.assertion.rewrite import assertstate_key


def begin(config: pytest.Config, files: Iterable[Path]) -> None:
    """Fork a process that writes what is missing, file after file. pytest may write the same one: neither waits."""
    pid = os.fork()
    if pid:
        config.add_cleanup(lambda: _ended(pid))
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        for file in files:
            _write(config, file)
    finally:
        os._exit(0)


def _ended(pid: int) -> None:
    os.waitpid(pid, 0)


def _write(config: pytest.Config, file: Path) -> None:
    cached = rewrite.get_cache_dir(file) / f"{file.stem}{rewrite.PYC_TAIL}"
    if rewrite.try_makedirs(cached.parent) and not cached.exists():
        source_hash, code = rewrite._rewrite_test(file, config)  # pyright: ignore[reportPrivateUsage]
        rewrite._write_pyc(config.stash[assertstate_key], code, source_hash, cached)  # pyright: ignore[reportPrivateUsage]
