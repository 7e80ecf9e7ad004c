"""What an operator sees: the banner, and lines that a stopped terminal cannot hold up."""

import io
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ops import model
from ops.model import ChosenModel
from ops.up import banner, console, plan
from tasks.chats.pairing import link, new_code
from tasks.config.settings import load

DEMO = model.choose(model.Given(None, {}, {}, [None]))


def facts(choice: ChosenModel = DEMO, *, home: Path = Path("/somewhere/state"), **environ: str) -> banner.Facts:
    drawn = plan.Plan(load(environ), environ, None if "TELEGRAM_BOT_TOKEN" in environ else 8081, 5555)
    return banner.Facts(drawn, choice, "embedded Valkey, data in .cohort/valkey", home, 4.2, ("Redis forgets",))


@pytest.mark.parametrize("colour", [True, False])
def test_the_banner_says_where_and_who_answers_and_what_the_real_thing_takes(colour: bool) -> None:
    page = banner.render(facts(), colour=colour)
    for part in ("http://127.0.0.1:8081", "http://127.0.0.1:5555", "SmolLM2", "Redis forgets"):
        assert part in page
    assert "TELEGRAM_BOT_TOKEN" in page
    assert "ANTHROPIC_API_KEY" in page
    assert ("\x1b[" in page) is colour


def test_the_banner_fits_80_columns_and_has_no_colours_outside_a_terminal() -> None:
    for choice in (DEMO, model.echo(DEMO, "does not run here (see .cohort/logs/model.log)")):
        page = banner.render(facts(choice), colour=False)
        assert max(len(line) for line in page.splitlines()) <= 80


def test_the_banner_of_a_real_bot_names_it_without_its_secret() -> None:
    page = banner.render(
        facts(ChosenModel("haiku", "COHORT_MODEL names it"), TELEGRAM_BOT_TOKEN="42:secret"), colour=False
    )
    assert "bot 42 at https://api.telegram.org" in page
    assert "secret" not in page
    assert "For the real thing" not in page


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("name", ["tea_bot", "b" * 29 + "bot"])
def test_the_link_that_makes_an_owner_stands_in_one_line(name: str, *, colour: bool) -> None:
    code = new_code()
    lines = (link(name, code), f"code: {code}", "who uses it first becomes the owner")
    page = banner.render(replace(facts(TELEGRAM_BOT_TOKEN="42:secret"), pairing=lines), colour=colour)
    assert [line for line in page.splitlines() if code in line] == [f"    {line}" for line in lines[:2]]
    assert f"https://t.me/{name}?start={code}" in page
    assert "The bot has no owner yet." in page


class Stopped(io.StringIO):
    """A terminal after Ctrl-S."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def write(self, text: str) -> int:
        self.go.wait(60)
        return super().write(text)


def test_a_stopped_terminal_blocks_no_process_and_the_file_has_every_line(tmp_path: Path) -> None:
    terminal = Stopped()
    seen = console.Console(tmp_path, terminal, colour=False)
    with seen.writing():
        for number in range(5000):
            seen.child("bot", f"line {number}", echo=True)
        terminal.go.set()
        seen.say("after")
    assert len((tmp_path / "bot.log").read_text().splitlines()) == 5000
    shown = terminal.getvalue().splitlines()
    assert 1000 < len(shown) < 5000


def test_a_quiet_process_is_only_kept(tmp_path: Path) -> None:
    terminal = io.StringIO()
    seen = console.Console(tmp_path, terminal, colour=False)
    with seen.writing():
        seen.child("flower", "chatter", echo=False)
        seen.child("bot", "news", echo=True)
    assert terminal.getvalue().splitlines() == ["bot        | news"]
    assert (tmp_path / "flower.log").read_text() == "chatter\n"
    assert seen.last("flower") == ["chatter"]


def test_a_log_file_is_put_aside_when_it_is_full(tmp_path: Path) -> None:
    file = console.LogFile(tmp_path / "bot.log", limit=100)
    for number in range(30):
        file.write(f"line {number}")
    file.close()
    assert (tmp_path / "bot.log").stat().st_size <= 110
    assert "line 29" in (tmp_path / "bot.log").read_text()
    assert (tmp_path / "bot.log.1").is_file()


def test_a_log_file_that_was_moved_away_deleted_or_could_not_be_opened_goes_on(tmp_path: Path) -> None:
    path, folder = tmp_path / "logs" / "bot.log", tmp_path / "logs"
    file = console.LogFile(path, limit=100)
    file.write("first")
    path.rename(tmp_path / "aside.log")
    file.write("second")
    assert path.read_text() == "second\n"
    shutil.rmtree(folder)
    file.write("third")
    assert path.read_text() == "third\n"
    for number in range(30):  # deleted when its time to be put aside has come
        path.unlink(missing_ok=True)
        file.write(f"a long line {number}")
    assert path.read_text() == "a long line 29\n"
    shutil.rmtree(folder)
    folder.touch()
    with pytest.raises(OSError, match="logs"):
        file.write("lost")
    folder.unlink()
    file.write("after the fault")
    file.close()
    assert path.read_text() == "after the fault\n"


def test_a_line_with_bytes_that_are_no_text_is_kept(tmp_path: Path) -> None:
    seen = console.Console(tmp_path, io.StringIO(), colour=False)
    with seen.writing():
        seen.say(f"cannot read {os.fsdecode(b'card-\xff.md')}")
    assert (tmp_path / "cohort.log").read_text() == "cannot read card-\\udcff.md\n"
