"""What the tests of ops share: a console that can be listened to, and a supervisor with small children."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.up.process import Spec
from tests.harness.supervising import Heard


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Heard]:
    logs = tmp_path / "logs"
    logs.mkdir()
    heard = Heard(logs)
    with heard.writing():
        yield heard


def script(directory: Path, name: str, text: str, **more: object) -> Spec:
    """A child that is a small Python program; it says when it is ready."""
    path = directory / f"{name}.py"
    path.write_text(f"import os, signal, sys, threading\n{text}\n")
    return Spec(name=name, command=(sys.executable, str(path)), **more)  # type: ignore[arg-type]


PATIENT = """
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: (print("draining", flush=True), stop.set()))
print("ready", os.getpid(), os.environ.get("COHORT_INCARNATION", "-"), flush=True)
stop.wait()
print("drained", flush=True)
"""

STUBBORN = """
signal.signal(signal.SIGTERM, lambda *_: print("still at work", flush=True))
print("ready", os.getpid(), os.environ.get("COHORT_INCARNATION", "-"), flush=True)
while True:
    signal.pause()
"""
