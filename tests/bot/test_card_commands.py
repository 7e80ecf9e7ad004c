"""Commands that cards take: they reach the agent, and menus show them."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest

from bot import texts
from bot.access.people import PeopleView
from bot.api import Telegram
from bot.commands.card_commands import CardCommands
from bot.commands.menus import CommandMenus
from bot.commands.offered import CommandOffer
from bot.live_agents import LiveAgents
from playground.client import PlaygroundClient
from tasks.chats.access import OperatorsWord, Person
from tasks.chats.roles import RoleRules
from tasks.config.forms import MENU
from tasks.phrases import phrase, speaking
from tasks.session import SessionKey
from tasks.status.worker import WorkerStatus
from tasks.store import Store
from tests.bot.conftest import BotUnderTest
from tests.bot.stand_ins import SOON
from tests.bot.updates import said
from tests.conftest import BOT
from tests.support.until import until

LONG = timedelta(hours=1)
ANNS = str(SessionKey(BOT, 700))


@pytest.mark.promise("card-commands")
async def test_a_command_that_a_card_takes_reaches_the_agent_though_it_is_like_ours(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/remind me at 9", update_id=1)])
    assert [text for _, text in await bot.said()] == [texts.did_you_mean("remind", "reminders")]
    bot.agents.taken = {"remind": ""}
    await bot.intake.take([said("/remind me at 9", update_id=2), said("/Remind me at 10", update_id=3)])
    assert [entry.text for entry in await bot.inbox(ANNS)] == ["/remind me at 9", "/remind me at 10"]
    bot.agents.taken = {}
    await bot.intake.take([said("/remindr me", update_id=4)])
    assert len(await bot.said()) == 2, "and nothing that is like ours besides"


@pytest.mark.promise("card-commands")
async def test_a_bot_takes_those_of_the_agents_that_its_chats_may_have(store: Store) -> None:
    offered: tuple[str, ...] = ()
    common = LiveAgents(store.members, lambda: offered)
    own = LiveAgents(store.members, lambda: offered, lambda: 202)
    assert (await common.commands(), await own.commands()) == (None, None)
    taken = {"dealer": {"roll": "", "deal": "Deal cards"}, "croupier": {"roll": "Roll the dice", "deal": "Shuffle"}}
    status = WorkerStatus(
        agents=("dealer", "croupier", "mute"),
        commands=taken,
        agents_of={"202": ("spy",), "303": ("mole",)},
        commands_of={"202": {"spy": {"hide": ""}}, "303": {"mole": {"dig": ""}}},
    )
    await store.members.beat("w", status, LONG, member=True)
    assert await common.commands() == {"roll": "Roll the dice", "deal": "Deal cards"}
    assert await own.commands() == {"hide": ""}
    offered = ("mute", "croupier")
    assert await common.commands() == taken["croupier"]


async def test_they_stay_while_no_worker_lives_and_what_telegram_refuses_is_left_out() -> None:
    told: Mapping[str, str] | None = {"roll": "Roll", "Bad-Name": "", "stop": "", "": "", "x" * 33: ""}

    async def look() -> Mapping[str, str] | None:
        return told

    taken = CardCommands(["news"], look)
    assert (dict(taken.now), await taken.takes("roll"), await taken.takes("stop")) == ({"news": ""}, True, False)
    assert dict(taken.now) == {"news": "", "roll": "Roll"}
    told = None
    assert (await taken.refresh(), await taken.takes("roll")) == (False, True)
    told = {}
    assert (await taken.refresh(), dict(taken.now)) == (True, {"news": ""})


@pytest.mark.promise("card-commands")
async def test_menus_follow_the_cards_names_and_words(
    telegram: Telegram, store: Store, people: PlaygroundClient
) -> None:
    await store.people.put(BOT, 7, Person(role="owner"))
    view = PeopleView(BOT, store.people, OperatorsWord(mode="pairing"))
    await view.refresh()
    own: dict[str, str] = {}
    menus = CommandMenus(telegram, view, CommandOffer(RoleRules, own=lambda: own))

    async def said_of(name: str, **asked: object) -> str | None:
        listed = (await people.call("getMyCommands", **asked))["result"]
        return next((each["description"] for each in listed if each["command"] == name), None)

    everywhere = [
        {**({"language_code": language} if language else {}), **({"scope": scope} if scope else {})}
        for language in ("", "de")
        for scope in (None, {"type": "all_group_chats"}, {"type": "chat", "chat_id": 7})
    ]

    async def shown(words: Mapping[str, str | None]) -> bool:
        return all(
            [await said_of("roll", **asked) == words[str(asked.get("language_code", ""))] for asked in everywhere]
        )

    with speaking("de"):
        usual = {"de": phrase("menu-of-agents")}
    usual[""] = phrase("menu-of-agents")
    await menus.show()
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        run = group.create_task(menus.run())
        for given, words in (
            ({"roll": ""}, usual),
            ({"roll": "Roll the dice"}, dict.fromkeys(("", "de"), "Roll the dice")),
            ({}, dict.fromkeys(("", "de"))),
        ):
            own.clear()
            own.update(given)
            menus.changed()
            await until(lambda words=words: shown(words))
        run.cancel()


def test_a_menu_has_no_more_than_telegram_takes() -> None:
    own = {f"own{number}": "" for number in range(300)}
    names = CommandOffer(RoleRules, own=lambda: own).names("owner")
    assert len(names) == MENU
    assert {*texts.COMMANDS, *texts.ADMIN_COMMANDS, "own0"} <= {*names}
