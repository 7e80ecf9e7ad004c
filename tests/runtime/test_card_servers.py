"""MCP servers that cards bring themselves (``mcp_connect``): in the common cards, and in those of single bots."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import Misconfigured
from tasks.session import SessionKey
from tests.runtime.conftest import SERVER
from tests.runtime.support import Open, Screen, ask, card
from tests.runtime.test_bot_cards import Served
from tests.runtime.test_mcp import alive, told
from tests.runtime.test_mcp_oauth import Guarded
from tests.support.model import Model
from workers.runtime.engine import Engine
from workers.runtime.servers.calls import words
from workers.runtime.servers.health import plain_name


def bringing(name: str, target: str) -> str:
    head = "name: assistant\ndefault: true\nmodel: generic.mock"
    return f"---\n{head}\nmcp_connect:\n- target: {target}\n  name: {name}\n---\nYou are an assistant.\n"


def own(which: str) -> str:
    """The stdio server, with an argument that tells it from another one."""
    return f"{sys.executable} {SERVER} {which}"


async def called(engine: Engine, bot: int, tool: str, chat: int = 1) -> str:
    done = await engine.run(replace(ask(chat, f"CALL:{tool}"), session=SessionKey(bot, chat)), Screen())
    return done.text


def registered(engine: Engine) -> list[str]:
    registry = engine.sets.common.registry.fast.context.server_registry
    assert registry is not None
    return sorted(name.rpartition("-")[2] for name in registry.registry)


@pytest.mark.promise("nothing-asks")
async def test_a_call_of_a_server_that_a_card_brings_has_its_limit_also_after_cards_were_changed(
    runtime: Open, model: Model, cards: Path
) -> None:
    card(cards, "assistant.md", bringing("mine", own("a")))
    async with runtime(COHORT_LANES="1", COHORT_TOOL_TIMEOUT="1") as engine:
        assert "tool=" in await called(engine, 42, "hang")
        await engine.reload()
        assert "tool=" in await called(engine, 42, "hang")


@pytest.mark.promise("nothing-asks")
async def test_a_server_that_a_card_brings_and_that_wants_a_login_is_down_and_no_login_is_begun(
    runtime: Open, model: Model, cards: Path
) -> None:
    async with Guarded() as guarded:
        card(cards, "assistant.md", bringing("sky", f"{guarded.url}/mcp"))
        async with runtime(COHORT_LANES="1") as engine:
            assert "not available" in await called(engine, 42, "weather")
            assert engine.servers_down == ("sky",), "as the card names it"
            assert "their tools: sky." in model.journal[-1].messages[0]["text"]
        assert guarded.paths
        assert guarded.no_login_is_begun()


@pytest.mark.promise("bot-cards")
async def test_cards_of_bots_bring_servers_that_stand_beside_each_other_and_each_reaches_its_own(
    runtime: Open, model: Model, cards: Path, tmp_path: Path
) -> None:
    card(cards, "assistant.md", bringing("mine", own("common")))
    shop, bank = (tmp_path / name for name in ("shop", "bank"))
    for directory in (shop, bank):
        directory.mkdir()
        card(directory, "assistant.md", bringing("mine", own(directory.name)))
    bots = Served(tmp_path, b1=None, b2=shop, b3=bank)

    async def whose() -> list[object]:
        return [told(await called(engine, bot, "whoami"))["args"] for bot in (1, 2, 3)]

    async with runtime(COHORT_LANES="1", COHORT_TOOL_TIMEOUT="1", bots=bots) as engine:
        await engine.sets.refresh()
        assert await whose() == [["common"], ["shop"], ["bank"]]
        assert "tool=" in await called(engine, 2, "hang"), "its calls have their limit"
        # One directory is changed, which concerns no other one.
        card(shop, "assistant.md", bringing("mine", own("new")))
        await engine.reload()
        assert await whose() == [["common"], ["new"], ["bank"]]
        card(cards, "assistant.md", bringing("mine", own("common2")))
        card(shop, "assistant.md", bringing("mine", "no-such-program-anywhere"))
        with pytest.raises(Misconfigured, match=r"bots\.bot-b2: .*MCP server mine does not start"):
            await engine.reload()
        assert await whose() == [["common2"], ["new"], ["bank"]]
        # A bot goes back to the common cards: its server is let go, and those of the others stay.
        assert registered(engine) == ["mine"] * 3
        bots.now(b1=None, b2=None, b3=bank)
        await engine.sets.refresh()
        assert registered(engine) == ["mine"] * 2
        assert await whose() == [["common2"], ["common2"], ["bank"]]
        last = told(await called(engine, 3, "whoami"))["pid"]
        assert isinstance(last, int)
    assert not alive(last)


@pytest.mark.promise("bot-cards")
async def test_no_card_of_a_bot_names_a_server_that_a_card_of_another_one_brings(
    runtime: Open, model: Model, tmp_path: Path
) -> None:
    shop, bank = (tmp_path / name for name in ("shop", "bank"))
    for directory in (shop, bank):
        directory.mkdir()
    card(shop, "assistant.md", bringing("mine", own("shop")))
    bots = Served(tmp_path, b2=shop, b3=bank)
    async with runtime(bots=bots) as engine:
        engine.sets.of(SessionKey(2, 1))
        registry = engine.sets.common.registry.fast.context.server_registry
        assert registry is not None
        (name,) = registry.registry
        assistant: Any = (await engine.sets.create()).agents["assistant"]
        with pytest.raises(ValueError, match="that of another card"):
            await assistant.attach_mcp_server(server_name=name)
        for said in (name, "mine"):
            card(bank, "assistant.md", f"---\nmodel: generic.mock\nservers: ['{said}']\n---\nYou.\n")
            await engine.sets.refresh()
            assert not engine.serves(SessionKey(3, 1))
            with pytest.raises(Misconfigured, match=f"references missing servers: {said}"):
                await engine.reload()


@pytest.mark.promise("bot-cards")
async def test_a_server_of_a_bot_s_cards_that_is_down_is_forgotten_with_the_bot(
    runtime: Open, model: Model, tmp_path: Path
) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    card(shop, "assistant.md", bringing("sky", "http://127.0.0.1:9/mcp"))
    bots = Served(tmp_path, b1=None, b2=shop)
    async with runtime(COHORT_LANES="1", bots=bots) as engine:
        assert "not available" in await called(engine, 2, "weather")
        assert len(engine.servers_down) == 1
        assert "not available" in await called(engine, 1, "weather")
        bots.now(b1=None)
        await engine.sets.refresh()
        assert engine.servers_down == ()


def test_people_and_models_read_the_name_that_the_card_gives_its_server() -> None:
    assert plain_name("card-c9b282c2d4-f3b262a72a-card-shop") == "card-shop"
    assert "MCP server shop is" in words("card-c9b282c2d4-f3b262a72a-shop")
    # Names of the configuration are no such names.
    for name in ("card-shop", "card-c9b282c2d4-f3b262a72a-", "shop-card-c9b282c2d4-f3b262a72a-x"):
        assert plain_name(name) == name
