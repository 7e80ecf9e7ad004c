"""A worker that starts while the operator's files are broken goes on with the agents of before, and says so."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tasks.config.settings import Settings
from tasks.errors import Misconfigured
from tasks.operator_files import kept_cards
from tests.runtime.support import ASSISTANT, Screen, StillClock, ask, card, until
from tests.support.model import Model
from workers.runtime import last_good
from workers.runtime.engine import Engine

type SettingsOf = Callable[..., Settings]
type Start = Callable[[], AbstractAsyncContextManager[Engine]]

TOOL = 'def look() -> str:\n    """Look."""\n    return "found"\n'
WITH_TOOL = (
    "---\nname: assistant\ndefault: true\nmodel: generic.mock\nfunction_tools: ['tools.py:look']\n---\nYou help.\n"
)


@pytest.fixture
def started(settings_of: SettingsOf, clock: StillClock) -> Start:
    """A worker's runtime, as a start makes it."""

    @asynccontextmanager
    async def start() -> AsyncGenerator[Engine]:
        async with AsyncExitStack() as stack:
            yield await last_good.opened(stack, settings_of(), lambda chosen: Engine(chosen, clock))

    return start


async def told(engine: Engine, model: Model) -> str:
    """What the model was told that it is."""
    await engine.run(ask(1, "hi"), Screen())
    return str(list(model.journal)[-1])


def without(path: Path) -> None:
    path.unlink()


def as_a_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


BROKEN: dict[str, Callable[[Path, Path], object]] = {
    "a card cut off": lambda cards, _: card(cards, "assistant.md", "---\nname: assistant\nmodel: [\n---\n"),
    "a card of a tool that is gone": lambda cards, _: without(cards / "tools.py"),
    "a tool that does not load": lambda cards, _: card(cards, "tools.py", "import nothing_of_this_name\n"),
    "no card left": lambda cards, _: without(cards / "assistant.md"),
    "a directory renamed": lambda cards, _: cards.rename(cards.with_name("away")),
    "a file in its place": lambda cards, _: (cards.rename(cards.with_name("away")), cards.write_text("x")),
    "a card that cannot be opened": lambda cards, _: as_a_link_to_itself(cards / "assistant.md"),
    "a configuration that is no YAML": lambda _, config: config.write_text("generic: [\n"),
    "a configuration with a wrong setting": lambda _, config: config.write_text("llm_retries: many\n"),
}


@pytest.mark.promise("cards-kept")
@pytest.mark.parametrize("how", BROKEN)
async def test_a_start_with_broken_files_goes_on_with_the_agents_of_before_and_says_why(
    started: Start, cards: Path, config: Path, model: Model, how: str
) -> None:
    card(cards, "tools.py", TOOL)
    card(cards, "assistant.md", WITH_TOOL)
    async with started() as engine:
        assert engine.sets.stand_ins == []
    BROKEN[how](cards, config)
    async with started() as engine:
        assert "You help." in await told(engine, model)
        (why,) = engine.sets.stand_ins
        assert str(config if "configuration" in how else cards) in why
        with pytest.raises(Misconfigured):
            await engine.reload()
        assert engine.sets.stand_ins == [why]


async def test_a_first_start_with_a_broken_card_is_refused_as_ever(started: Start, cards: Path) -> None:
    card(cards, "assistant.md", "---\nname: assistant\nmodel: [\n---\n")
    with pytest.raises(Misconfigured, match=r"assistant\.md:3: not YAML"):
        async with started():
            pass


@pytest.mark.promise("cards-kept")
@pytest.mark.parametrize("broken", ["a card cut off", "a configuration that is no YAML"])
async def test_a_worker_with_kept_cards_tells_its_operator_and_ends_when_the_files_are_mended(
    started: Start, cards: Path, config: Path, model: Model, broken: str
) -> None:
    before = config.read_bytes()  # noqa: ASYNC240 - a test's own file
    async with started():
        pass
    BROKEN[broken](cards, config)
    said, ended = list[tuple[str, str]](), asyncio.Event()

    async def alert(cause: str, detail: str) -> None:
        said.append((cause, detail))

    async with started() as engine, asyncio.TaskGroup() as group:
        follow = last_good.come_back(engine, engine.reload, alert=alert, end=ended.set, every_s=0.01)
        group.create_task(follow, name="mended cards")
        await until(lambda: bool(said))
        card(cards, "other.md", "---\nname: other\nagents: [ghost]\n---\nYou.\n")
        assert not ended.is_set()
        config.write_bytes(before)  # noqa: ASYNC240 - the same
        card(cards, "assistant.md", ASSISTANT.replace("You are an assistant.", "You are mended."))
        (cards / "other.md").unlink()
        async with asyncio.timeout(60):
            await ended.wait()
    assert len(said) == 1
    async with started() as engine:
        assert "You are mended." in await told(engine, model)
        assert engine.sets.stand_ins == []
    (cards / "assistant.md").unlink()
    async with started() as engine:
        assert "You are mended." in await told(engine, model)


async def test_cards_that_were_changed_while_agents_were_made_of_them_are_not_kept(
    settings_of: SettingsOf, cards: Path
) -> None:
    settings = settings_of()
    before = kept_cards.snapshot(settings)
    card(cards, "assistant.md", "---\nname: assistant\nmodel: [\n---\n")
    kept_cards.keep(settings, before)
    assert list(kept_cards.kept(settings)) == []


def test_of_many_changes_few_copies_stay_and_secrets_are_linked(
    settings_of: SettingsOf, cards: Path, config: Path
) -> None:
    settings = settings_of()
    for number in range(6):
        card(cards, "assistant.md", ASSISTANT + str(number))
        kept_cards.keep(settings, kept_cards.snapshot(settings))
    card(cards, "assistant.md", "---\n")
    config.write_text("a: [")
    newest, whole = kept_cards.kept(settings)
    assert (newest.cards / "assistant.md").read_text().endswith("5")
    assert (newest.config, whole.cards) == (config, newest.cards)
    assert len([path for path in newest.cards.parent.parent.iterdir() if path.is_dir()]) == 3
    assert (whole.config.parent / "fastagent.secrets.yaml").is_symlink()


def test_a_state_directory_that_takes_no_file_stops_nothing(
    settings_of: SettingsOf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "home").write_text("in the way")
    settings = settings_of()
    kept_cards.keep(settings, kept_cards.snapshot(settings))
    assert [record.message for record in caplog.records] == ["cards.not_kept"]
    assert list(kept_cards.kept(settings)) == []


def test_what_is_no_file_beside_the_cards_is_not_waited_for_and_a_huge_one_is_not_read(
    settings_of: SettingsOf, cards: Path
) -> None:
    settings = settings_of()
    before = kept_cards.snapshot(settings)
    os.mkfifo(cards / "pipe.md")
    (cards / "circle.md").symlink_to(cards / "circle.md")
    (cards / "endless.txt").symlink_to("/dev/zero")
    assert kept_cards.snapshot(settings) == before is not None
    with (cards / "notes.db").open("wb") as sparse:
        sparse.truncate(2**40)
    assert kept_cards.snapshot(settings) is None
