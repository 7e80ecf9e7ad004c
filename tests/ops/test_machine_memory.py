"""What memory is left: of the machine, and of the container."""

import os
from pathlib import Path

import pytest

from ops.commands.doctor.memory import verdict
from ops.commands.doctor.processes import limit_of
from ops.commands.doctor.processes import verdict as open_files_of
from tasks.config.worker_count import WorkerCount
from tasks.process.memory import WORKER_MIB, available_mib, pss_mib, room, total_mib

MIB = 1024 * 1024


def machine(root: Path, group: str, **limits: tuple[str, str, str]) -> tuple[Path, Path]:
    proc, cgroups = root / "proc", root / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal: 8388608 kB\nMemAvailable:   4194304 kB\n")
    (proc / "self" / "cgroup").write_text(f"4:memory:/old\n0::{group}\n")
    for name, (limit, used, cached) in limits.items():
        place = cgroups / name.replace("_", "/").lstrip("/")
        place.mkdir(parents=True, exist_ok=True)
        for file, text in (("max", limit), ("current", used), ("stat", f"anon 1\ninactive_file {cached}\nx 2\n")):
            (place / f"memory.{file}").write_text(f"{text}\n")
    return proc, cgroups


def test_the_tightest_limit_around_a_process_counts_without_what_the_kernel_takes_back(tmp_path: Path) -> None:
    places = machine(
        tmp_path,
        "/a/b",
        a=(str(1024 * MIB), str(600 * MIB), str(100 * MIB)),
        a_b=("max", str(600 * MIB), "0"),
    )
    assert available_mib(*places) == 524


@pytest.mark.parametrize(
    "line", ["4:memory:/docker/c0ffee", "4:cpu,memory:/docker/c0ffee", "4:memory,hugetlb:/docker/c0ffee"]
)
@pytest.mark.parametrize("place", ["", "docker/c0ffee"])
def test_the_limit_of_an_older_systems_container_counts_seen_from_inside_and_from_outside(
    tmp_path: Path, line: str, place: str
) -> None:
    proc, cgroups = machine(tmp_path, "/")
    (proc / "self" / "cgroup").write_text(f"5:pids:/x\n{line}\n")
    group = cgroups / "memory" / place
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text(f"{1024 * MIB}\n")
    (group / "memory.usage_in_bytes").write_text(f"{600 * MIB}\n")
    (group / "memory.stat").write_text(f"inactive_file 7\ntotal_inactive_file {100 * MIB}\n")
    assert available_mib(proc, cgroups) == 524
    assert total_mib(proc, cgroups) == 1024


def test_an_older_systems_group_without_a_limit_leaves_what_the_machine_has(tmp_path: Path) -> None:
    proc, cgroups = machine(tmp_path, "/")
    (cgroups / "memory").mkdir(parents=True)
    (cgroups / "memory" / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (cgroups / "memory" / "memory.usage_in_bytes").write_text("5\n")
    assert available_mib(proc, cgroups) == 4096
    assert total_mib(proc, cgroups) == 8192


def test_what_a_container_may_have_in_all_is_its_tightest_limit(tmp_path: Path) -> None:
    limits = {"a": (str(1024 * MIB), "5", "0"), "a_b": (str(2048 * MIB), "5", "0")}
    assert total_mib(*machine(tmp_path / "one", "/a/b", **limits)) == 1024
    assert total_mib(*machine(tmp_path / "two", "/")) == 8192
    assert total_mib(tmp_path, tmp_path) is None


def test_without_a_limit_the_machine_counts(tmp_path: Path) -> None:
    assert available_mib(*machine(tmp_path, "/")) == 4096


@pytest.mark.parametrize("limit", ["", "-1", "many", "1e9", "\u0663"])
def test_a_limit_that_is_no_number_is_none(tmp_path: Path, limit: str) -> None:
    assert available_mib(*machine(tmp_path, "/a", a=(limit, "5", "0"))) == 4096


def test_a_limit_that_is_passed_leaves_nothing(tmp_path: Path) -> None:
    assert available_mib(*machine(tmp_path, "/a", a=("5", str(MIB), "x"))) == 0


def test_where_the_system_tells_nothing_nothing_is_known(tmp_path: Path) -> None:
    assert available_mib(tmp_path, tmp_path) is None
    assert pss_mib(os.getpid(), tmp_path) is None
    assert room(None, [100.0]) is None


def test_our_own_memory_can_be_read() -> None:
    assert (pss_mib(os.getpid()) or 0) > 1
    assert (available_mib() or 0) > 1


def test_room_is_counted_in_workers_as_large_as_the_largest_and_leaves_a_reserve() -> None:
    assert room(256 + 3 * WORKER_MIB, []) == 3
    assert room(1256, [None, 500.0, 20.0]) == 2
    assert room(100, []) == 0
    assert room(10_000, [1000.0]) == 9


def test_doctor_says_for_how_many_workers_there_is_memory() -> None:
    fixed, auto = WorkerCount(4, 4), WorkerCount(1, 4, auto=True)
    assert verdict(fixed, 10_000, [200.0]).severity == "ok"
    assert verdict(fixed, None, []).severity == "ok"
    little = verdict(fixed, 256 + 400, [200.0])
    assert (little.severity, little.do) == ("warning", "set COHORT_WORKERS lower, or give this machine 200 MiB more")
    assert verdict(auto, 256 + 400, [200.0]).do == "`auto` stops at 3 workers"
    assert verdict(WorkerCount(4, 8, auto=True), 300, []).do.startswith("set COHORT_WORKERS lower")


def test_doctor_names_the_running_processes_that_may_open_too_few_files(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "limits").write_text("Limit  Soft Limit  Hard Limit  Units\nMax open files  256  256  files\n")
    assert limit_of(7, tmp_path) == 256
    assert limit_of(8, tmp_path) is None
    assert open_files_of({"bot": 4096, "worker-1": 4096}).severity == "ok"
    told = open_files_of({"bot": 4096, "worker-2": 256, "worker-1": 256})
    assert told.severity == "warning"
    assert told.seen.startswith("worker-1, worker-2: only 256 files")
    assert open_files_of({"": 256}).seen.startswith("only 256 files")
