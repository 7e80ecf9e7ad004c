"""The house: what files look like, and that the documents say what the code does."""

import ast
import re
from pathlib import Path

import pytest

from bot.texts import ADMIN_COMMANDS, COMMANDS
from ops.cli import app
from tasks import keys
from tasks.chats.command_names import CONVERSATIONS
from tasks.config.settings import Settings, env_name
from tasks.events import EVENTS
from tests.support.tree import (
    OF_AN_OPERATOR,
    PACKAGES,
    ROOT,
    anchored,
    anchors,
    is_missing,
    links,
    logged,
    long_lines,
    named,
    names_a_file,
    opening,
    pages,
    run_in,
    shell,
    sources,
    texts,
    tracked,
    types,
)
from tools import check_tracked, house, settings_table

LINES = 300
LUA_LINES = 60
"""Lines of code; the header and comments are free."""
FUNCTION_LINES = {"bot": 55, "workers": 63, "botapi": 51, "tasks": 52, "ops": 51, "playground": 51}
"""Of the longest function; 51 is the aim. A number only falls."""


@pytest.mark.promise("small-files")
def test_a_file_holds_one_idea_and_so_at_most_300_lines() -> None:
    code = [path for path in tracked() if path.suffix in (".py", ".lua", ".js")]
    assert named([path for path in code if len(path.read_text().splitlines()) > LINES]) == []


@pytest.mark.promise("small-files")
def test_no_function_is_longer_than_the_longest_of_its_package() -> None:
    found = {path: house.longest_function(path.read_text()) for path in sources(".py")}
    limits = {path: FUNCTION_LINES.get(path.relative_to(ROOT).parts[0], 51) for path in found}
    assert named([path for path in found if found[path] > limits[path]]) == []


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


@pytest.mark.promise("docs-true")
def test_no_line_of_prose_in_a_document_is_longer_than_two_hundred_characters() -> None:
    assert [f"{page.relative_to(ROOT)}: {line[:60]}" for page in pages() for line in long_lines(page)] == []


@pytest.mark.promise("docs-true")
def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in links(page)
        if not (page.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.promise("docs-true")
def test_every_link_to_a_heading_leads_to_one() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target.name}#{heading}"
        for page in pages()
        for target, heading in anchored(page)
        if heading not in anchors(target)
    ]
    assert broken == []


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
def test_a_name_of_a_class_or_a_type_has_one_meaning_in_all_packages() -> None:
    """Aliases that say the same have one meaning, wherever they stand."""
    meanings: dict[str, set[str]] = {}
    for path in sources(".py"):
        for name, meaning in types(path):
            meanings.setdefault(name, set()).add(meaning)
    assert {name: sorted(places) for name, places in meanings.items() if len(places) > 1} == {}


@pytest.mark.promise("docs-true")
def test_no_code_and_no_document_uses_a_retired_word() -> None:
    wrong = [
        f"{name}: {word} (say: {(house.RETIRED | house.RETIRED_NAMES)[word]})"
        for name, text in texts()
        for word in sorted(set(house.retired(text)))
    ]
    assert wrong == []


@pytest.mark.promise("small-files")
def test_what_a_number_is_written_like_is_told_at_one_place() -> None:
    """``tasks.text.is_digits``; the playground imports no package of ours."""
    spelled = re.compile(r"\.isascii\(\) and \S+\.isd|\.isd\w+\(\) and \S+\.isascii")
    found = [path for path in sources(".py") if spelled.search(path.read_text())]
    assert named(found) == ["playground/options.py", "tasks/text.py"]


@pytest.mark.promise("atomic-steps")
def test_no_other_package_uses_the_store_s_client() -> None:
    sees = re.compile(r"(?<!tasks\.)store\._?redis\b")
    used = [path for path in (*sources(".py"), *(ROOT / "tests").rglob("*.py")) if sees.search(path.read_text())]
    assert named(used) == ["tests/support/redis_of.py"]


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
def test_every_command_stands_in_the_readme() -> None:
    page = (ROOT / "README.md").read_text()
    commands = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}
    assert sorted(commands - shell(page, "cohort")) == []
    said = {f"/{name}" for name in (*COMMANDS, *ADMIN_COMMANDS, *CONVERSATIONS)}
    assert sorted(said - set(re.findall(r"`(/[a-z]+)`", page))) == []


@pytest.mark.promise("docs-true")
def test_every_event_that_operators_are_told_to_watch_is_logged() -> None:
    page = (ROOT / "docs" / "watching.md").read_text()
    rows = re.findall(r"^\| (`[a-z_]+\.[a-z_]+`[^|]*) \|", page, flags=re.MULTILINE)
    told = {event for row in rows for event in re.findall(r"`([a-z_]+\.[a-z_]+)`", row)}
    assert told
    assert sorted(told - EVENTS.keys()) == []


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
    page = (ROOT / "docs" / "watching.md").read_text()
    told = re.findall(r"^\| `(cohort_[a-z_]+)` \|", page, flags=re.MULTILINE)
    assert told == re.findall(r'"(cohort_[a-z_]+)"', (ROOT / "tasks" / "telemetry" / "metrics.py").read_text())


@pytest.mark.promise("docs-true")
def test_the_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.promise("docs-true")
def test_each_decision_says_under_its_heading_its_date_its_status_and_when_to_revisit_it() -> None:
    status = r"Status: (?:holds|replaced by \[\d+\]\(\S+\))\."
    head = re.compile(rf"# \d+\. \S.+\n\nDate: 20\d\d-[01]\d-[0-3]\d\. {status} Revisit when \S+ .+")
    pages = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert named([page for page in pages if not head.match(page.read_text())]) == []


@pytest.mark.promise("docs-true")
def test_the_list_of_decisions_has_each_by_its_heading() -> None:
    folder = ROOT / "docs" / "adr"
    heads = [(path.read_text().partition("\n")[0], path.name) for path in sorted(folder.glob("[0-9]*.md"))]
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", (folder / "README.md").read_text(), flags=re.MULTILINE)
    assert listed == [(head.removeprefix("# "), name) for head, name in heads]


@pytest.mark.promise("docs-true")
def test_a_docstring_that_explains_several_names_gives_each_a_line() -> None:
    assert [said for path in sources(".py") for said in run_in(path)] == []


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
