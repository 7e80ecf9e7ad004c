"""Cards and chat rules of single bots: one runtime has several sets of agents, and no name reaches another set."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.config.settings import Settings
from tasks.errors import Misconfigured
from tasks.operator_files.bots_file import BotEntry
from tasks.session import SessionKey
from tests.runtime.support import ASSISTANT, Open, Screen, ask, card
from tests.runtime.test_bots import Bots
from tests.support.model import Model
from workers.interfaces import TurnFailed, TurnResult
from workers.runtime.cards.checks import looked_at
from workers.runtime.engine import Engine

TOOLS = 'def stock() -> str:\n    """Look."""\n    return "{said}"\n'


class Served(Bots):
    """Bots with directories of their own."""

    def __init__(self, folder: Path, **directories: Path | None) -> None:
        super().__init__(folder, **dict.fromkeys(directories, BotEntry("any", "T")))
        self.now(**directories)

    def now(self, **directories: Path | None) -> None:
        own = {name: {} if one is None else {"COHORT_CARDS": str(one)} for name, one in directories.items()}
        self.entries_by_bot: Mapping[int, BotEntry] = {
            int(name.removeprefix("b")): BotEntry(f"bot-{name}", "T", own=given) for name, given in own.items()
        }


def directory(tmp_path: Path, name: str) -> Path:
    """Cards of a bot: `assistant`, which uses `helper`, `clerk`, and a tool, all as every other bot has them."""
    found = tmp_path / name
    found.mkdir()
    card(found, "tools.py", TOOLS.format(said=f"stock of {name}"))
    head = "model: generic.mock\nfunction_tools: ['tools.py:stock']"
    card(found, "assistant.md", f"---\ndefault: true\n{head}\nagents: [helper]\n---\nYou are the {name}.\n")
    card(found, "helper.md", f"---\n{head}\ntool_only: true\n---\nYou help the {name}.\n")
    card(found, f"{name}-clerk.md", f"---\n{head}\ndescription: {'of ' * 90}\n---\nYou are a clerk of the {name}.\n")
    return found


async def said(
    engine: Engine, model: Model, bot: int, chat: int = 1, text: str = "hi", **chosen: str
) -> tuple[str, TurnResult]:
    """What the model was told that it is."""
    done = await engine.run(replace(ask(chat, text, **chosen), session=SessionKey(bot, chat)), Screen())
    return str(list(model.journal)[-1]), done


@pytest.mark.promise("bot-cards")
@pytest.mark.parametrize("lanes", ["1", "4"])
async def test_a_name_in_two_directories_is_two_agents_and_reaches_from_none_to_another(
    runtime: Open, model: Model, tmp_path: Path, lanes: str
) -> None:
    shop, bank = directory(tmp_path, "shop"), directory(tmp_path, "bank")
    chats = tmp_path / "chats.yaml"
    chats.write_text("chats:\n  8: {agent: bank-clerk}\n")
    bots = Served(tmp_path, b1=None, b2=shop, b3=bank, b4=shop)
    async with runtime(COHORT_LANES=lanes, COHORT_CHATS=str(chats), bots=bots) as engine:
        await engine.sets.refresh()
        for _ in range(2):
            for bot, words in ((1, "You are an assistant"), (2, "You are the shop"), (3, "You are the bank")):
                told, _ = await said(engine, model, bot)
                assert words in told
                assert not any(f"the {other}" in told for other in {"shop", "bank"} - {words.split()[-1]})
        assert engine.agents == ("assistant",)
        assert engine.sets.named() == {
            "2": ("assistant", "shop-clerk"), "3": ("assistant", "bank-clerk"), "4": ("assistant", "shop-clerk"),
        }  # fmt: skip
        cut = "of " * 39 + "of…"
        assert engine.sets.descriptions_of(2).usual == {"shop-clerk": cut}
        # By the chat's choice, and by the operator's file of chats.
        for bot, words in ((1, "You are an assistant"), (2, "You are the shop"), (4, "You are the shop")):
            told, done = await said(engine, model, bot, agent="bank-clerk")
            assert (words in told, done.dropped) == (True, ("agent",))
            assert words in (await said(engine, model, bot, chat=8))[0]
        assert "a clerk of the bank" in (await said(engine, model, 3, chat=8))[0]
        assert "a clerk of the shop" in (await said(engine, model, 4, agent="shop-clerk"))[0]
        assert engine.lanes.made <= int(lanes)


@pytest.mark.promise("bot-cards")
async def test_tools_and_agents_as_tools_are_those_of_the_own_directory(
    runtime: Open, model: Model, tmp_path: Path
) -> None:
    bots = Served(tmp_path, b2=directory(tmp_path, "shop"), b3=directory(tmp_path, "bank"))
    async with runtime(bots=bots) as engine:
        for bot, name in ((2, "shop"), (3, "bank"), (2, "shop")):
            assert f"stock of {name}" in (await said(engine, model, bot, text="CALL:stock{}"))[0]
            before = len(list(model.journal))
            await said(engine, model, bot, text='CALL:agent__helper{"message": "help"}')
            helped = [str(call) for call in list(model.journal)[before:]]
            assert any(f"You help the {name}" in call for call in helped)


@pytest.mark.promise("bot-cards")
async def test_cards_that_cannot_be_used_hold_up_their_bot_alone_until_they_are_mended(
    runtime: Open, model: Model, cards: Path, tmp_path: Path
) -> None:
    shop, bank = directory(tmp_path, "shop"), directory(tmp_path, "bank")
    card(bank, "odd.md", "---\nagents: [gone]\n---\nYou.\n")
    bots = Served(tmp_path, b1=None, b2=shop, b3=bank, b5=tmp_path / "none")
    async with runtime(bots=bots) as engine:
        await engine.sets.refresh()
        served = {bot: engine.serves(SessionKey(bot, 1)) for bot in (1, 2, 3, 5)}
        assert served == {1: True, 2: True, 3: False, 5: False}
        assert engine.sets.named()["3"] == ()
        assert not engine.isolated(SessionKey(3, 1), None)
        with pytest.raises(TurnFailed, match="gone"):
            await said(engine, model, 3)
        # A reload names the bot of a faulty card, and lets in what is right.
        card(cards, "assistant.md", ASSISTANT.replace("an assistant", "a new assistant"))
        card(shop, "assistant.md", "---\nmodel: generic.mock\ndefault: true\n---\nYou are a new shop.\n")
        with pytest.raises(Misconfigured) as refused:
            await engine.reload()
        assert "bots.bot-b3: " in str(refused.value)
        assert "bots.bot-b5: " in str(refused.value)
        assert "bot-b2" not in str(refused.value)
        assert "a new assistant" in (await said(engine, model, 1))[0]
        assert "a new shop" in (await said(engine, model, 2))[0]
        # One that broke keeps its old agents.
        card(shop, "assistant.md", "---\nmodel: [\n---\nYou are broken.\n")
        (bank / "odd.md").unlink()
        with pytest.raises(Misconfigured, match=r"bots\.bot-b2: "):
            await engine.reload()
        assert "a new shop" in (await said(engine, model, 2))[0]
        assert "You are the bank" in (await said(engine, model, 3))[0]
        # A bot that goes back to the common cards, and one that changes its directory.
        bots.now(b2=None, b3=shop, b1=bank)
        card(shop, "assistant.md", "---\nmodel: generic.mock\n---\nYou are the last shop.\n")
        await engine.sets.refresh()
        assert "a new assistant" in (await said(engine, model, 2))[0]
        assert "You are the bank" in (await said(engine, model, 1))[0]


@pytest.mark.promise("own-process")
async def test_a_process_of_a_session_s_own_runs_no_tools_of_another_bot_s_cards_when_cards_are_read_again(
    runtime: Open, model: Model, tmp_path: Path
) -> None:
    shop, bank, ran = directory(tmp_path, "shop"), directory(tmp_path, "bank"), tmp_path / "ran"
    card(bank, "tools.py", f"open({str(ran)!r}, 'w').close()\n" + TOOLS.format(said="bank"))
    async with runtime(bots=Served(tmp_path, b2=shop, b3=bank)) as engine:
        assert "You are the shop" in (await said(engine, model, 2))[0]
        card(shop, "assistant.md", "---\nmodel: generic.mock\ndefault: true\n---\nYou are a new shop.\n")
        await engine.reload(every_bot=False)
        assert "You are a new shop" in (await said(engine, model, 2))[0]
        assert not ran.exists()
        await engine.reload()
        assert ran.exists(), "as a worker that all share does"


@pytest.mark.promise("bot-cards")
async def test_a_bot_s_own_rules_of_chats_hold_for_it_alone_and_one_whose_rules_are_unknown_waits(
    runtime: Open, tmp_path: Path
) -> None:
    common, own, wrong = (tmp_path / name for name in ("chats.yaml", "own.yaml", "wrong.yaml"))
    common.write_text("chats:\n  8: {model: generic.common}\nroles:\n  models: {'generic.*': admin}\n")
    own.write_text("chats:\n  8: {model: generic.own}\n")
    wrong.write_text("chats: [\n")
    bots = Served(tmp_path)
    paths = {2: own, 3: wrong}
    bots.entries_by_bot = {
        1: BotEntry("one", "T"),
        **{bot: BotEntry(f"b{bot}", "T", own={"COHORT_CHATS": str(path)}) for bot, path in paths.items()},
    }
    async with runtime(COHORT_CHATS=str(common), bots=bots) as engine:
        sessions = [SessionKey(bot, 8) for bot in (1, 2, 3)]
        assert [engine.chats.of(one).model for one in sessions] == ["generic.common", "generic.own", None]
        assert [bool(engine.chats.roles_of(one)().models) for one in sessions] == [True, False, True]
        assert [engine.serves(one) for one in sessions] == [True, True, False]


@pytest.mark.promise("bot-cards")
def test_the_check_of_cards_names_the_bot_of_a_faulty_one_and_agents_without_a_card(
    settings_of: Callable[..., Settings], tmp_path: Path
) -> None:
    shop = directory(tmp_path, "shop")
    path = tmp_path / "bots.yaml"
    path.write_text(
        f"bots:\n  one: {{token: $A, agents: [poet]}}\n  two: {{token: $B, cards: {shop}, agents: [gone]}}\n"
    )
    settings = settings_of(COHORT_BOTS=str(path), COHORT_AGENT="assistant")
    problems, notes = looked_at(settings)
    assert problems == []
    assert [line.partition(": ")[0] for line in notes] == ["bots.one", "bots.two"]
    assert notes[1].endswith("/shop has no card of gone")
    card(shop, "odd.md", "---\nagents: [assistant, away]\n---\nYou.\n")
    (problem,) = looked_at(settings)[0]
    assert (
        problem
        == f"bots.two: {shop}/odd.md:2: references missing agents: away; correct the name, or add a card with it"
    )
    path.write_text(f"bots:\n  two: {{token: $B, cards: {tmp_path}/none}}\n")
    assert [line.partition(": ")[0] for line in looked_at(settings)[0]] == ["bots.two"]
