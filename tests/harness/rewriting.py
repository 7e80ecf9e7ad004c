"""Writes what is kept of the product's and the tests' files while another process loads what they need.

pytest rewrites the assertions of each file of tests and keeps the outcome: 5 s of one core in a clean clone, beside 2 s
for the bytecode of all other files, and 2 s for the constants that Hypothesis finds in the product's. The process that
collects the tests would begin with it when it has loaded everything. Which characters UTF-8 has, each process that runs
properties of text would look for, in 2 s.
"""

import os
import signal
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PyCompileError
from py_compile import compile as compiled
from types import ModuleType

import pytest
from _pytest.assertion import rewrite
from _pytest.assertion.rewrite import assertstate_key
from hypothesis.internal.charmap import charmap, intervals_from_codec
from hypothesis.internal.constants_ast import constants_from_module


def begin(config: pytest.Config, product: Sequence[Path], helpers: Iterable[Path], tests: Iterable[Path]) -> None:
    """Fork a process that writes what is missing, file after file. Another may write the same one: neither waits.

    Args:
        product: Files that Python compiles as they stand, and whose constants Hypothesis looks for.
        helpers: Files that Python compiles as they stand.
        tests: Files whose assertions pytest rewrites.
    """
    pid = os.fork()
    if pid:
        config.add_cleanup(lambda: _ended(pid))
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    warnings.simplefilter("ignore")  # Hypothesis calls it slow so early; here it is beside all else.
    try:
        for file in (*product, *helpers):
            _compile(file)
        for file in tests:
            _write(config, file)
        for file in product:
            _find_constants(file)
        charmap()
        intervals_from_codec("utf-8")
    finally:
        os._exit(0)


def _ended(pid: int) -> None:
    os.waitpid(pid, 0)


def _compile(file: Path) -> None:
    if not Path(cache_from_source(file)).exists():
        with suppress(PyCompileError):  # Who imports it is told.
            compiled(str(file), doraise=True)


def _find_constants(file: Path) -> None:
    module = ModuleType(file.stem)
    module.__file__ = str(file)
    constants_from_module(module)


def _write(config: pytest.Config, file: Path) -> None:
    cached = rewrite.get_cache_dir(file) / f"{file.stem}{rewrite.PYC_TAIL}"
    if rewrite.try_makedirs(cached.parent) and not cached.exists():
        source_hash, code = rewrite._rewrite_test(file, config)  # pyright: ignore[reportPrivateUsage]
        rewrite._write_pyc(config.stash[assertstate_key], code, source_hash, cached)  # pyright: ignore[reportPrivateUsage]
