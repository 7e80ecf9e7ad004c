"""Settings files that are missing, of another kind or unreadable: one line from each command that needs them."""

from pathlib import Path

import pytest

from tasks.settings import load
from tests.conftest import TOKEN
from tests.ops.conftest import cohort
from workers.runtime.cards import check_cards

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
    problems = [str(problem) for problem in check_cards(load({"COHORT_CONFIG": str(config)}))]
    about_it = [line for line in problems if str(config) in line]
    assert len(about_it) == 1
    assert "\n" not in about_it[0]


@pytest.mark.promise("settings-clear")
def test_a_file_of_settings_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"TELEGRAM_BOT_TOKEN=1:\xff\n")
    done = cohort("config", home=tmp_path / "home", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "cohort: .env: is not UTF-8 text\n")
