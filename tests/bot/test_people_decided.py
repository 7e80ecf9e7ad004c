"""What admins decide holds: for old requests, for groups that move, for commands that name no person."""

import pytest
from aiogram import types as tg

from bot import texts
from bot.commands import memory_texts
from tasks.chats.access import Access, AccessStanding, Person
from tasks.chats.pages import paged
from tasks.config.settings import Settings, load
from tasks.errors import Misconfigured
from tasks.phrases import phrase
from tasks.store import Store
from tasks.text import utf16
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import ANN, BEN, FORUM, GROUP, message, pressed, said
from tests.bot.updates import BOT as US
from tests.conftest import BOT

OWNS = {ANN.id: Person(role="owner")}
BENS = tg.Chat(id=BEN.id, type="private", first_name="Ben")
REQUEST = message("x", sender=US, message_id=33)


@pytest.fixture
async def bot(settings: Settings, store: Store) -> BotUnderTest:
    await store.people.put(BOT, ANN.id, Person(role="owner"))
    return make_bot(settings, store, access=Access(everybody=False, allow=frozenset()))


async def roles(bot: BotUnderTest) -> dict[int, AccessStanding]:
    found = (await bot.store.people.look(BOT)).entries
    return {who: person.role for who, person in found.items() if who != ANN.id}


async def last(bot: BotUnderTest) -> str:
    return (await bot.said())[-1][1]


@pytest.mark.promise("admission")
@pytest.mark.parametrize("role", ["admin", "member", "guest", "denied"])
@pytest.mark.parametrize("word", ["allow", "deny"])
async def test_the_button_of_an_old_request_changes_nothing_that_was_decided_meanwhile(
    bot: BotUnderTest, role: AccessStanding, word: str
) -> None:
    await bot.store.people.put(BOT, BEN.id, Person(role=role, name="Ben"))
    await bot.intake.take([pressed(f"{word}:{BEN.id}", REQUEST, update_id=1)])
    assert await roles(bot) == {BEN.id: role}
    assert await last(bot) == texts.decided_before("Ben", BEN.id, role)
    await bot.followed()
    assert bot.signs.pressed[-1][1] == texts.decided_before("Ben", BEN.id, role)
    await bot.intake.take([said(f"/{word} {BEN.id}", update_id=2)])
    assert await roles(bot) == {BEN.id: "member" if word == "allow" else "denied"}, "a command does"


@pytest.mark.promise("admission")
async def test_of_two_admins_who_press_at_once_the_first_decides(bot: BotUnderTest) -> None:
    await bot.store.people.put(BOT, 55, Person(role="admin"))
    other = tg.User(id=55, is_bot=False, first_name="Adam")
    both = [
        pressed(f"deny:{BEN.id}", REQUEST, by=other, update_id=1),
        pressed(f"allow:{BEN.id}", REQUEST, update_id=2),
    ]
    await bot.intake.take(both)
    assert (await roles(bot))[BEN.id] == "denied"
    answers = [text for _, text in await bot.said()]
    assert answers == [texts.decided("", BEN.id, "denied"), texts.decided_before("", BEN.id, "denied")]


@pytest.mark.promise("admission")
@pytest.mark.parametrize("by", [ANN, BEN])
async def test_a_request_that_telegram_no_longer_shows_is_decided_by_an_admin_alone(
    bot: BotUnderTest, by: tg.User
) -> None:
    # A former admin's chat still has the request's buttons.
    gone = tg.InaccessibleMessage(chat=tg.Chat(id=by.id, type="private", first_name="x"), message_id=10, date=0)
    await bot.intake.take([pressed("allow:77", gone, by=by, update_id=1)])
    assert await roles(bot) == ({77: "member"} if by is ANN else {})


@pytest.mark.promise("admission")
async def test_what_another_process_has_just_decided_stands(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/people", update_id=1)])
    await bot.store.people.put(BOT, BEN.id, Person(role="denied", name="Ben"))
    await bot.intake.take([pressed(f"allow:{BEN.id}", REQUEST, update_id=2)])
    assert await roles(bot) == {BEN.id: "denied"}


@pytest.mark.promise("admission")
@pytest.mark.parametrize("standing", ["denied", "member"])
async def test_what_was_decided_about_a_group_goes_with_it_also_in_one_batch(
    bot: BotUnderTest, standing: AccessStanding
) -> None:
    await bot.store.people.put(BOT, GROUP.id, Person(role=standing))
    await bot.intake.take(
        [
            said("@cohort_bot hi", chat=GROUP, update_id=1),
            said(chat=GROUP, sender=None, migrate_to_chat_id=FORUM.id, update_id=2),
            said(chat=FORUM, sender=None, migrate_from_chat_id=GROUP.id, update_id=3),
            said("@cohort_bot hi", sender=BEN, chat=FORUM, update_id=4),
        ]
    )
    assert await roles(bot) == {FORUM.id: standing}
    assert len(await bot.inbox(f"4242:{FORUM.id}")) == (standing == "member")
    assert await bot.lines_to_strangers() == []


@pytest.mark.promise("admission")
async def test_a_request_of_a_group_that_moved_meanwhile_lets_the_supergroup_in(bot: BotUnderTest) -> None:
    await bot.intake.take([said("@cohort_bot hi", sender=BEN, chat=GROUP, update_id=1)])
    await bot.intake.take([said(chat=GROUP, sender=None, migrate_to_chat_id=FORUM.id, update_id=2)])
    await bot.intake.take([pressed(f"allow:{GROUP.id}", REQUEST, update_id=3)])
    assert await roles(bot) == {FORUM.id: "member"}


@pytest.mark.promise("admission")
@pytest.mark.parametrize("word", ["allow", "deny"])
async def test_a_reply_that_means_no_person_does_not_mean_the_whole_group(bot: BotUnderTest, word: str) -> None:
    how = phrase("allow-how") if word == "allow" else phrase("deny-how")
    anonymous = tg.User(id=1087968824, is_bot=True, first_name="Group", username="GroupAnonymousBot")
    answered = (
        message("hello", sender=US, chat=GROUP, message_id=9),
        message("we meet", sender=anonymous, chat=GROUP, message_id=10, sender_chat=GROUP),
    )
    for number, theirs in enumerate(answered, 1):
        await bot.intake.take([said(f"/{word}", chat=GROUP, reply_to_message=theirs, update_id=number)])
        assert (await roles(bot), await last(bot)) == ({}, how)
    joined = message(None, sender=BEN, chat=GROUP, message_id=11, new_chat_members=[BEN])
    await bot.intake.take([said(f"/{word}", chat=GROUP, reply_to_message=joined, update_id=5)])
    assert set(await roles(bot)) == {BEN.id}, "who joined is meant"


@pytest.mark.parametrize(
    "word",
    [
        "/allow \u00b2",
        "/deny \u2460",
        "/allow -",
        "/allow --5",
        "/allow 5\u00b2 admin",
        "/allow 0",
        "/deny -0",
        f"/allow {2**53}",
        "/allow -9007199254740992",
        "/deny 99999999999999999999",
        f"/allow {'9' * 4000}",
        f"/allow {'0' * 19}5{'9' * 9}",
    ],
)
async def test_what_only_looks_like_a_number_is_answered(bot: BotUnderTest, word: str) -> None:
    await bot.intake.take([said(word)])
    assert await last(bot) in (phrase("allow-how"), phrase("deny-how"))
    assert await roles(bot) == {}


def test_lists_of_people_and_of_notes_fit_one_message_whatever_their_letters_are() -> None:
    wide = "\U0001f600" * 64
    people = texts.people(paged(texts.people_lines([("member", wide, 10**15 + number) for number in range(60)])))
    notes = memory_texts.memory(memory_texts.paged([(wide, wide * 9)] * 60), 0)
    for listed in (people, notes):
        assert utf16(listed) <= 4096
        shown = sum("\U0001f600" in line for line in listed.splitlines())
        assert f"and {60 - shown} more" in listed.splitlines()


@pytest.mark.promise("forgotten")
async def test_a_forgotten_admin_is_not_named_as_the_one_who_decided(bot: BotUnderTest) -> None:
    await bot.intake.take([said(f"/allow {BEN.id}", update_id=1)])
    assert (await bot.store.people.look(BOT)).entries[BEN.id].by == ANN.id
    await bot.store.people.forget(ANN.id)
    assert (await bot.store.people.look(BOT)).entries[BEN.id].by is None
    assert (await roles(bot)) == {BEN.id: "member"}


async def test_a_group_that_the_settings_let_in_stays_let_in_as_a_supergroup(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset({GROUP.id})))
    await bot.intake.take(
        [
            said("/deny@cohort_bot", chat=GROUP, update_id=1, message_id=1),
            said(chat=GROUP, sender=None, migrate_to_chat_id=FORUM.id, update_id=2),
            said("@cohort_bot hi", chat=FORUM, sender=BEN, update_id=3, message_id=3),
        ]
    )
    assert [entry.text for entry in await bot.inbox(f"4242:{FORUM.id}")] == ["hi"]
    assert (await store.people.look(4242)).entries[FORUM.id].role == "member"


@pytest.mark.promise("admission")
@pytest.mark.parametrize("word", ["allow", "deny"])
@pytest.mark.parametrize("named", ["@ben", "@ben admin", "ben", "t.me/ben", "https://t.me/ben"])
async def test_a_name_lets_no_one_in_because_names_change_hands(bot: BotUnderTest, word: str, named: str) -> None:
    """The number alone says who is meant, also in a reply to that person."""
    bens = message("hello", sender=BEN, chat=GROUP, message_id=3)
    await bot.intake.take(
        [
            said(f"/{word} {named}", update_id=1),
            said(f"/{word} {named}", chat=GROUP, reply_to_message=bens, update_id=2),
        ]
    )
    assert await roles(bot) == {}
    assert {text for _, text in await bot.said()} == {phrase(f"{word}-how")}


@pytest.mark.promise("admission")
async def test_who_takes_over_the_name_of_a_person_who_was_let_in_is_a_stranger(bot: BotUnderTest) -> None:
    name = {"first_name": "Ben", "username": "ben"}
    before, after = (tg.User(id=number, is_bot=False, **name) for number in (BEN.id, 4711))
    await bot.store.people.put(BOT, before.id, Person(role="admin", name="Ben"))
    await bot.people.refresh()
    for number, who in enumerate((before, after), 1):
        chat = tg.Chat(id=who.id, type="private", **name)
        await bot.intake.take([said("/people", sender=who, chat=chat, update_id=number)])
    assert f"{BOT}:{after.id}" not in [session for session, _ in await bot.said()]
    assert (await bot.said())[0][0] == f"{BOT}:{before.id}"
    assert [session for session, _ in await bot.lines_to_strangers()] == [f"{BOT}:{after.id}"]


@pytest.mark.parametrize("name", ["COHORT_ALLOW", "COHORT_ADMINS"])
def test_the_settings_take_no_name_of_a_person(name: str) -> None:
    with pytest.raises(Misconfigured, match=name):
        load({"TELEGRAM_BOT_TOKEN": f"{BOT}:x", name: "@ben"})
