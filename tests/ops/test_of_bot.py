"""`--bot` of each command that lists: of two bots with chats of the same number it shows one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.chats.access import Person
from tasks.chats.feedback import Opinion
from tasks.clock import SystemClock
from tasks.config.settings import Settings
from tasks.envelope import DeadLetter, Inbound
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.intake import Accept
from tasks.turn_record import TurnRecord
from tests.harness.command import cohort

SHOP, BANK = SessionKey(20, 7), SessionKey(202, 7)
TAKEN_OUT = SessionKey(9, 7)
type Environ = dict[str, str]

COMMANDS: dict[tuple[str, ...], Callable[[Any], list[str]]] = {
    ("sessions", "list"): lambda told: [one["session"] for one in told["sessions"]],
    ("feedback",): lambda told: [one["session"] for one in told["feedback"]],
    ("find", "7"): lambda told: sorted({one["session"] for part in told.values() for one in part}),
    ("dead", "list"): lambda told: [one["session"] for one in told["letters"]],
    ("chats",): lambda told: [f"{one['bot']}:{one['chat']}" for one in told["chats"]],
    ("people",): lambda told: [f"{one['bot']}:{one['id']}" for one in told["people"]],
}


@pytest.fixture
async def environ(store: Store, settings: Settings, tmp_path: Path) -> Environ:
    """Two bots that are served and one that was taken out, each with something in each list."""
    bots = tmp_path / "bots.yaml"
    bots.write_text("bots:\n  shop: {token: $SHOP}\n  bank: {token: $BANK}\n")
    for key in (SHOP, BANK, TAKEN_OUT):
        said = Inbound(session=str(key), update_id=1, at=1.0, text="hello", message_id=1)
        letter = DeadLetter(reason="why", at=1.0, session=str(key), update_id=2, inbound=said)
        await store.intake.accept(key.bot, [Accept(1, inbound=said), Accept(2, dead=letter)])
        await store.trail.append([TurnRecord(session=str(key), updates=(3,), outcome="answered")])
        await store.feedback.put(Opinion(key, 1, 5, 7, "up", SystemClock().now()))
        await store.closed.close(key.bot, key.chat, "blocked")
        await store.people.put(key.bot, key.chat, Person(role="member", name="Ann"))
    return {"REDIS_URL": settings.redis, "COHORT_BOTS": str(bots), "SHOP": "20:t", "BANK": "202:t"}


@pytest.mark.promise("many-bots")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
async def test_a_list_shows_one_bot_by_its_name_or_number_and_an_error_names_those_there_are(
    environ: Environ, tmp_path: Path, words: tuple[str, ...]
) -> None:
    for bot, key in (("shop", SHOP), ("bank", BANK), ("202", BANK), ("9", TAKEN_OUT)):
        done = cohort(*words, "--json", "--bot", bot, home=tmp_path, **environ)
        assert (done.returncode, done.stderr) == (0, "")
        assert COMMANDS[words](json.loads(done.stdout)) == [str(key)]
    both = json.loads(cohort(*words, "--json", home=tmp_path, **environ).stdout)
    assert {str(SHOP), str(BANK)} <= set(COMMANDS[words](both))
    for wrong in ("none", "77"):
        done = cohort(*words, "--bot", wrong, home=tmp_path, **environ)
        assert (done.returncode, done.stdout) == (2, "")
        assert "there are shop (20), bank (202)" in done.stderr


@pytest.mark.promise("many-bots")
async def test_dead_letters_of_one_bot_are_retried_or_dropped_together(
    store: Store, environ: Environ, tmp_path: Path
) -> None:
    (mine,) = await store.dead.list(bot=BANK.bot)
    assert "names its bot" in cohort("dead", "drop", mine.id, "--bot", "bank", home=tmp_path, **environ).stderr
    assert "put back: 1\n" in cohort("dead", "retry", "--all", "--bot", "bank", home=tmp_path, **environ).stdout
    assert "dropped: 1\n" in cohort("dead", "drop", "--all", "--bot", "shop", home=tmp_path, **environ).stdout
    assert [dead.bot for dead in await store.dead.list()] == [TAKEN_OUT.bot]


async def test_without_a_file_of_bots_the_number_of_the_one_is_taken_and_a_name_refused(
    environ: Environ, settings: Settings, tmp_path: Path
) -> None:
    alone = {"REDIS_URL": settings.redis, "TELEGRAM_BOT_TOKEN": "20:t"}
    done = cohort("dead", "list", "--json", "--bot", "20", home=tmp_path, **alone)
    assert [one["session"] for one in json.loads(done.stdout)["letters"]] == [str(SHOP)]
    done = cohort("dead", "list", "--bot", "shop", home=tmp_path, **alone)
    assert (done.returncode, "there is one bot here" in done.stderr) == (2, True)
