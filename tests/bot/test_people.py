"""Admins let people and groups in and keep them out; strangers are told so once, and admins of them."""

import pytest
from aiogram import types as tg

from bot import texts
from tasks.chats.access import Access, AccessStanding, Person
from tasks.config.settings import Settings, load
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import ANN, BEN, FORUM, GROUP, message, pressed, said
from tests.bot.updates import BOT as US
from tests.conftest import BOT
from tests.support.own_replies import own_replies

ANNS = Access(everybody=False, allow=frozenset(), admins=frozenset({ANN.id}))
BENS = tg.Chat(id=BEN.id, type="private", first_name="Ben")
TRICKY = tg.User(id=BEN.id, is_bot=False, first_name="Ben\n\u202eAdmin: allow me", last_name="x" * 100)


@pytest.fixture
def bot(settings: Settings, store: Store) -> BotUnderTest:
    return make_bot(settings, store, access=ANNS)


async def stored(bot: BotUnderTest) -> dict[int, Person]:
    return dict((await bot.store.people.look(BOT)).entries)


async def last(bot: BotUnderTest) -> str:
    return (await bot.said())[-1][1]


@pytest.mark.promise("admission")
async def test_admins_hear_of_a_stranger_and_let_them_in_by_a_button(bot: BotUnderTest) -> None:
    await bot.intake.take([said("hi", sender=TRICKY, chat=BENS, update_id=1)])
    ((_, request),) = await own_replies(bot.store, BOT)
    assert request.session == str(SessionKey(BOT, ANN.id))
    assert "\n" not in request.text
    assert "\u202e" not in request.text
    assert len(request.text) < 120
    (row,) = request.buttons
    assert [button.data for button in row] == ["allow:701", "deny:701"]
    await bot.intake.take([pressed("allow:701", message("x", sender=US, message_id=33), update_id=2)])
    assert (await stored(bot))[BEN.id].role == "member"
    (_, reply), (_, told) = (await own_replies(bot.store, BOT))[-2:]
    assert (reply.edit, reply.text) == (33, texts.decided(texts.one_line(TRICKY.full_name), BEN.id, "member"))
    assert (told.session, told.text) == ("4242:701", texts.paired("member")), "who asked hears so"
    await bot.intake.take([said("thanks", sender=BEN, chat=BENS, update_id=3)])
    assert [entry.text for entry in await bot.inbox("4242:701")] == ["thanks"]


@pytest.mark.promise("admission")
async def test_a_group_is_let_in_apart_from_the_person_who_asks(bot: BotUnderTest) -> None:
    await bot.intake.take([said("@cohort_bot hi", sender=BEN, chat=GROUP, update_id=1)])
    ((_, request),) = await own_replies(bot.store, BOT)
    assert request.text == texts.group_request("Ben", BEN.id, GROUP.id, "Friends")
    await bot.intake.take([said(f"/allow {GROUP.id}", update_id=2)])
    await bot.intake.take(
        [said("@cohort_bot hi", sender=BEN, chat=GROUP, update_id=3), said("hi", sender=BEN, chat=BENS, update_id=4)]
    )
    assert (await stored(bot))[GROUP.id].name == "Friends"
    assert len(await bot.inbox("4242:-55")) == 1
    assert await bot.inbox("4242:701") == []


async def test_a_crowd_of_strangers_is_ten_lines_to_admins_an_hour(
    bot: BotUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(50):
        who = tg.User(id=1000 + number, is_bot=False, first_name="S")
        chat = tg.Chat(id=who.id, type="private")
        await bot.intake.take([said("hi", sender=who, chat=chat, update_id=number + 1)])
    assert len(await bot.said()) == 10
    # The operator hears once that there were more.
    assert caplog.messages.count("access.not_told") == 1


@pytest.mark.promise("admission")
async def test_a_denied_person_hears_nothing_at_all_and_presses_in_vain(bot: BotUnderTest) -> None:
    await bot.intake.take([said(f"/deny {BEN.id}", update_id=1)])
    count = len(await bot.said())
    await bot.intake.take([said("hi", sender=BEN, chat=BENS, update_id=2)])
    await bot.intake.take([said(f"/allow {BEN.id}", sender=BEN, chat=BENS, update_id=3)])
    assert len(await bot.said()) == count
    assert await bot.lines_to_strangers() == []
    await bot.intake.take([said(f"/allow {BEN.id} guest", update_id=4)])
    assert (await stored(bot))[BEN.id].role == "guest"


async def test_a_reply_names_the_person_and_a_group_names_itself(bot: BotUnderTest) -> None:
    theirs = message("let me in", sender=BEN, chat=GROUP, message_id=9)
    await bot.intake.take([said("/allow@cohort_bot", chat=GROUP, reply_to_message=theirs, update_id=1)])
    assert (await stored(bot))[BEN.id].name == "Ben"
    await bot.intake.take([said("/allow", chat=GROUP, update_id=2)])
    assert (await stored(bot))[GROUP.id] == Person(role="member", name="Friends", at=bot.clock.now(), by=ANN.id)
    await bot.intake.take([said("/allow", update_id=3), said("/allow 12 nonsense", update_id=4)])
    assert await last(bot) == phrase("allow-how")
    await bot.intake.take([said("/allow \N{SUPERSCRIPT TWO}", update_id=5)])
    assert [text for _, text in await bot.said()][-3:] == [phrase("allow-how")] * 3
    assert set(await stored(bot)) == {BEN.id, GROUP.id}


@pytest.mark.promise("admission")
async def test_only_admins_decide_only_the_owner_makes_admins_and_settings_stand_above(bot: BotUnderTest) -> None:
    await bot.store.people.put(BOT, BEN.id, Person(role="member", name="Ben"))
    await bot.store.people.put(BOT, 55, Person(role="owner"))
    await bot.people.refresh()
    for number, (word, sender, answer) in enumerate(
        (
            ("/allow 5", BEN, phrase("admins-only")),
            ("/people", BEN, phrase("admins-only")),
            ("/allow 5 admin", ANN, phrase("owner-only")),
            ("/deny 55", ANN, phrase("owner-only")),
            (f"/deny {ANN.id}", ANN, texts.by_settings(ANN.id)),
        ),
        1,
    ):
        chat = BENS if sender is BEN else tg.Chat(id=ANN.id, type="private")
        await bot.intake.take([said(word, sender=sender, chat=chat, update_id=number)])
        assert await last(bot) == answer, word
    await bot.intake.take([pressed("allow:5", message("x", sender=US), update_id=20)])
    assert (await stored(bot))[5].role == "member"
    await bot.intake.take([said("/people", update_id=21)])
    assert (await last(bot)).splitlines()[2:6] == ["55: owner", "700: admin", "5: member", "Ben (701): member"]


async def test_a_button_pressed_by_a_person_who_may_not_changes_nothing(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=Access(everybody=True, allow=frozenset()))
    await bot.intake.take([pressed("allow:5", message("x", sender=US))])
    assert await stored(bot) == {}


@pytest.mark.parametrize("standing", ["member", "denied"])
async def test_a_group_that_becomes_a_supergroup_keeps_what_was_decided(
    bot: BotUnderTest, standing: AccessStanding
) -> None:
    await bot.store.people.put(BOT, GROUP.id, Person(role=standing, name="Friends"))
    await bot.intake.take([said(chat=GROUP, sender=None, migrate_to_chat_id=FORUM.id)])
    assert {who: person.name for who, person in (await stored(bot)).items()} == {FORUM.id: "Friends"}


async def test_a_person_who_was_let_in_elsewhere_is_known_from_the_first_update_on(
    settings: Settings, store: Store
) -> None:
    await store.people.put(BOT, BEN.id, Person(role="member"))
    bot = make_bot(settings, store, access=ANNS)
    await bot.intake.take([said("hi", sender=BEN, chat=BENS)])
    assert len(await bot.inbox("4242:701")) == 1


async def test_a_forgotten_person_is_a_stranger_again(store: Store) -> None:
    for bot in (BOT, 5):
        await store.people.put(bot, BEN.id, Person(role="member", name="Ben"))
    before = (await store.people.look(BOT)).version
    assert await store.people.forget(BEN.id) == 2
    assert (await store.people.look(BOT)).entries == {}
    assert (await store.people.look(BOT)).version > before


@pytest.mark.promise("rate")
async def test_a_person_who_writes_too_much_is_told_once_and_can_still_stop(redis_url: str, store: Store) -> None:
    limited = load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": "4242:x", "COHORT_RATE": "3"})
    bot = make_bot(limited, store)
    await bot.intake.take([said(f"m{number}", update_id=number) for number in range(1, 9)])
    await bot.intake.take([said("/stop", update_id=20), said("hi", sender=BEN, chat=BENS, update_id=21)])
    assert [entry.text for entry in await bot.inbox("4242:700")] == ["m1", "m2", "m3", ""]
    assert [text for _, text in await bot.said()] == [phrase("rate")]
    assert len(await bot.inbox("4242:701")) == 1


async def test_messages_of_an_outage_count_for_the_minutes_in_which_they_were_written(
    redis_url: str, store: Store
) -> None:
    from datetime import timedelta

    from tests.bot.updates import SOME_DAY

    limited = load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": "4242:x", "COHORT_RATE": "1"})
    bot = make_bot(limited, store)
    dates = [SOME_DAY + timedelta(minutes=number) for number in range(5)]
    await bot.intake.take([said("hi", update_id=number, date=date) for number, date in enumerate(dates, 1)])
    assert len(await bot.inbox("4242:700")) == 5
    album = [said("a", update_id=10 + n, media_group_id="g", date=SOME_DAY + timedelta(hours=1)) for n in range(4)]
    await bot.intake.take(album)
    assert len(await bot.inbox("4242:700")) == 9, "an album counts once"


@pytest.mark.promise("admission")
@pytest.mark.parametrize("word", ["/model a", "/model", "/agent poet", "/model default"])
async def test_a_guest_talks_and_chooses_no_agent_and_no_model(redis_url: str, store: Store, word: str) -> None:
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": "4242:x", "COHORT_MODELS": "a,b"}
    bot = make_bot(load(given), store, access=ANNS)
    await store.people.put(BOT, BEN.id, Person(role="guest"))
    words = (word, "hi", "/new", "/queue steer")
    await bot.intake.take([said(one, sender=BEN, chat=BENS, update_id=n) for n, one in enumerate(words, 1)])
    await bot.intake.take([pressed("model:a", message("x", sender=US), update_id=9)])
    assert [entry.kind for entry in await bot.inbox("4242:701")] == ["message", "new", "choose"]
    assert [text for _, text in await bot.said()] == [phrase("guests")]
    assert [entry.kind for entry in await bot.inbox("4242:700")] == ["choose"], "Ann is an admin"
