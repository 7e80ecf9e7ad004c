"""Several bots in one runtime: each has its agents and its model, and is given the files of its own token."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.chats.roles import RoleRules
from tasks.config.settings import Settings, load
from tasks.envelope import Media
from tasks.operator_files.bots_file import BotEntry
from tasks.session import SessionKey
from tests.runtime.support import Open, Screen, ask, card, inbound
from tests.support.model import Model
from workers.interfaces import MediaSource, TurnFailed
from workers.runtime.askers import KnownRoles


class Files:
    """The files of one bot."""

    def __init__(self, folder: Path, says: str) -> None:
        self.path = folder / says
        self.path.write_text(says)

    async def fetch(self, media: Media) -> Path:
        return self.path


class Bots:
    def __init__(self, folder: Path, **entries: BotEntry) -> None:
        self.entries_by_bot: Mapping[int, BotEntry] = {
            int(name.removeprefix("b")): one for name, one in entries.items()
        }
        self.files = {bot: Files(folder, f"file of {bot}") for bot in self.entries_by_bot}

    def settings(self, bot: int) -> Settings:
        return load({"COHORT_ADMINS": str(bot)})

    def media(self, session: SessionKey) -> MediaSource:
        return self.files[session.bot]

    def entries(self) -> Mapping[int, BotEntry]:
        return self.entries_by_bot

    def entry(self, session: SessionKey) -> BotEntry:
        return self.entries_by_bot[session.bot]


@pytest.mark.promise("many-bots")
async def test_a_bot_has_its_agents_model_and_files_and_no_other_bots(
    runtime: Open, model: Model, cards: Path, tmp_path: Path
) -> None:
    card(cards, "poet.md", "---\nname: poet\nmodel: generic.rhymes\n---\nYou are a poet.\n")
    bots = Bots(
        tmp_path,
        b1=BotEntry("one", "ONE", ("poet",)),
        b2=BotEntry("two", "TWO", model="generic.big"),
        b3=BotEntry("three", "THREE", ("gone", "assistant")),
        b4=BotEntry("four", "FOUR", ("gone",)),
    )
    chats = tmp_path / "chats.yaml"
    chats.write_text("chats:\n  8: {agent: assistant, model: generic.small}\n")
    async with runtime(COHORT_LANES="1", COHORT_CHATS=str(chats), bots=bots) as engine:

        async def answering(bot: int, chat: int = 1, **chosen: str) -> tuple[str, str]:
            await engine.run(replace(ask(chat, "hi", **chosen), session=SessionKey(bot, chat)), Screen())
            call = list(model.journal)[-1]
            return call.model, "poet" if "You are a poet" in str(call) else "assistant"

        assert await answering(1) == ("rhymes", "poet")
        assert await answering(1, agent="assistant") == ("rhymes", "poet"), "an agent that it does not offer"
        assert await answering(1, chat=8) == ("small", "poet"), "nor by the file of chats"
        assert await answering(2) == ("big", "assistant")
        assert await answering(2, agent="poet") == ("big", "poet"), "all are offered where none is named"
        assert await answering(2, chat=8) == ("small", "assistant"), "a chat's model goes before its bot's"
        assert await answering(3) == ("mock", "assistant"), "an agent without a card is passed over"
        with pytest.raises(TurnFailed, match="no card of gone"):
            await answering(4)
        media = Media(kind="document", file_id="f", mime="text/plain")
        for bot in (1, 2):
            request = ask(1, inbound(1, "read", media=(media,)))
            await engine.run(replace(request, session=SessionKey(bot, 1)), Screen())
            assert f"file of {bot}" in str(list(model.journal)[-1])


async def test_an_admin_of_one_bot_is_a_stranger_to_another(tmp_path: Path) -> None:
    bots = Bots(tmp_path, b1=BotEntry("one", "ONE"), b2=BotEntry("two", "TWO"))
    known = KnownRoles(bots.settings, None)
    assert [(await known.access(bot, RoleRules())).role(1, 1) for bot in (1, 2)] == ["admin", None]
