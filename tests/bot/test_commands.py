"""Commands that the bot answers: what is kept in mind, mistyped words, and Telegram's menus."""

import asyncio

import pytest

from bot import texts
from bot.access.people import PeopleView
from bot.api import Telegram, client
from bot.commands import memory_texts
from bot.commands.menus import CommandMenus
from bot.commands.offered import CommandOffer
from playground.client import PlaygroundClient
from playground.state.world import State
from tasks.chats.access import OperatorsWord, Person
from tasks.chats.roles import RoleRules
from tasks.config.settings import load
from tasks.phrases import LANGUAGES, phrase, speaking
from tasks.session import SessionKey
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.stand_ins import SOON
from tests.bot.updates import BEN, GROUP, message, pressed, said
from tests.bot.updates import BOT as US
from tests.conftest import BOT, TOKEN
from tests.support.own_replies import own_replies
from tests.support.until import until

ANNS = SessionKey(BOT, 700)


async def answers(bot: BotUnderTest, *words: str) -> list[str]:
    await bot.intake.take([said(word, update_id=number) for number, word in enumerate(words, 1)])
    return [text for _, text in await bot.said()]


@pytest.mark.promise("commands")
@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("/hlep", "help"),
        ("/Model5", "model"),
        ("/stopp now", "stop"),
        ("/remind", "reminders"),
        ("/lang", "language"),
        ("/stat", "status"),
    ],
)
async def test_a_mistyped_command_is_told_the_nearest_and_starts_no_turn(
    bot: BotUnderTest, word: str, near: str
) -> None:
    name = word.split(maxsplit=1)[0][1:].lower()
    assert await answers(bot, word) == [texts.did_you_mean(name, near)]
    assert await bot.inbox(str(ANNS)) == []


@pytest.mark.promise("commands")
async def test_a_command_of_the_agents_and_one_like_no_other_reach_the_agent(redis_url: str, store: Store) -> None:
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_COMMANDS": "news"}
    bot = make_bot(load(given), store)
    assert await answers(bot, "/news of today", "/weather Berlin", "/") == []
    assert [entry.text for entry in await bot.inbox(str(ANNS))] == ["/news of today", "/weather Berlin", "/"]


async def test_another_bots_command_in_a_group_is_left_alone(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/hlep", chat=GROUP, update_id=1), said("/hlep@other_bot", chat=GROUP, update_id=2)])
    assert await bot.said() == []


@pytest.mark.promise("commands")
async def test_what_is_kept_in_mind_is_shown_and_deleted_for_this_chat_alone(bot: BotUnderTest) -> None:
    notes = bot.store.notes
    for topic, note in (("name", "Ann\nLee"), ("Home town", "Bern"), ("x" * 300, "y" * 2000)):
        await notes.remember(ANNS, topic, note)
    await notes.remember(SessionKey(BOT, BEN.id), "name", "Ben")
    words = ("/memory", "/forget home  Town", "/forget nonsense", "/memory nonsense")
    shown, gone, none, unknown = await answers(bot, *words)
    assert unknown == none
    assert shown.index("Home town: Bern") < shown.index("name: Ann Lee")
    assert len(shown) < 2000
    assert (gone, none) == (memory_texts.forgotten(1), memory_texts.forgotten(0))
    assert "Home town" not in await notes.recall(ANNS)
    listed = message("x", sender=US, message_id=8)
    await bot.intake.take([pressed("forget:all", listed, update_id=20)])
    (_, asks) = (await own_replies(bot.store, BOT))[-1]
    assert (asks.edit, asks.text) == (8, phrase("forget-all-sure", count=2))
    assert len(await notes.recall(ANNS)) == 2, "it asks first"
    sure, keep = (row[0].data for row in asks.buttons)
    await bot.intake.take([pressed(keep, listed, update_id=21)])
    assert (await own_replies(bot.store, BOT))[-1][1].text == shown.replace("Home town: Bern\n", "")
    await bot.intake.take([pressed(sure, listed, update_id=22)])
    (_, last) = (await own_replies(bot.store, BOT))[-1]
    assert (last.edit, last.text) == (8, memory_texts.forgotten(2))
    assert await notes.recall(ANNS) == {}
    assert await notes.recall(SessionKey(BOT, BEN.id)) == {"name": "Ben"}


async def test_a_long_note_shows_where_it_is_cut_and_its_topic_can_be_given_back_as_listed(bot: BotUnderTest) -> None:
    topics = ("a " * 60 + "end", "b" * 80, "c" * 81)
    for topic in topics:
        await bot.store.notes.remember(ANNS, topic, "word " * 100)
    (shown,) = await answers(bot, "/memory")
    names = [line.partition(": ")[0] for line in shown.splitlines() if line.endswith("word…")]
    assert names == ["a " * 39 + "a…", "b" * 80, "c" * 79 + "…"]
    for number, name in enumerate((names[0][:-1], names[1], names[2], "b" * 30), 50):
        await bot.intake.take([said(f"/forget {name}", update_id=number)])
    told = [text for _, text in await bot.said()]
    assert told[-4:] == [*[memory_texts.forgotten(1)] * 3, memory_texts.forgotten(0)]


@pytest.fixture
async def admins(store: Store) -> PeopleView:
    people = PeopleView(BOT, store.people, OperatorsWord(mode="pairing"))
    await store.people.put(BOT, 7, Person(role="owner"))
    await people.refresh()
    return people


async def shown(telegram: Telegram, admins: PeopleView) -> None:
    """As a bot that starts does."""
    menus = CommandMenus(telegram, admins, CommandOffer(RoleRules, own=lambda: {"news": ""}))
    await menus.show()
    await menus.translate()
    await menus.show_to_some()


@pytest.mark.promise("commands")
async def test_menus_are_by_scope_and_language(
    telegram: Telegram, admins: PeopleView, people: PlaygroundClient, api_url: str
) -> None:
    async def named(language: str, **scope: object) -> list[str]:
        asked = {**({"scope": scope} if scope else {}), **({"language_code": language} if language else {})}
        return [command["command"] for command in (await people.call("getMyCommands", **asked))["result"]]

    await shown(telegram, admins)
    whole, others = [*texts.COMMANDS, "news"], [language for language in LANGUAGES if language != "en"]
    for language in ("", *others):
        assert await named(language) == whole
        assert await named(language, type="all_group_chats") == [n for n in whole if n not in texts.NOT_IN_GROUPS]
        assert await named(language, type="chat", chat_id=7) == [*whole, "people", "allow", "deny"]
    for language in others:
        first = (await people.call("getMyCommands", language_code=language))["result"][0]
        with speaking(language):
            assert first["description"] == phrase("menu-new")
            told = (await people.call("getMyShortDescription", language_code=language))["result"]
            assert told["short_description"] == phrase("short-description")


async def test_a_bot_that_starts_again_sets_nothing_that_is_there_and_takes_no_word_from_the_operator(
    telegram: Telegram, admins: PeopleView, people: PlaygroundClient, api_url: str
) -> None:
    await people.call("setMyDescription", description="Ours, in German", language_code="de")
    await people.call("setMyShortDescription", short_description="The operator's own")
    await shown(telegram, admins)
    before = (await people.journal())[-1]["seq"]
    await shown(telegram, admins)
    again = await people.journal(before)
    assert [entry["method"] for entry in again if not entry["method"].startswith("get")] == []
    for what, language, wanted in (
        ("Description", "de", "Ours, in German"),
        ("ShortDescription", "", "The operator's own"),
        ("ShortDescription", "de", ""),
    ):
        found = await people.call(f"getMy{what}", **({"language_code": language} if language else {}))
        assert list(found["result"].values()) == [wanted]


async def test_menus_come_though_telegram_refuses_some_calls(
    telegram: Telegram, admins: PeopleView, people: PlaygroundClient, store: Store
) -> None:
    """429 at the start and in between, an outage, and a chat that is gone, which takes no menu from the others."""
    await store.people.put(BOT, 9, Person(role="admin"))
    await admins.refresh()
    await people.fault("429", "setMyCommands", retry_after=30)
    await people.fault("429", "setMyCommands", skip=8, retry_after=40)
    await people.fault("502", "setMyDescription", skip=2)
    gone = {"code": 400, "description": "Bad Request: chat not found"}
    await people.fault("error", "setMyCommands", chat=7, times=1000, **gone)
    waits = list[float]()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    menus = CommandMenus(telegram, admins, CommandOffer(RoleRules), sleep=sleep)
    await menus.show()
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        run = group.create_task(menus.run())

        async def named(**asked: object) -> list[str]:
            return [command["command"] for command in (await people.call("getMyCommands", **asked))["result"]]

        async def done() -> bool:
            return "people" in await named(scope={"type": "chat", "chat_id": 9}, language_code="zh")

        await until(done)
        run.cancel()
    assert len(waits) >= 2
    assert set(waits) <= {1.0, 30.0, 40.0}
    for language in LANGUAGES:
        asked = {} if language == "en" else {"language_code": language}
        assert await named(**asked) == list(texts.COMMANDS)
        with speaking(language):
            told = (await people.call("getMyDescription", **asked))["result"]["description"]
            assert told == phrase("description").strip()


async def test_a_group_tells_its_administrators(people: PlaygroundClient, api_url: str, playground: State) -> None:
    group = (await people.chat("group"))["id"]
    await people.say(group, "hello")
    async with client(TOKEN, api_url) as telegram:
        assert await telegram.administrators(group) == {playground.book.chats[group].members[0]}


async def test_a_note_is_listed_without_what_hides_or_reorders_text_and_is_forgotten_as_it_is_listed(
    bot: BotUnderTest,
) -> None:
    long = "x" * 200
    for topic, note in (("home\u202e\ntown", "Bo\u200bnn\u202e"), ("\u200b", "z"), (long, "a"), (long + "y", "b")):
        await bot.store.notes.remember(ANNS, topic, note)
    shown, *_ = await answers(bot, "/memory", "/forget home town", "/forget ?", f"/forget {long}y")
    assert "home town: Bo nn" in shown
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert set(await bot.store.notes.recall(ANNS)) == {long}
    await bot.intake.take([said(f"/forget {'X' * 80}", update_id=10)])
    assert await bot.store.notes.recall(ANNS) == {}


@pytest.mark.promise("commands")
async def test_a_mistyped_command_of_the_agents_is_told_the_nearest(redis_url: str, store: Store) -> None:
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_COMMANDS": "roll"}
    bot = make_bot(load(given), store)
    assert await answers(bot, "/rol 2", "/roll 2", "/weather") == [texts.did_you_mean("rol", "roll")]
    assert [entry.text for entry in await bot.inbox(str(ANNS))] == ["/roll 2", "/weather"]


@pytest.mark.promise("commands")
async def test_a_command_of_the_agents_needs_no_name_of_the_bot_in_a_group(redis_url: str, store: Store) -> None:
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_COMMANDS": "roll"}
    bot = make_bot(load(given), store)
    words = ("let us play", "/roll 2", "/rol 2", "/roll@other_bot")
    await bot.intake.take(
        [said(word, chat=GROUP, message_id=number, update_id=number) for number, word in enumerate(words, 1)]
    )
    (entry,) = await bot.inbox(f"{BOT}:{GROUP.id}")
    assert (entry.text, [one.text for one in entry.overheard]) == ("/roll 2", ["let us play"])
    assert await bot.said() == [], "what is no command of the agents may be another bot's"


@pytest.mark.promise("commands")
async def test_a_command_that_agents_take_though_it_is_like_ours_comes_with_what_was_said_before(
    redis_url: str, store: Store
) -> None:
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_COMMANDS": "news"}
    bot = make_bot(load(given), store)
    words = ("it rains", "/news@cohort_bot")
    await bot.intake.take(
        [said(word, chat=GROUP, message_id=number, update_id=number) for number, word in enumerate(words, 1)]
    )
    (entry,) = await bot.inbox(f"{BOT}:{GROUP.id}")
    assert [one.text for one in entry.overheard] == ["it rains"]
