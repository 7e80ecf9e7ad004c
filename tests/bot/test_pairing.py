"""A pairing code lets one person in, once, and only the person who sends it themselves in their private chat."""

import pytest
from aiogram import types as tg

from bot import texts
from tasks.chats.access import Access, Person
from tasks.chats.pairing import GUESSES_AN_HOUR, link, new_code
from tasks.config.settings import Settings
from tasks.phrases import phrase
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import ANN, BEN, GROUP, SOME_DAY, said
from tests.conftest import BOT
from tests.support.redis_of import redis_of

NOT_YET = Access(everybody=False, allow=frozenset())
BENS = tg.Chat(id=BEN.id, type="private", first_name="Ben")


@pytest.fixture
def bot(settings: Settings, store: Store) -> BotUnderTest:
    return make_bot(settings, store, access=NOT_YET)


async def offered(bot: BotUnderTest, role: str = "owner") -> str:
    code = new_code()
    await bot.store.people.offer(BOT, code, role)  # type: ignore[arg-type]
    return code


async def roles(bot: BotUnderTest) -> dict[int, str]:
    return {who: person.role for who, person in (await bot.store.people.look(BOT)).entries.items()}


@pytest.mark.promise("pairing")
async def test_the_first_person_who_sends_the_code_is_the_owner_and_no_person_after_them(bot: BotUnderTest) -> None:
    code = await offered(bot)
    await bot.intake.take([said("hello", update_id=1), said(f"/start {code}", update_id=2)])
    await bot.intake.take([said(f"/start {code}", sender=BEN, chat=BENS, update_id=3), said("hello", update_id=4)])
    assert await roles(bot) == {ANN.id: "owner"}
    assert [text for _, text in await bot.said()] == [texts.paired("owner"), texts.request("Ben", BEN.id)]
    assert [line for _, line in await bot.lines_to_strangers()] == [
        texts.stranger(BEN.id, BEN.id),
    ]
    assert [entry.text for entry in await bot.inbox("4242:700")] == ["hello"]
    assert await bot.inbox("4242:701") == []


@pytest.mark.promise("pairing")
async def test_the_code_alone_is_enough_and_a_second_press_of_the_link_says_that_all_is_well(bot: BotUnderTest) -> None:
    code = await offered(bot)
    await bot.intake.take([said(f" {code}\n", update_id=1), said(f"/start {code}", update_id=2)])
    assert [text for _, text in await bot.said()] == [texts.paired("owner"), phrase("code-useless")]
    assert await bot.inbox("4242:700") == []


@pytest.mark.promise("pairing")
@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"chat": GROUP}, id="in a group"),
        pytest.param({"chat": GROUP, "prefix": "/start@cohort_bot "}, id="by a group's link"),
        pytest.param({"forward_origin": tg.MessageOriginHiddenUser(date=SOME_DAY, sender_user_name="x")}, id="forward"),
        pytest.param({"via_bot": tg.User(id=5, is_bot=True, first_name="Inline")}, id="an inline bot's text"),
        pytest.param({"kind": "edited_message"}, id="an edit"),
        pytest.param({"prefix": "my code is "}, id="within other words"),
    ],
)
async def test_a_code_that_is_shown_somewhere_lets_no_person_in(bot: BotUnderTest, how: dict[str, object]) -> None:
    code = await offered(bot)
    prefix = str(how.pop("prefix", "/start "))
    await bot.intake.take([said(f"{prefix}{code}", **how)])  # type: ignore[arg-type]
    assert await roles(bot) == {}
    await bot.intake.take([said(code, update_id=2)])
    assert await roles(bot) == {ANN.id: "owner"}


async def test_a_code_in_a_group_never_reaches_the_agent(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store)
    await bot.intake.take([said(f"/start@cohort_bot {new_code()}", chat=GROUP), said("/start hi", update_id=2)])
    assert await bot.inbox("4242:-55") == []
    assert [text for _, text in await bot.said()] == [phrase("code-in-group")]
    assert [entry.text for entry in await bot.inbox("4242:700")] == ["/start hi"]


@pytest.mark.promise("pairing")
async def test_guesses_are_few_for_a_person_and_few_in_all_and_tell_nothing(bot: BotUnderTest) -> None:
    code = await offered(bot)
    for number in range(6):
        await bot.intake.take([said(f"/start {new_code()}", update_id=number + 1)])
    await bot.intake.take([said(code, update_id=20)])
    assert await roles(bot) == {}, "of one person five are looked at"
    for number in range(GUESSES_AN_HOUR):
        who = tg.User(id=900 + number, is_bot=False, first_name="S")
        chat = tg.Chat(id=who.id, type="private")
        await bot.intake.take([said(new_code(), sender=who, chat=chat, update_id=100 + number)])
    await bot.intake.take([said(code, sender=BEN, chat=BENS, update_id=200)])
    assert await roles(bot) == {}, "of all people twenty"
    assert {line for _, line in await bot.lines_to_strangers()} >= {texts.stranger(BEN.id, BEN.id)}
    await bot.intake.take([said(await offered(bot), sender=BEN, chat=BENS, update_id=201)])
    assert await roles(bot) == {BEN.id: "owner"}, "a new code starts the count again"


async def test_a_code_expires_is_void_after_a_newer_one_and_is_stored_as_a_digest(bot: BotUnderTest) -> None:
    before, code = await offered(bot), await offered(bot)
    await bot.intake.take([said(before, update_id=1)])
    assert await roles(bot) == {}
    assert 0 < await redis_of(bot.store).ttl(f"cohort:bot:{BOT}:pairing") <= 3600
    stored = await redis_of(bot.store).hgetall(f"cohort:bot:{BOT}:pairing")
    assert code.encode() not in b"".join([*stored, *stored.values()])
    assert len(code) >= 24
    assert link("b", code) == f"https://t.me/b?start={code}"


async def test_a_code_raises_a_role_and_never_lowers_it(bot: BotUnderTest) -> None:
    await bot.store.people.put(BOT, ANN.id, Person(role="owner"))
    await bot.store.people.put(BOT, BEN.id, Person(role="guest"))
    code = await offered(bot, "member")
    await bot.intake.take([said(code, update_id=1)])
    assert await roles(bot) == {ANN.id: "owner", BEN.id: "guest"}
    assert "any more" not in phrase("code-useless"), "it counts for others still"
    await bot.intake.take([said(code, sender=BEN, chat=BENS, update_id=2)])
    assert await roles(bot) == {ANN.id: "owner", BEN.id: "member"}
    assert [text for _, text in await bot.said()] == [
        phrase("code-useless"),
        texts.paired("member"),
        texts.joined("Ben", BEN.id, "member"),
    ]


async def test_where_there_is_a_list_no_code_counts(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset({5})))
    bot.people.word = bot.people.word.model_copy(update={"mode": "allowlist"})
    await bot.intake.take([said(await offered(bot))])
    assert await roles(bot) == {}
