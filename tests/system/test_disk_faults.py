"""The state directory takes no files under running processes: all is answered, and people and operators read why."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tasks.phrases import phrase
from tests.harness.checker import check
from tests.harness.command import cohort
from tests.harness.counters import call
from tests.harness.scene import Scene, scene

LARGE = 70_000
"""Bytes that do not stand in a reply."""


def replace(home: Path, *, by_file: bool) -> None:
    """Take the directory or the file away; a file stands there then, or nothing."""
    if home.is_dir():
        shutil.rmtree(home)
    home.unlink(missing_ok=True)
    if by_file:
        home.write_text("no directory")


async def texts(stage: Scene, chat: int) -> str:
    return "\n".join(message.get("text", "") for message in await stage.people.bot_messages(chat))


async def order(stage: Scene, chat: int, number: int, files: str) -> None:
    ordered = call("attaching", f"m{number:06d}q-1", files=files)
    await stage.answered(chat, await stage.say(chat, ordered))


@pytest.mark.promise("disk-refuses")
@pytest.mark.parametrize("stands_there", ["a file", "nothing"])
async def test_files_are_left_out_and_told_while_the_state_directory_takes_none(
    tmp_path: Path, stands_there: str
) -> None:
    async with scene(tmp_path, "--same-ids", "--marks", tools=True) as stage:
        stage.harness.seeing()
        await stage.start()
        home = Path(stage.harness.environ["COHORT_HOME"])
        refused = stands_there == "a file"
        replace(home, by_file=refused)
        chat = await stage.chat()
        await stage.answered(chat, await stage.send(chat, "png", LARGE))
        await order(stage, chat, 2, "txt:0")
        await order(stage, chat, 3, f"txt:{LARGE}")
        # A worker that starts now serves, too.
        later = stage.worker()
        await asyncio.to_thread(later.wait_line, "slots.served")
        told = await texts(stage, chat)
        assert (phrase("file-no-room") in told) == refused
        assert (phrase("files-unkept", count=1) in told) == refused
        environ = {name: value for name, value in stage.harness.environ.items() if name != "COHORT_HOME"}
        why = f"{home} takes no files (Not a directory)"
        status = await asyncio.to_thread(cohort, "status", "--json", home=home, **environ)
        assert (why in status.stdout) == refused
        # Another machine, whose own directory takes files, knows it of the workers.
        for command in ("status", "health"):
            told_there = await asyncio.to_thread(cohort, command, home=tmp_path / "another", **environ)
            assert (f": {why}" in " ".join(told_there.stdout.split())) == refused, command
        doctor = await asyncio.to_thread(cohort, "doctor", home=home, **environ)
        assert (why in doctor.stdout) == refused
        if refused:
            replace(home, by_file=False)
        # It takes files again, and so does the worker, which was not restarted.
        await stage.answered(chat, await stage.send(chat, "txt", LARGE))
        await order(stage, chat, 5, f"txt:{LARGE}")
        await stage.at_rest()
        found = check(await stage.told())
    # An answer with a line below it is not the model's own, word for word; without one nothing is wrong at all.
    rules = {violation.rule for violation in found.violations}
    assert rules & {"accepted", "doubled", "order", "one turn"} == set()
    assert refused or rules == set()
    assert (found.files, found.seen) == (2, 1) if refused else (3, 2)
