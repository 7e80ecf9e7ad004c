"""A forked process ends as a started one does: the same status, exit functions, threads and output."""

import os
import subprocess
import sys

import pytest

from tests.harness.command import forked

ENDS = {
    "by itself": "",
    "with a status": "raise SystemExit(7)",
    "with a status that is too large": "raise SystemExit(256 + 3)",
    "with nothing": "raise SystemExit",
    "with words": "raise SystemExit('no such thing')",
    "by an error": "raise ValueError('wrong')",
    "by an interrupt": "raise KeyboardInterrupt",
    "at once": "os._exit(5)",
    "with an output that is gone": "os.close(1)",
}
LATE = """
import atexit, os, threading
atexit.register(print, "exit function")
threading.Thread(target=lambda: (threading.main_thread().join(60), print("thread"))).start()
print("run", end=" ")
{end}
"""


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_forked_process_ends_as_a_started_one(end: str) -> None:
    code = LATE.format(end=end)
    started = subprocess.run([sys.executable, "-uIS", "-c", code], capture_output=True, text=True, check=False)
    found = forked(("-c", code), os.environ)
    assert (found.returncode, found.stdout) == (started.returncode, started.stdout)
    assert last_line(found.stderr) == last_line(started.stderr)


def last_line(text: str) -> str:
    return text.splitlines()[-1] if text else ""
