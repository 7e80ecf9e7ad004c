"""The house: what files look like, and that the documents say what the code does."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.cli import app
from tasks import keys
from tasks.events import EVENTS
from tasks.settings import Settings, env_name
from tools import check_tracked, house, settings_table

ROOT = Path(__file__).parents[1]
PACKAGES = ("cohort", "bot", "workers", "botapi", "tasks", "ops", "playground")

HOUSES = (*PACKAGES, "bench", "tests", "tools", "docs")
OF_AN_OPERATOR = ("tasks.py", "flowerconfig.py", "bot/")
"""Files that documents name and that stand in an operator's directory."""

LINES = 300
LUA_LINES = 60
"""Lines of code; the header and comments are free."""


def tracked() -> list[Path]:
    """Every file of the project that is text."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


def sources(*suffixes: str) -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.suffix in suffixes)


def named(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.promise("small-files")
def test_a_file_holds_one_idea_and_so_at_most_300_lines() -> None:
    long = [path for path in sources(".py", ".lua", ".js") if len(path.read_text().splitlines()) > LINES]
    assert named(long) == []


def opening(text: str) -> str | None:
    """The docstring of a module, which is parsed as far as its first blank line, where that is the docstring's end."""
    try:
        return ast.get_docstring(ast.parse(text.partition("\n\n")[0]))
    except SyntaxError:
        return ast.get_docstring(ast.parse(text))


@pytest.mark.promise("small-files")
def test_a_module_opens_with_a_sentence() -> None:
    silent = [path for path in sources(".py") if (text := path.read_text()).strip() and not opening(text)]
    assert named(silent) == []


@pytest.mark.promise("atomic-steps")
@pytest.mark.parametrize("script", sources(".lua"), ids=lambda path: path.stem)
def test_a_script_is_one_short_step_that_says_what_it_takes_and_replies(script: Path) -> None:
    text = script.read_text()
    header = "\n".join(line for line in text.splitlines() if line.startswith("--"))
    assert len([line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("--")]) <= LUA_LINES
    assert [word for word in ("-- KEYS:", "-- ARGV:", "-- Reply:") if word not in header] == []
    # What time it is, and which keys there are, is told by the caller.
    assert "'TIME'" not in text
    assert "cohort:" not in text
    assert "'KEYS'" not in text


@pytest.mark.promise("docs-true")
def test_every_redis_key_stands_in_the_architecture_with_its_type_and_lifetime() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `(cohort:[^`]+)` \| (\w+) \| (\w+) \| (yes|no) \|", page, flags=re.MULTILINE)
    assert rows == [
        (kind.pattern, kind.type, kind.lifetime, "no" if kind.backup == "no" else "yes") for kind in keys.KINDS
    ]


@pytest.mark.promise("docs-true")
def test_every_script_stands_in_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text().partition("### Atomic steps")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", page, flags=re.MULTILINE)
    told = {script for row in rows for script in re.findall(r"[a-z_]+", row)}
    assert told == {path.stem for path in sources(".lua")}


@pytest.mark.promise("docs-true")
def test_the_table_of_settings_is_what_the_code_says() -> None:
    page = settings_table.TARGET.read_text()
    assert page == settings_table.renewed(page), "run `make docs`"


def pages() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md" and path.parts[len(ROOT.parts)] not in PACKAGES]


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith(("#", "mailto:")):
            yield target.partition("#")[0]


@pytest.mark.promise("docs-true")
def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in links(page)
        if not (page.parent / target).exists()
    ]
    assert broken == []


def shell(text: str, program: str) -> set[str]:
    """What a page says to type after ``program``: between backticks, or at the start of a line in a block."""
    blocks = "\n".join(re.findall(r"```[a-z]*\n(.*?)```", text, flags=re.DOTALL))
    return {
        *re.findall(rf"`{program} ([a-z][a-z-]*)", text),
        *re.findall(rf"^(?:\$ )?{program} ([a-z][a-z-]*)", blocks, flags=re.MULTILINE),
    }


def names_a_file(word: str, files: list[str]) -> bool:
    """Whether a word of a page looks like one of our files and no file has that name."""
    place = word.rstrip("/")
    top = place.partition("/")[0]
    if place.endswith((".py", ".lua", ".js")):
        return not any(f"/{file}".endswith(f"/{place}") for file in files)
    return top in HOUSES and "*" not in place and not any(f"{file}/".startswith(f"{place}/") for file in files)


@pytest.mark.promise("docs-true")
def test_every_file_and_folder_that_the_documents_name_exists() -> None:
    files = named(tracked())
    wrong = [
        f"{page.relative_to(ROOT)}: {word}"
        for page in pages()
        if page.name != "CHANGELOG.md"
        for word in re.findall(r"`([\w./-]+)`", page.read_text())
        if word not in OF_AN_OPERATOR and names_a_file(word, files)
    ]
    assert wrong == []


def is_missing(name: str) -> bool:
    """Whether a dotted name leads through our modules to one that is not there, or is not in its module."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:count])
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if file.is_file() or place.is_dir():
            text = file.read_text() if file.is_file() else ""
            return not all(re.search(rf"\b{part}\b", text) for part in parts[count:])
    return True


@pytest.mark.promise("docs-true")
def test_every_module_and_member_that_documents_and_docstrings_name_exists() -> None:
    dotted = re.compile(rf"`((?:{'|'.join(PACKAGES)})(?:\.\w+)+)`")
    paths = [page for page in pages() if page.name != "CHANGELOG.md"] + sources(".py")
    named_in = {path: set(dotted.findall(path.read_text())) - {*EVENTS, *OF_AN_OPERATOR} for path in paths}
    wrong = [
        f"{path.relative_to(ROOT)}: {name}" for path, names in named_in.items() for name in names if is_missing(name)
    ]
    assert wrong == []


@pytest.mark.promise("small-files")
def test_a_class_name_has_one_meaning_in_all_packages() -> None:
    where: dict[str, list[str]] = {}
    for path in sources(".py"):
        for name in re.findall(r"^class (\w+)", path.read_text(), flags=re.MULTILINE):
            where.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert {name: places for name, places in where.items() if len(places) > 1} == {}


def texts() -> Iterator[tuple[Path, str]]:
    """Code, comments and documents as they stand; of tests the names and the prose, for their data may be anything."""
    for path in tracked():
        name = path.relative_to(ROOT)
        if name.parts[0] in PACKAGES and path.suffix in (".py", ".lua", ".js"):
            yield name, f"{name}\n{path.read_text()}"
        elif path.suffix == ".md" and name.name != "CHANGELOG.md":
            yield name, path.read_text()
        elif name.parts[0] == "tests" and path.suffix == ".py" and house.retired(path.read_text()):
            defined = re.findall(r"^ *(?:async )?(?:def|class) (\w+)", path.read_text(), flags=re.MULTILINE)
            yield name, "\n".join([str(name), *defined, *house.prose(path.read_text())])


@pytest.mark.promise("docs-true")
def test_no_code_and_no_document_uses_a_retired_word() -> None:
    wrong = [
        f"{name}: {word} (say: {house.RETIRED[word]})"
        for name, text in texts()
        for word in sorted(set(house.retired(text)))
    ]
    assert wrong == []


@pytest.mark.promise("atomic-steps")
def test_no_other_package_uses_the_store_s_client() -> None:
    used = [path for path in sources(".py") if re.search(r"(?<!tasks\.)store\.redis\b", path.read_text())]
    assert named(used) == []


@pytest.mark.promise("docs-true")
def test_the_documents_name_only_settings_commands_and_targets_that_exist() -> None:
    settings = {env_name(field) for field in Settings.model_fields}
    commands = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    wrong: list[str] = []
    for page in pages():
        text = page.read_text()
        said = {
            *(name for name in re.findall(r"\bCOHORT_[A-Z_]*[A-Z]\b", text) if name not in settings),
            *(f"cohort {name}" for name in shell(text, "cohort") if name not in commands),
            *(f"make {name}" for name in shell(text, "make") if name not in targets),
        }
        wrong += [f"{page.relative_to(ROOT)}: {name}" for name in sorted(said)]
    assert wrong == []


@pytest.mark.promise("docs-true")
def test_every_event_that_operators_are_told_to_watch_is_logged() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    rows = re.findall(r"^\| (`[a-z_]+\.[a-z_]+`[^|]*) \|", page, flags=re.MULTILINE)
    told = {event for row in rows for event in re.findall(r"`([a-z_]+\.[a-z_]+)`", row)}
    assert told
    assert sorted(told - EVENTS.keys()) == []


LOGS = {"debug": 0, "info": 0, "warning": 0, "error": 0, "exception": 0, "critical": 0, "log": 1}
"""The methods of a logger, and which argument is the event."""


CALLED = re.compile(rf"\b_?log\s*\.\s*(?:{'|'.join(LOGS)})\b")


def logged(path: Path) -> Iterator[ast.expr]:
    """What a module gives its logger as the event. Most have none: they are not parsed."""
    text = path.read_text()
    for node in ast.walk(ast.parse(text)) if CALLED.search(text) else ():
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log" | "_log"), attr=method)) if method in LOGS:
                yield node.args[LOGS[method]]
            case _:
                pass


@pytest.mark.promise("docs-true")
def test_every_event_is_dotted_and_stands_in_the_one_file_of_events() -> None:
    """An event that a variable names is chosen among literals, which the test below finds."""
    assert [name for name in EVENTS if re.fullmatch(r"[a-z_]+\.[a-z_]+", name) is None] == []
    wrong = [
        f"{path.relative_to(ROOT)}:{event.lineno}: {ast.unparse(event)}"
        for path in sources(".py")
        for event in logged(path)
        if not (isinstance(event, ast.Name) or (isinstance(event, ast.Constant) and event.value in EVENTS))
    ]
    assert wrong == []


@pytest.mark.promise("docs-true")
def test_every_event_in_the_file_of_events_is_logged() -> None:
    catalogue = ROOT / "tasks" / "events.py"
    code = "\n".join(path.read_text() for path in sources(".py") if path != catalogue)
    assert [event for event in EVENTS if f'"{event}"' not in code] == []


@pytest.mark.promise("docs-true")
def test_every_metric_stands_in_the_operators_page() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    told = re.findall(r"^\| `(cohort_[a-z_]+)` \|", page, flags=re.MULTILINE)
    assert told == re.findall(r'"(cohort_[a-z_]+)"', (ROOT / "tasks" / "metrics.py").read_text())


@pytest.mark.promise("docs-true")
def test_the_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.promise("clean-tree")
def test_no_file_names_a_package_index_or_a_path_of_the_machine_it_was_made_on() -> None:
    assert [line for path in tracked() for line in check_tracked.findings(path)] == []


@pytest.mark.promise("clean-tree")
def test_no_test_is_left_out_and_nothing_is_left_for_later() -> None:
    later = re.compile(
        r"\b(?:TO" + r"DO|FIX" + r"ME)\b|mark\.(?:sk" + r"ip|xf" + r"ail)|pytest\.(?:sk" + r"ip|xf" + r"ail)\("
    )
    paths = [path for path in tracked() if path.suffix in (".py", ".lua", ".js", ".sh", ".md")]
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if later.search(line)
    ]
    assert found == []
