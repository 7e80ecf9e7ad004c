"""The template: what is forked from it, and what happens when it cannot be."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.up.forking import Template
from ops.up.process import Spec
from ops.up.supervisor import Supervisor
from tests.harness.processes import ROOT
from tests.harness.supervising import ConsoleSpy, release_children, supervising
from tests.support.until import until

MODULE = "tests.support.forked"
ENV = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Template]]:
    """Begins templates; they end with the test."""
    begun: list[Template] = []

    def begin(module: str, **given: float) -> Template:
        begun.append(Template(module, ENV | {"PYTHONPATH": f"{ROOT}:{tmp_path}", "OF_THE_TEMPLATE": "yes"}, **given))
        return begun[-1]

    yield begin
    for template in begun:
        template.close()


@pytest.fixture
async def supervisor(console: ConsoleSpy) -> AsyncIterator[Supervisor]:
    async with supervising(console, patience=110) as found:
        assert found.children.adopt()
        yield found
    release_children()


def spec(name: str, kind: str, module: str = MODULE, **env: str) -> Spec:
    """A process that is forked where there is a template."""
    arguments = ("-m", module, kind)
    return Spec(name=name, command=(sys.executable, "-P", *arguments), forked=arguments, env=ENV | env, member=True)


async def said(console: ConsoleSpy, name: str, *parts: str, times: int = 1) -> dict[str, Any]:
    return json.loads((await console.hear(f"{name}: {{", *parts, times=times)).removeprefix(f"{name}: "))


async def no_process(pid: int) -> bool:
    """Whether no process has that number, not even one that has ended and was not waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.promise("forked-clean")
async def test_a_forked_process_has_its_own_environment_and_nothing_of_the_template_or_of_others(
    supervisor: Supervisor, console: ConsoleSpy, make: Callable[..., Template]
) -> None:
    supervisor.template = make(MODULE)
    supervisor.keep(spec("worker-1", "patient", SECRET_OF_ONE="abc"))
    first = await said(console, "worker-1", "pid")
    supervisor.keep(spec("worker-2", "patient"))
    second = await said(console, "worker-2", "pid")
    for seen, given in ((first, {"SECRET_OF_ONE"}), (second, set[str]())):
        assert seen["parent"] == os.getpid()
        assert seen["session"] == seen["pid"]
        assert seen["threads"] == 1
        ours = {"PYTHONUNBUFFERED", "COHORT_INCARNATION", "SET_BY_A_MODULE"}
        assert set(seen["environ"]) == {*ENV, *given} | ours
        kinds = [name.partition(":")[0] for name in seen["open"] if not name.startswith("/proc/")]
        assert kinds == ["/dev/null", "pipe", "pipe"]
    assert first["environ"]["COHORT_INCARNATION"] != second["environ"]["COHORT_INCARNATION"]


@pytest.mark.promise("forked-clean")
async def test_forked_processes_share_no_chance(
    supervisor: Supervisor, console: ConsoleSpy, make: Callable[..., Template]
) -> None:
    supervisor.template = make(MODULE)
    drawn: list[list[Any]] = []
    for number in (1, 2):
        supervisor.keep(spec(f"worker-{number}", "patient"))
        drawn.append((await said(console, f"worker-{number}", "chance"))["chance"])
    assert [one for one, other in zip(*drawn, strict=True) if one == other] == []


async def test_what_was_forked_outlives_the_template_and_another_one_forks_the_next(
    supervisor: Supervisor, console: ConsoleSpy, make: Callable[..., Template]
) -> None:
    template = supervisor.template = make(MODULE)
    supervisor.keep(spec("worker-1", "patient"))
    first = await said(console, "worker-1", "pid")
    gone = os.pidfd_open(template.pid)
    os.kill(template.pid, signal.SIGKILL)
    assert select.select([gone], [], [], 60)[0]
    os.close(gone)
    os.kill(first["pid"], signal.SIGKILL)
    assert "starting it again now" in await console.hear("worker-1 was killed by SIGKILL")
    second = await said(console, "worker-1", "SET_BY_A_MODULE", times=2)
    assert second["pid"] != first["pid"]
    assert not [line for line in console.lines if "cannot be forked" in line]


async def test_code_that_has_changed_on_disk_is_in_the_next_fork(
    supervisor: Supervisor, console: ConsoleSpy, make: Callable[..., Template], tmp_path: Path
) -> None:
    code = "VERSION = {}\ndef load(): pass\n"
    (tmp_path / "changing.py").write_text(code.format("'first'"))
    run = "import changing, signal\nprint(changing.VERSION, flush=True)\nsignal.pause()\n"
    (tmp_path / "run_changing.py").write_text(run)
    supervisor.template = make("changing")
    supervisor.keep(spec("worker-1", "-", module="run_changing"))
    await console.hear("worker-1: first")
    (tmp_path / "changing.py").write_text(code.format("'the second'"))
    supervisor.keep(spec("worker-2", "-", module="run_changing"))
    await console.hear("worker-2: the second")


async def test_what_cannot_be_forked_is_started(
    supervisor: Supervisor, console: ConsoleSpy, make: Callable[..., Template]
) -> None:
    supervisor.template = make("no_such_module")
    supervisor.keep(spec("worker-1", "patient"))
    assert "SET_BY_A_MODULE" not in (await said(console, "worker-1", "pid"))["environ"]
    assert "worker-1 cannot be forked" in await console.hear("it is started instead")


async def test_a_template_that_does_not_answer_is_told_in_words_and_the_process_is_started(
    supervisor: Supervisor, console: ConsoleSpy, make: Callable[..., Template], tmp_path: Path
) -> None:
    (tmp_path / "starved.py").write_text("import signal\ndef load(): signal.pause()\n")
    supervisor.template = make("starved", patience_s=0.01)
    supervisor.keep(spec("worker-1", "patient"))
    await said(console, "worker-1", "pid")
    why = "worker-1 cannot be forked (the template did not answer within 0.01 s); it is started instead"
    assert [line for line in console.lines if "cannot be forked" in line] == [why]


@pytest.mark.usefixtures("supervisor")
def test_a_fork_that_comes_when_the_supervisor_has_given_it_up_ends_without_a_word() -> None:
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    order = json.dumps({"arguments": ["-m", MODULE, "patient"], "env": ENV, "signal": 9}).encode()
    arguments = (str(theirs.fileno()), str(os.getpid()), MODULE)
    template = subprocess.Popen(
        (sys.executable, "-P", "-u", "-m", "ops.up.template", *arguments),
        env=ENV,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
        stderr=subprocess.PIPE,
    )
    for length, rest in ((len(order), order), (len(order), order[:9]), (3, b"{x}"), (None, b"")):
        ours, of_the_fork = socket.socketpair()
        with ours, of_the_fork, Path(os.devnull).open("wb") as output:
            socket.send_fds(control, [b"f"], [of_the_fork.fileno()])
            if length is not None:
                socket.send_fds(ours, [length.to_bytes(8)], [output.fileno()])
                ours.sendall(rest)
    control.close()
    theirs.close()
    _, words = template.communicate(timeout=60)  # a fork has this pipe as well: its end is that of all of them
    assert words == b""


async def test_a_module_that_starts_a_thread_is_not_forked(
    supervisor: Supervisor, console: ConsoleSpy, make: Callable[..., Template], tmp_path: Path
) -> None:
    thread = "import threading\ndef load(): threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    (tmp_path / "threaded.py").write_text(thread)
    supervisor.template = make("threaded")
    supervisor.keep(spec("worker-1", "patient"))
    assert "SET_BY_A_MODULE" not in (await said(console, "worker-1", "pid"))["environ"]


async def test_what_a_killed_process_leaves_behind_is_waited_for_when_it_ends(
    supervisor: Supervisor, console: ConsoleSpy, make: Callable[..., Template]
) -> None:
    supervisor.template = make(MODULE)
    supervisor.keep(spec("worker-1", "parent"))
    helper = (await said(console, "worker-1", "helper"))["helper"]
    os.kill((await said(console, "worker-1", "pid"))["pid"], signal.SIGKILL)
    await said(console, "worker-1", "helper", times=2)

    # Its standard input is closed, so it ends; as a zombie it would still be there.
    await until(lambda: no_process(helper))


async def test_a_forked_process_shares_its_memory_still_when_others_are_forked(
    supervisor: Supervisor, console: ConsoleSpy, make: Callable[..., Template], tmp_path: Path
) -> None:
    # Each module's name of a file lies in a page of its own: a look at 2,000 of them would write to 8 MiB.
    many = (
        "import sys, types\n"
        "def load():\n"
        "    for number in range(2000):\n"
        "        module = sys.modules[f'many_{number}'] = types.ModuleType(f'many_{number}')\n"
        "        module.__file__ = f'/{number}/' + '/'.join(['x' * 99] * 40)\n"
    )
    (tmp_path / "many.py").write_text(many)
    (tmp_path / "run_silent.py").write_text("import os, signal\nprint(os.getpid(), flush=True)\nsignal.pause()\n")
    supervisor.template = make("many")
    supervisor.keep(spec("worker-1", "-", module="run_silent"))
    first = int((await console.hear("worker-1: ")).removeprefix("worker-1: "))
    alone = private_mib(first)
    for number in (2, 3):
        supervisor.keep(spec(f"worker-{number}", "-", module="run_silent"))
        await console.hear(f"worker-{number}: ")
    assert private_mib(first) - alone < 4


async def test_what_a_forked_process_allocates_lies_together(
    supervisor: Supervisor, console: ConsoleSpy, make: Callable[..., Template], tmp_path: Path
) -> None:
    # A gap of 64 bytes in each 4 KiB of 12 MiB.
    gaps = "def load():\n    global kept\n    kept = [bytes(31) for _ in range(200_000)]\n    del kept[::63]\n"
    (tmp_path / "gaps.py").write_text(gaps)
    allocating = (
        "import gaps, os, signal, sys\n"
        "mine = [bytes(31) for _ in range(2500)] if sys.argv[1] == 'much' else None\n"
        "print(os.getpid(), len(gaps.kept), flush=True)\n"
        "signal.pause()\n"
    )
    (tmp_path / "allocating.py").write_text(allocating)
    supervisor.template = make("gaps")
    found: dict[str, float] = {}
    for kind in ("little", "much"):
        supervisor.keep(spec(kind, kind, module="allocating"))
        found[kind] = private_mib(int((await console.hear(f"{kind}: ")).split()[1]))
    assert found["much"] - found["little"] < 4


def private_mib(pid: int) -> float:
    """What a process shares with no other one."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:")) / 1024
