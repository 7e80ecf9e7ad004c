"""Processes that are forked with their modules loaded behave as started ones do."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.nursery import Nursery, listening
from tests.harness.nursery import nursery as shared_nursery
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


def test_two_processes_of_a_run_share_a_nursery_and_one_may_end_without_the_other() -> None:
    with listening(loaded=()) as name, Nursery(shared=name) as kept, Process("server", SERVER, {}, kept) as server:
        with Nursery(shared=name) as brief, Process("server", SERVER, {}, brief) as other:
            other.wait_line("Serving HTTP")
        assert other.wait() != 0
        server.wait_line("Serving HTTP")
        assert server.alive


def test_a_forked_process_has_the_directory_and_the_two_outputs_that_it_was_given(
    nursery: Nursery, tmp_path: Path
) -> None:
    (tmp_path / "said.py").write_text("import os, sys\nprint(os.getcwd())\nprint(sys.stdin.read(), file=sys.stderr)\n")
    out, errors = tmp_path / "out", tmp_path / "errors"
    with out.open("w") as first, errors.open("w") as second:
        child = nursery.begin(["-m", "said"], {}, first.fileno(), second.fileno(), cwd=tmp_path)
    assert child.wait(60) == 0
    assert (out.read_text(), errors.read_text()) == (f"{tmp_path}\n", "\n")


TEST_RUN = f"""
import signal
from tests.harness.nursery import Nursery, listening
from tests.harness.nursery import nursery as shared_nursery
from tests.harness.processes import Process
run = listening(loaded=())
server = Process("server", {SERVER}, {{}}, Nursery(loaded=(), shared=%s))
server.wait_line("Serving HTTP")
print(server.pid, flush=True)
signal.pause()
"""


@pytest.mark.parametrize("shared", ["None", "run.__enter__()"])
def test_no_forked_process_outlives_a_test_run_that_is_killed(shared: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TEST_RUN % shared], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        handle = os.pidfd_open(int(run.stdout.readline()))
        run.kill()
        try:
            assert select.select([handle], [], [], 60)[0], "it is still there"
        finally:
            os.close(handle)


PROBE = """
import json, sys, threading
from openai.types.chat import ChatCompletionChunk
from workers.runtime.patches import patch, shortcuts

due = {(entry.target, entry.by_source) for entry in patch.patches() if entry.due}
print(json.dumps({
    "not looked at": sorted(due - set(patch._shapes)),
    "not loaded": [name for name in ("celery.backends.base", "billiard.pool") if name not in sys.modules],
    "chunks": ChatCompletionChunk.__pydantic_complete__,
    "bodies": shortcuts.renames.cache_info().currsize > 0,
    "threads": threading.active_count(),
}))
"""


def test_what_a_worker_s_start_and_first_turn_build_is_there_when_it_is_forked() -> None:
    with Process("probe", ["-c", PROBE], {}, shared_nursery()) as probe:
        assert probe.wait() == 0, probe.output
    told = {"not looked at": [], "not loaded": [], "chunks": True, "bodies": True, "threads": 1}
    assert json.loads(probe.output) == told
