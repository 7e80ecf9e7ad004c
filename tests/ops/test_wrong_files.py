"""Settings files that are missing, of another kind or unreadable: one line from each command that needs them."""

from pathlib import Path

import pytest

from tasks.config.environ import written
from tasks.config.settings import load
from tasks.errors import Misconfigured
from tests.conftest import TOKEN
from tests.harness.command import cohort
from workers.runtime.cards.checks import check_cards

KINDS = ("missing", "a directory", "no text", "no YAML", "a list")


def made(kind: str, path: Path) -> Path:
    """A file that is wrong in this way."""
    match kind:
        case "a directory":
            path.mkdir()
        case "no text":
            path.write_bytes(b"default_model: \xff\xfe\n")
        case "no YAML":
            path.write_text("a: [\n")
        case "a list":
            path.write_text("- a\n")
        case _:
            pass
    return path


@pytest.mark.promise("settings-clear")
@pytest.mark.parametrize(
    ("command", "kind"),
    [*((("up",), kind) for kind in KINDS), (("worker",), "missing"), (("cards", "check"), "missing")],
)
def test_a_configuration_that_was_named_and_is_wrong_is_one_line(
    tmp_path: Path, redis_url: str, command: tuple[str, ...], kind: str
) -> None:
    config = made(kind, tmp_path / "mine.yaml")
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "FLOWER_PORT": "0"}
    done = cohort(*command, home=tmp_path / "home", COHORT_CONFIG=str(config), **given)
    assert done.returncode == 2, done.stdout + done.stderr
    assert str(config) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.promise("settings-clear")
@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_names_what_is_wrong_with_a_configuration_that_was_named(tmp_path: Path, kind: str) -> None:
    config = made(kind, tmp_path / "mine.yaml")
    try:
        problems = [str(problem) for problem in check_cards(load({"COHORT_CONFIG": str(config)}))]
    except Misconfigured as refused:
        problems = str(refused).splitlines()
    about_it = [line for line in problems if str(config) in line]
    assert len(about_it) == 1
    assert "\n" not in about_it[0]


@pytest.mark.promise("settings-clear")
def test_a_file_of_settings_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"TELEGRAM_BOT_TOKEN=1:\xff\n")
    done = cohort("config", home=tmp_path / "home", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "cohort: .env: is not UTF-8 text\n")


@pytest.mark.promise("settings-clear")
def test_a_link_to_nowhere_in_the_place_of_a_file_of_settings_is_told(tmp_path: Path) -> None:
    (file := tmp_path / ".env").symlink_to(tmp_path / "gone")
    with pytest.raises(Misconfigured, match=r"\.env: is a link that leads nowhere"):
        written(file)
    file.unlink()
    assert written(file) == {}


@pytest.mark.promise("settings-clear")
def test_a_card_that_says_what_becomes_of_a_call_in_doubt_is_accepted_by_a_process_that_read_no_card_before(
    tmp_path: Path, redis_url: str
) -> None:
    (cards := tmp_path / "agent-cards").mkdir()
    (cards / "tool.py").write_text('def order() -> str:\n    """Order."""\n    return "done"\n')
    head = "---\nname: a\nmodel: passthrough\nfunction_tools:\n  - entrypoint: tool.py:order\n    in_doubt: fail\n---\n"
    (cards / "a.md").write_text(f"{head}You order.\n")
    done = cohort("cards", "check", home=tmp_path, cwd=tmp_path, REDIS_URL=redis_url, TELEGRAM_BOT_TOKEN=TOKEN)
    assert done.returncode == 0, done.stdout + done.stderr
