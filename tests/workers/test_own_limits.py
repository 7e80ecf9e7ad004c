"""What a session's own process may use: limits that the kernel keeps, tried in processes that have them."""

import signal
import subprocess
import sys

import pytest

from tasks.config.settings import load
from tasks.errors import Misconfigured
from tests.harness.processes import ROOT
from workers.process import limits

TRY = """
import sys
from datetime import timedelta
from types import SimpleNamespace
from workers.process import limits
given = SimpleNamespace(own_memory_mib=0, own_files=0, own_cpu=timedelta(0))
vars(given).update({what})
limits.limit(given)
limits.renew_cpu(given)
{then}
"""


def tried(what: str, then: str) -> subprocess.CompletedProcess[bytes]:
    program = TRY.format(what=what, then=then)
    return subprocess.run((sys.executable, "-P", "-c", program), cwd=ROOT, capture_output=True, timeout=60, check=False)


@pytest.mark.promise("own-process")
def test_memory_and_files_beyond_the_limits_are_refused() -> None:
    then = """
try:
    kept = bytearray(700 * 2**20)
except MemoryError:
    print("memory")
try:
    opened = [open("/dev/null") for _ in range(100)]
except OSError as problem:
    print(problem.strerror)
"""
    done = tried("own_memory_mib=512, own_files=50", then)
    assert done.stdout.decode().split("\n")[:2] == ["memory", "Too many open files"], done.stderr


@pytest.mark.promise("own-process")
def test_processor_time_beyond_the_limit_ends_the_process() -> None:
    done = tried("own_cpu=timedelta(seconds=0.01)", "while True: pass")
    assert done.returncode == -signal.SIGXCPU


def test_without_limits_nothing_is_limited() -> None:
    then = "import resource as r; print(r.getrlimit(r.RLIMIT_DATA)[0], r.getrlimit(r.RLIMIT_CORE)[0])"
    assert tried("", then).stdout.split()[1] == b"0"


def test_a_limit_below_what_a_process_begins_with_is_refused_with_one_that_is_enough() -> None:
    settings = load({"COHORT_OWN_MEMORY_MIB": "100"})
    with pytest.raises(Misconfigured, match=r"COHORT_OWN_MEMORY_MIB: 100 is too little: .* 90 MiB; set 308"):
        limits.limit(settings, used=90 * 2**20)
