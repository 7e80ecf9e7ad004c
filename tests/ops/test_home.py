"""The state directory: one supervisor at a time, and the others find what runs."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops import control
from ops.context import Context
from ops.home import Home, Running, joined, out_of_room
from tasks.config.settings import load
from tasks.errors import Misconfigured, StoreUnavailable
from tasks.whole_file import takes_no_files
from tests.harness.processes import ROOT
from tests.support.ports import free_port
from tests.support.until import until

RUNNING = Running(pid=1, started=0.0, control=1, secret="s", env={"REDIS_URL": "redis://:pw@127.0.0.1:1/0"})


@pytest.mark.promise("disk-refuses")
@pytest.mark.parametrize("folder", ["", "media", "sessions"])
def test_a_home_with_a_file_in_the_place_of_a_directory_takes_no_files(tmp_path: Path, folder: str) -> None:
    home = Home(tmp_path / "home")
    assert home.takes_no_files() is None  # it can be made
    wrong = home.root / folder
    wrong.parent.mkdir(exist_ok=True)
    wrong.write_text("no directory")
    assert home.takes_no_files() == f"{wrong} takes no files (Not a directory)"
    wrong.unlink()
    wrong.mkdir()
    assert home.takes_no_files() is None
    assert list(wrong.iterdir()) == []


@pytest.mark.promise("disk-refuses")
def test_a_directory_below_a_file_takes_no_files(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "below" / "home"
    assert takes_no_files(home) == f"{home} takes no files (Not a directory)"


@pytest.mark.promise("disk-refuses")
def test_a_disk_that_ends_within_a_file_takes_no_files(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from tasks.whole_file import takes_no_files; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); print(takes_no_files(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == f"{tmp_path} takes no files (File too large)\n"
    assert list(tmp_path.iterdir()) == []


def test_a_second_supervisor_in_the_same_home_is_refused_in_one_line(tmp_path: Path) -> None:
    with Home(tmp_path).hold(), pytest.raises(Misconfigured, match="already runs") as refused, Home(tmp_path).hold():
        pass
    assert len(str(refused.value).splitlines()) == 1


def test_a_home_can_be_held_again_after_its_supervisor_ended(tmp_path: Path) -> None:
    with Home(tmp_path).hold():
        pass
    with Home(tmp_path).hold():
        pass


def test_a_home_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="COHORT_HOME"), Home(tmp_path / "file").hold():
        pass


def test_what_runs_is_found_while_it_runs_and_only_then(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with home.hold():
        assert home.running() is None
        home.announce(RUNNING)
        assert Home(tmp_path).running() == RUNNING
        kept = (tmp_path / "run.json").read_text()
    assert home.running() is None
    # As after a kill: the file is there, its supervisor is not.
    (tmp_path / "run.json").write_text(kept)
    assert home.running() is None


async def test_what_runs_is_found_again_when_its_files_were_removed(tmp_path: Path) -> None:
    home, other = Home(tmp_path / "home"), Home(tmp_path / "home")

    async def found() -> Running | None:
        return other.running()

    with home.hold():
        home.announce(RUNNING)
        async with asyncio.TaskGroup() as group:
            staying = group.create_task(home.stay_found(lambda: RUNNING, every_s=0.01), name="found")
            for gone in ("run.json", "lock"):
                (tmp_path / "home" / gone).unlink()
                assert await until(found) == RUNNING
                with pytest.raises(Misconfigured, match="already runs"), other.hold():
                    pass
            (tmp_path / "home").rename(tmp_path / "away")
            assert await until(found) == RUNNING
            staying.cancel()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"pid": "x"}'])
def test_a_damaged_account_of_what_runs_is_none(tmp_path: Path, damage: bytes) -> None:
    home = Home(tmp_path)
    (tmp_path / "lock").write_bytes(b"\xff")
    with home.hold():
        (tmp_path / "run.json").write_bytes(damage)
        assert home.running() is None


def test_the_file_with_secrets_is_private(tmp_path: Path) -> None:
    with Home(tmp_path).hold():
        Home(tmp_path).announce(RUNNING)
        assert (tmp_path / "run.json").stat().st_mode & 0o077 == 0


def test_what_the_operator_sets_wins_over_what_runs() -> None:
    assert joined({}, RUNNING) == dict(RUNNING.env)
    assert joined({"REDIS_URL": "redis://mine"}, RUNNING)["REDIS_URL"] == "redis://mine"
    assert joined({"A": "1"}, None) == {"A": "1"}


def at(port: int, secret: str) -> Running:
    return RUNNING.model_copy(update={"control": port, "secret": secret})


async def test_the_control_server_does_what_is_asked_and_reports_refusals() -> None:
    def refuse(_: object) -> dict[str, object]:
        raise Misconfigured("no")

    actions: dict[str, control.ControlAction] = {
        "twice": lambda asked: {"sum": 2 * int(asked["count"])},
        "refuse": refuse,
    }
    async with asyncio.timeout(60), control.serve_control(actions) as (port, secret):
        assert await control.ask(at(port, secret), "twice", count=4) == {"sum": 8}
        for do in ("refuse", "unknown"):
            with pytest.raises(Misconfigured):
                await control.ask(at(port, secret), do)


async def test_the_control_server_refuses_a_request_without_its_password() -> None:
    done: list[object] = []
    actions: dict[str, control.ControlAction] = {"scale": lambda asked: done.append(asked) or {}}
    async with asyncio.timeout(60), control.serve_control(actions) as (port, _):
        with pytest.raises(Misconfigured, match="wrong password"):
            await control.ask(at(port, "guess"), "scale", count=0)
    assert done == []


async def test_a_supervisor_that_is_gone_is_one_line() -> None:
    async with control.serve_control({}) as (port, secret):
        pass
    with pytest.raises(Misconfigured, match="does not answer"):
        await control.ask(at(port, secret), "scale")


@pytest.mark.promise("private-files")
def test_what_an_earlier_release_left_open_is_made_private_and_nothing_else_is_touched(tmp_path: Path) -> None:
    root, outside = tmp_path / "home", tmp_path / "outside"
    outside.mkdir()
    for folder in (root / "media", root / "sessions" / "1_2", root / "mine"):
        folder.mkdir(parents=True)
        (folder / "file").touch()
    (root / "media" / "link").symlink_to(outside)
    (root / "valkey").symlink_to(outside)
    for path in (outside, root, *root.rglob("*")):
        path.chmod(0o755)
    Home(root).tighten()
    private = {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.stat().st_mode & 0o077}
    assert private == {"media", "media/file", "sessions", "sessions/1_2", "sessions/1_2/file"}
    assert root.stat().st_mode & 0o777 == 0o700
    assert (root / "mine").stat().st_mode & 0o777 == outside.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", [b"no-\xff-text", b"two\nlines", b"\x7f"])
def test_a_home_whose_name_fits_no_file_is_refused_in_one_line_that_can_be_printed(tmp_path: Path, name: bytes) -> None:
    home = tmp_path / os.fsdecode(name)
    with pytest.raises(Misconfigured, match="COHORT_HOME") as refused, Home(home).hold():
        pass
    assert str(refused.value).isascii()
    assert len(str(refused.value).splitlines()) == 1
    assert not home.exists()


@pytest.mark.promise("redis-causes")
async def test_a_command_says_where_to_look_when_the_embedded_store_is_away(tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    running = Running(pid=1, started=1.0, control=1, secret="s", env={"REDIS_URL": url})

    async def said(home: Home, *, embedded: bool) -> str:
        here = Context(load({"REDIS_URL": url}), {}, home, running if embedded else None)
        with pytest.raises(StoreUnavailable) as problem:
            await here.read(lambda store: store.dead.count())
        return str(problem.value)

    home = Home(tmp_path / "home")
    home.valkey.mkdir(parents=True)
    (home.valkey / "port").write_text("1")
    assert (await said(home, embedded=False)).endswith("nothing listens on this host and port)")
    assert f"it is the embedded Valkey: see {home.logs / 'valkey.log'}" in await said(home, embedded=True)
    assert out_of_room(home.root) is None
    assert out_of_room(home.root / "none") is None
    # It has no room, as a full disk.
    assert out_of_room(Path("/proc")) == "the disk of /proc is full: free space there"
