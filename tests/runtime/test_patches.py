"""The drawer: what is replaced in other libraries is in the manifest, fits what is installed, and says so where not."""

import ast
import dataclasses
import logging
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from tasks.errors import Misconfigured
from tests.runtime.support import Open
from workers.runtime.patches import check, patch
from workers.runtime.patches.manifest import Patch, patches, tried

type Manifest = Callable[[Patch], None]

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "workers", "botapi", "tasks", "ops", "playground")
DRAWER = ROOT / "workers" / "runtime" / "patches"
LEAST_GAIN = 3.0
"""Percent of a turn's processor time, in one of two rows; what buys less is not worth its upkeep."""

FOREIGN_STATE = {
    # Celery's own flag for a warm shutdown; its signal handlers set it, too.
    "workers/process/celery_worker.py: celery_state.should_stop",
    # A check of the configuration must not be remembered as the configuration.
    "workers/runtime/instances.py: fast_config._settings",
    # A forked process runs a module as if it was started with its arguments.
    "ops/up/template.py: sys.argv",
    # In Flower's own process alone: its actions on tasks answer with what to do instead.
    "ops/up/flower_actions.py: setattr",
    # What the logging HOWTO says to set where no line shows it.
    "tasks/telemetry/logs.py: logging._srcfile",
    "tasks/telemetry/logs.py: logging.logAsyncioTasks",
    "tasks/telemetry/logs.py: logging.logMultiprocessing",
    "tasks/telemetry/logs.py: logging.logProcesses",
    "tasks/telemetry/logs.py: logging.logThreads",
}
"""Values of other libraries that are set, not parts of them that are replaced."""


# -- the manifest and the code, both ways


def assignments(path: Path) -> Iterator[str]:
    """Places where a file may put something into a module, a class or an object of another library."""
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    foreign = {
        (name.asname or name.name).partition(".")[0]
        for node in nodes
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in node.names
        if (getattr(node, "module", None) or name.name).partition(".")[0] not in PACKAGES
    }
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="setattr" | "vars" as called)):
                yield called
            case ast.Call(func=ast.Attribute(value=ast.Name(id="type"), attr="__setattr__")):
                yield "type.__setattr__"
            case ast.Assign(targets=written) | ast.Delete(targets=written):
                yield from foreign_places(written, foreign)
            case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
                yield from foreign_places([target], foreign)
            case _:
                pass


def foreign_places(written: list[ast.expr], foreign: set[str]) -> Iterator[str]:
    """Those that belong to another library."""
    for target in written:
        root = target
        while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
            root = root.func if isinstance(root, ast.Call) else root.value
        if root is not target and isinstance(root, ast.Name) and root.id in foreign:
            yield ast.unparse(target)


def test_a_part_of_another_library_is_replaced_in_one_place() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {place}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for place in assignments(path)
    }
    reads = {"tasks/telemetry/logs.py: vars"}
    assert found - reads - FOREIGN_STATE == {"workers/runtime/patches/patch.py: setattr"}


def test_every_entry_of_the_manifest_names_its_function_and_every_function_is_named() -> None:
    named = {entry.by for entry in patches()}
    taking = {
        f"{path.stem}.{node.name}"
        for path in DRAWER.glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        if [one.arg for one in node.args.args] in (["original"], ["_"])
    }
    classes = {"server_text.Mended", "connections.Google"}
    clients = {"connections.openai_http", "connections.openai_user", "connections.anthropic_user"}
    assert named == taking | classes | clients
    for by in named:
        module, _, function = by.partition(".")
        assert callable(getattr(import_module(f"workers.runtime.patches.{module}"), function)), by


def test_a_place_is_replaced_once() -> None:
    targets = [entry.target for entry in patches()]
    assert len(targets) == len(set(targets))


def test_an_entry_says_why_and_a_patch_for_speed_what_it_gains() -> None:
    for entry in patches():
        assert entry.reason.endswith("."), entry.reason
        assert entry.report, entry.target
        assert (entry.gain == {}) == (entry.kind == "needed"), entry.target
        if entry.gain:
            assert set(entry.gain) == {"paced", "ten_turns"}
            assert max(entry.gain.values()) >= LEAST_GAIN, entry.target


def test_the_page_on_performance_has_the_manifest_s_numbers() -> None:
    page = (ROOT / "docs" / "performance.md").read_text().replace("\n", " ")
    for entry in patches():
        if entry.kind == "speed":
            name = entry.target.rpartition(":")[2]
            assert f"| `{name}` | {entry.gain['paced']:g} % | {entry.gain['ten_turns']:g} % |" in page, entry.target


# -- what is installed


@pytest.mark.promise("pinned-runtime")
def test_every_patch_fits_what_is_installed() -> None:
    assert [(wrong.target, seen) for wrong, seen in patch.mismatches()] == []


@pytest.mark.promise("pinned-runtime")
def test_the_release_is_one_that_was_tried() -> None:
    assert version(patch.LIBRARY) in tried(), "run all tests with it, then add it to manifest.toml and pyproject.toml"


@pytest.mark.promise("pinned-runtime")
def test_pyproject_allows_the_releases_that_were_tried() -> None:
    asked = [
        Requirement(line) for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    ]
    ours = next(line for line in asked if line.name == patch.LIBRARY)
    assert str(ours.specifier) == f"<={tried()[-1]},>={tried()[0]}"


# -- another shape


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A library of which one function has other parameters than the manifest says."""
    library = SimpleNamespace(shown=lambda text, colour: text + colour)
    monkeypatch.setitem(sys.modules, "stranger", library)
    return library


def entry(kind: str) -> Patch:
    return Patch(
        target="stranger:shown", by="fast_agent.unguessable", kind=kind, shapes=("def (text)",), reason="x.", report="x"
    )


@pytest.fixture
def manifest_of(monkeypatch: pytest.MonkeyPatch) -> Manifest:
    def only(one: Patch) -> None:
        monkeypatch.setattr(patch, "patches", lambda: (one,))
        monkeypatch.setattr(check, "patches", lambda: (one,))
        monkeypatch.setattr(patch, "_settled", set())
        monkeypatch.setattr(patch, "_originals", {})
        monkeypatch.setattr(patch, "_chosen", {"speed": True})

    return only


def test_a_patch_for_speed_steps_aside_and_says_so_once(
    stranger: SimpleNamespace, manifest_of: Manifest, caplog: pytest.LogCaptureFixture
) -> None:
    manifest_of(entry("speed"))
    before = stranger.shown
    with caplog.at_level(logging.WARNING):
        patch.apply()
        patch.apply()
    assert stranger.shown is before
    assert [(record.message, record.target) for record in caplog.records] == [("patch.stepped_aside", "stranger:shown")]


@pytest.mark.promise("pinned-runtime")
def test_a_patch_that_is_needed_refuses_to_start_in_one_line(stranger: SimpleNamespace, manifest_of: Manifest) -> None:
    manifest_of(entry("needed"))
    before = stranger.shown
    with pytest.raises(Misconfigured) as refused:
        patch.apply()
    assert stranger.shown is before
    assert str(refused.value) == (
        "stranger:shown is `def (text, colour)`, and its patch needs `def (text)`; "
        f"install fast-agent-mcp {tried()[0]} to {tried()[-1]} ({version('fast-agent-mcp')} is installed)"
    )


async def test_a_worker_does_not_start_where_a_patch_that_is_needed_does_not_fit(
    stranger: SimpleNamespace, manifest_of: Manifest, runtime: Open
) -> None:
    manifest_of(entry("needed"))
    with pytest.raises(Misconfigured, match=r"^stranger:shown is .*is installed\)$"):
        async with runtime():
            pass


def test_a_release_that_was_not_tried_is_looked_at_before_anything_starts(
    stranger: SimpleNamespace, manifest_of: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lazy = entry("needed")
    manifest_of(Patch(**{name: getattr(lazy, name) for name in lazy.__slots__} | {"lazy": True, "loaded_with": "no"}))
    patch.choose(speed=True)
    patch.apply()
    monkeypatch.setattr(patch, "version", lambda _: "0.10.99")
    with pytest.raises(Misconfigured, match="stranger:shown"):
        patch.choose(speed=True)


def test_what_another_module_imported_of_ours_is_not_replaced_again(
    stranger: SimpleNamespace, manifest_of: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger.shown = lambda text: text
    manifest_of(entry("needed"))
    patch.apply()
    later = SimpleNamespace(shown=stranger.shown)
    monkeypatch.setitem(sys.modules, "later", later)
    manifest_of(dataclasses.replace(entry("needed"), target="later:shown"))
    patch.apply()
    assert later.shown is stranger.shown


def test_what_a_library_no_longer_has_is_said(manifest_of: Manifest) -> None:
    manifest_of(Patch(target="stranger_gone:x", by="a.b", kind="needed", shapes=("...y",), reason="x.", report="x"))
    assert [seen for _, seen in patch.mismatches()] == ["absent"]


def test_only_what_is_needed_is_replaced_when_an_operator_says_so(
    stranger: SimpleNamespace, manifest_of: Manifest
) -> None:
    stranger.shown = lambda text: text
    before = stranger.shown
    manifest_of(entry("speed"))
    patch.choose(speed=False)
    patch.apply()
    assert stranger.shown is before
    patch.choose(speed=True)
    patch.apply()
    assert stranger.shown is not before


def test_the_command_for_doctor_says_what_does_not_fit(
    stranger: SimpleNamespace, manifest_of: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.main() == 0
    assert "fit fast-agent-mcp" in capsys.readouterr().out
    manifest_of(entry("speed"))
    assert check.main() == 0
    assert "stranger:shown" in capsys.readouterr().out
    manifest_of(entry("needed"))
    assert check.main() == 1
    assert "stranger:shown" in capsys.readouterr().err
