"""Processes that are forked with their modules loaded behave as started ones do."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.harness.nursery import Nursery
from tests.harness.processes import ROOT, Process

SERVER = ["-m", "http.server", "0", "--bind", "127.0.0.1"]
"""Says when it serves, and does so until a signal."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery(loaded=()) as small:
        yield small


def test_a_forked_process_has_its_own_output_and_status(nursery: Nursery) -> None:
    with Process("server", SERVER, {}, nursery) as server, Process("zen", ["-m", "this"], {}, nursery) as zen:
        server.wait_line("Serving HTTP")
        assert zen.wait() == 0
        assert "Namespaces are one honking great idea" in zen.output
        assert "Namespaces" not in server.output
        assert server.alive


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_a_forked_process_and_no_other(number: int, nursery: Nursery) -> None:
    with Process("server", SERVER, {}, nursery) as one, Process("server", SERVER, {}, nursery) as other:
        one.wait_line("Serving HTTP")
        other.wait_line("Serving HTTP")
        one.signal(number)
        assert one.wait() == -number
        assert other.alive


def test_a_failure_of_a_forked_process_is_told_in_its_output(nursery: Nursery) -> None:
    with Process("none", ["-m", "tests.harness.no_such_module"], {}, nursery) as process:
        assert process.wait() == 1
        assert "No module named tests.harness.no_such_module" in process.output


TEST_RUN = f"""
import signal
from tests.harness.nursery import Nursery
from tests.harness.processes import Process
server = Process("server", {SERVER}, {{}}, Nursery(loaded=()))
server.wait_line("Serving HTTP")
print(server.pid, flush=True)
signal.pause()
"""


def test_no_forked_process_outlives_a_test_run_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", TEST_RUN], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        handle = os.pidfd_open(int(run.stdout.readline()))
        run.kill()
        try:
            assert select.select([handle], [], [], 30)[0], "it is still there"
        finally:
            os.close(handle)
