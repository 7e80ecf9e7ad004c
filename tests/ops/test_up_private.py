"""`cohort up` among strangers: a directory with names like ours, many keys in the environment, other users.

One start for most tests of this file; each looks at what then runs. It is killed, and the last ones look at the next.
"""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ops.home import Home
from tests.harness.command import clean, cohort
from tests.harness.processes import ROOT
from tests.ops.whole_system import System, system, wait_gone
from tests.support.ports import free_port

OURS = ("tasks", "workers", "ops", "playground", "botapi")
THEIRS = ("celery", "kombu", "redis", "flower", "tornado", "uvicorn", "starlette", "telegram", "pydantic", "httpx")
TRAP = "import os, pathlib\npathlib.Path({marker!r}).joinpath(__name__).touch()\nraise ImportError('not ours')\n"
TITLES = {
    "model": "cohort model",
    "playground": "cohort playground",
    "bot": "cohort bot",
    "worker-1": "cohort worker cohort-1",
    "console": "cohort console",
    "flower": "cohort flower",
}
SECRETS = {
    "ANTHROPIC_API_KEY": "sk-an-attacker-wants-this",
    "MY_SERVERS_PASSWORD": "sk-an-attacker-wants-that",
    "AWS_SECRET_ACCESS_KEY": "sk-and-this",
    "COHORT_PLAYGROUND_KEY": "sk-of-the-playground",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a release without a umask left it."""
    home = tmp_path_factory.mktemp("private") / "home"
    for folder in (home / "media", home / "sessions" / "4242_5", home / "logs"):
        folder.mkdir(parents=True)
        (folder / "old").write_text("what a person wrote")
        (folder / "old").chmod(0o644)
    (home / "media" / "link").symlink_to(home.parent / "elsewhere")
    (home.parent / "elsewhere").write_text("not ours")
    (home.parent / "elsewhere").chmod(0o644)
    for path in home.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    home.chmod(0o755)
    return home


@pytest.fixture(scope="module")
def cwd(home: Path) -> Path:
    """A directory whose files have our modules' names."""
    cwd = home.parent / "cwd"
    (cwd / "bot").mkdir(parents=True)
    (home.parent / "imported").mkdir()
    trap = TRAP.format(marker=str(home.parent / "imported"))
    for name in (*(f"{name}.py" for name in (*OURS, *THEIRS)), "bot/__init__.py", "bot/__main__.py"):
        (cwd / name).write_text(trap)
    return cwd


@pytest.fixture(scope="module")
def up(home: Path, cwd: Path) -> Iterator[System]:
    """Started in that directory."""
    given = {
        **SECRETS,
        "COHORT_MODEL": "demo.script",
        "FLOWER_PORT": str(free_port()),
        "COHORT_CONSOLE_PORT": str(free_port()),
        "COHORT_CONSOLE_AUTH": "operator:a-long-password",
        "COHORT_CARDS": str(ROOT / "agent-cards"),
        "COHORT_CONFIG": str(ROOT / "fastagent.config.yaml"),
        "PYTHONPATH": "",
    }
    with system(home, cwd=cwd, **given) as started:
        started.wait_line("Cohort is up")
        # Console and Flower come last. A model that does not start is left out, and the tests say so.
        while titles(started) | {"model": TITLES["model"]} != TITLES:
            time.sleep(0.05)
        yield started


def titles(up: System) -> dict[str, str]:
    """The command line of each process that has one, but for Valkey's."""
    pids = {name: pid for name, pid in up.pids().items() if pid and name != "valkey"}
    return {name: Path(f"/proc/{pid}/cmdline").read_text().partition("\0")[0] for name, pid in pids.items()}


def test_each_process_says_in_its_command_line_what_it_is(up: System) -> None:
    assert titles(up) == TITLES
    assert Path(f"/proc/{up.process.pid}/cmdline").read_text().startswith("cohort up\0")


@pytest.mark.promise("own-modules")
def test_a_module_of_the_current_directory_is_never_taken_for_ours(up: System, home: Path) -> None:
    assert set(up.pids()) == {"valkey", "model", "playground", "bot", "worker-1", "console", "flower"}
    assert [path.name for path in (home.parent / "imported").iterdir()] == []


def ran(cwd: Path, home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of ours in a directory whose files have our modules' names, and that not one of them was imported."""
    environ = {**clean(home), "COHORT_CARDS": str(ROOT / "agent-cards"), "PYTHONPATH": ""}
    environ["COHORT_CONFIG"] = str(ROOT / "fastagent.config.yaml")
    program = Path(sys.executable).with_name("cohort")
    done = subprocess.run(
        (program, *command), cwd=cwd, env=environ, capture_output=True, text=True, timeout=110, check=False
    )
    assert [path.name for path in (home.parent / "imported").iterdir()] == []
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.promise("own-modules")
def test_status_takes_no_module_of_the_current_directory(up: System, home: Path) -> None:
    assert ran(up.cwd, home, "status").returncode == 0


@pytest.mark.promise("needed-only")
def test_each_process_has_the_secrets_that_it_needs_and_no_others(up: System) -> None:
    found: dict[str, set[str]] = {}
    tokens: dict[str, str] = {}
    for name, pid in up.pids().items():
        raw = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        environ = dict(line.decode().split("=", 1) for line in raw if b"=" in line)
        tokens[name] = environ.pop("TELEGRAM_BOT_TOKEN", "")
        found[name] = {key for key in SECRETS if SECRETS[key] in environ.values()}
        if "REDIS_URL" in environ:
            found[name].add("REDIS_URL")
    mine = {"ANTHROPIC_API_KEY", "MY_SERVERS_PASSWORD", "AWS_SECRET_ACCESS_KEY"}
    assert found == {
        "valkey": set(),
        "model": set(),
        "playground": {"COHORT_PLAYGROUND_KEY"},
        "bot": {"REDIS_URL"},
        # A fork shows what its template had at its start, and gets the rest later: no process of another kind shows it.
        "worker-1": mine,
        "console": {"REDIS_URL"},
        "flower": {"REDIS_URL"},
    }
    assert tokens["valkey"] == tokens["model"] == tokens["console"] == tokens["flower"] == ""
    assert tokens["playground"] == tokens["bot"] != ""


@pytest.mark.promise("forked-clean")
def test_the_process_from_which_workers_are_forked_has_one_thread_and_no_connection(up: System) -> None:
    ours = set(up.pids().values())
    children = Path(f"/proc/{up.process.pid}/task/{up.process.pid}/children").read_text().split()
    (template,) = [Path("/proc") / pid for pid in children if int(pid) not in ours]
    assert len([*(template / "task").iterdir()]) == 1
    opened = [str(file.readlink()).partition(":")[0] for file in (template / "fd").iterdir()]
    assert opened.count("socket") == 1, "the one from the supervisor"
    assert not {"anon_inode", "[eventpoll]", "[eventfd]"} & set(opened)
    maps = Path(f"/proc/{up.pids()['worker-1']}/smaps_rollup").read_text()
    shared = int(maps.partition("Shared_Dirty:")[2].split()[0])
    assert shared > 40 * 1024, "KiB that the worker shares with the template"


@pytest.mark.promise("console-metrics")
def test_the_console_has_the_metrics_of_the_bot_and_of_each_worker_behind_its_password(up: System, home: Path) -> None:
    running = Home(home).running()
    assert running is not None
    assert running.console_url is not None
    with httpx.Client(base_url=running.console_url, trust_env=False, verify=False, timeout=60) as http:
        assert http.get("/healthz").status_code == 200
        assert http.get("/metrics").status_code == 401
        login = ("operator", "a-long-password")
        page = ""
        while 'cohort_lanes{process="cohort-1@' not in page:
            page = http.get("/metrics", auth=login).text
        assert 'cohort_bot_leads{process="bot@' in page
    assert up.pids()["console"]


@pytest.mark.promise("private-files")
def test_everything_in_its_home_is_its_owners_alone(up: System, home: Path) -> None:
    assert (home / "run.json").exists()
    open_ones = [
        f"{path.relative_to(home)}: {stat.filemode(path.lstat().st_mode)}"
        for path in (home, *home.rglob("*"))
        if not path.is_symlink() and path.lstat().st_mode & 0o077
    ]
    assert open_ones == []
    assert (home / "media" / "old").read_text() == "what a person wrote"
    # What a link leads to is not ours.
    assert (home.parent / "elsewhere").stat().st_mode & 0o777 == 0o644


@pytest.fixture(scope="module")
def killed(up: System) -> dict[str, int]:
    """The processes of a supervisor that is killed now; no other test can follow."""
    pids = up.pids()
    up.process.kill()
    return pids


def test_a_killed_supervisor_leaves_no_process_behind(killed: dict[str, int]) -> None:
    wait_gone(killed)


@pytest.mark.soak  # A second kind of command: it loads what this process has, with traps in the way, for 8 s.
@pytest.mark.promise("own-modules")
def test_a_command_that_loads_the_runtime_takes_no_module_of_the_current_directory(cwd: Path, home: Path) -> None:
    # What `cohort cards check` starts, it starts in the same way.
    found = json.loads(ran(cwd, home, "doctor", "--json").stdout)["findings"]
    assert {"patches", "cards"} <= {finding["about"] for finding in found if finding["severity"] == "ok"}


@pytest.fixture(scope="module")
def following(home: Path, killed: dict[str, int]) -> Iterator[System]:
    """The next one in the same home, which a killed one left as it was."""
    wait_gone(killed)
    with system(home) as started:
        started.wait_line("Cohort is up")
        yield started


@pytest.mark.promise("supervised")
def test_the_next_one_starts_shows_itself_and_repairs_itself(following: System) -> None:
    banner_from = len(following.lines) - 1
    following.wait_line("TELEGRAM_BOT_TOKEN=")
    assert all(len(line) <= 80 for line in following.lines[banner_from:])
    running = following.running
    assert running.playground_url is not None
    with httpx.Client(trust_env=False, verify=False, follow_redirects=True, timeout=60) as browser:
        assert "<title>Cohort playground</title>" in browser.get(running.playground_url).text
    seen = json.loads(cohort("status", "--json", home=following.home).stdout)
    assert [worker["slots"] for worker in seen["workers"]] == [64]
    before = following.pids()
    assert set(before) == {"valkey", "playground", "bot", "worker-1"}
    os.kill(before["worker-1"], signal.SIGKILL)
    following.wait_line("worker-1 was killed by SIGKILL", "starting it again now")
    following.wait_line("worker-1", "worker.ready")
    assert following.pids()["worker-1"] != before["worker-1"]


@pytest.mark.promise("supervised")
@pytest.mark.promise("hangup-drains")
def test_it_ends_in_order_when_its_terminal_closes_and_a_second_hangup_changes_nothing(following: System) -> None:
    pids = following.pids()
    following.process.send_signal(signal.SIGHUP)
    following.process.send_signal(signal.SIGHUP)
    said = following.rest()
    assert following.process.wait(60) == 0
    assert "ending: running turns may finish" in said
    assert "at once" not in said.replace("(again Ctrl-C: at once)", "")
    assert "worker.ended" in said
    assert "bot.ended" in said
    wait_gone(pids)
    assert Home(following.home).running() is None
