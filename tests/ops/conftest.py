"""What the tests of ops share: a console that can be listened to, and a supervisor with small children."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.up.process import Spec
from tests.harness.supervising import ConsoleSpy


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleSpy]:
    logs = tmp_path / "logs"
    logs.mkdir()
    spy = ConsoleSpy(logs)
    with spy.writing():
        yield spy


def script(directory: Path, name: str, text: str, **more: object) -> Spec:
    """A child that is a small Python program; it says when it is ready."""
    path = directory / f"{name}.py"
    path.write_text(f"import os, queue, signal, sys\n{SAY}\n{text}\n")
    return Spec(name=name, command=(sys.executable, str(path)), **more)  # type: ignore[arg-type]


# A handler may run within any line of its program: locks that the line holds (`threading.Event`, `print`) would never
# be free, so handlers only put into a `SimpleQueue` and write without a buffer.
SAY = """
def say(*words):
    os.write(1, " ".join(map(str, words)).encode() + b"\\n")
"""

PATIENT = """
stop = queue.SimpleQueue()
signal.signal(signal.SIGTERM, lambda *_: (say("draining"), stop.put(None)))
say("ready", os.getpid(), os.environ.get("COHORT_INCARNATION", "-"))
stop.get()
say("drained")
"""

STUBBORN = """
signal.signal(signal.SIGTERM, lambda *_: say("still at work"))
say("ready", os.getpid(), os.environ.get("COHORT_INCARNATION", "-"))
while True:
    signal.pause()
"""
