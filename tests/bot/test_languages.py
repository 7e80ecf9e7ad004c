"""What the bot itself says, in the language of whom it says it to."""

import pytest
from aiogram import types as tg

from bot import texts
from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.phrases import LANGUAGES, phrase, speaking
from tasks.store import Store
from tests.bot.conftest import OURS, BotUnderTest, make_bot
from tests.bot.updates import BOT as US
from tests.bot.updates import GROUP, message, pressed, raw, said
from tests.conftest import BOT
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of

ANNS = "cohort:s:4242:700:state"


def user(number: int, language: str | None) -> tg.User:
    return tg.User(id=number, is_bot=False, first_name="Eve", language_code=language)


def chat(person: tg.User) -> tg.Chat:
    return tg.Chat(id=person.id, type="private", first_name=person.first_name)


@pytest.mark.promise("own-language")
async def test_people_of_one_batch_are_each_told_in_their_own_language(bot: BotUnderTest) -> None:
    people = [user(number, language) for number, language in enumerate([*LANGUAGES, "de-AT", "tlh", None] * 2, 801)]
    await bot.intake.take(
        [said("/start", sender=who, chat=chat(who), update_id=number) for number, who in enumerate(people, 1)]
    )
    expected: list[str] = []
    for language in [*LANGUAGES, "de", "en", "en"] * 2:
        with speaking(language):
            expected.append(phrase("start"))
    assert [text for _, text in await bot.said()] == expected


async def test_in_a_group_the_person_who_asks_is_told_in_their_own_language(bot: BotUnderTest) -> None:
    asked = [(user(801, "de"), "de"), (user(802, "zh-hans"), "zh"), (user(803, None), "en")]
    await bot.intake.take(
        [said("/help", sender=who, chat=GROUP, update_id=number) for number, (who, _) in enumerate(asked, 1)]
    )
    for (_, text), (_, language) in zip(await bot.said(), asked, strict=True):
        with speaking(language):
            assert text == texts.help_text(OURS, group=True, context=bot.settings.group_context, hears=False)


async def test_what_a_chat_chose_counts_for_commands_and_buttons(bot: BotUnderTest, store: Store) -> None:
    await redis_of(store).hset(ANNS, "language", "es")
    await bot.intake.take([said("/language", update_id=1), pressed("forget:all", message("x", sender=US), update_id=2)])
    await bot.intake.take([pressed("ask:none:yes", message("x", sender=US), update_id=3)])
    await bot.followed()
    (_, picker), (_, forgotten) = await own_replies(bot.store, BOT)
    with speaking("es"):
        assert picker.text.startswith(phrase("choice-language"))
        assert "中文" in [button.text for row in picker.buttons for button in row]
        assert forgotten.text == phrase("memory-none")
        assert phrase("question-ended") in [text for _, text in bot.signs.pressed]


async def test_a_language_is_chosen_by_its_code_or_its_own_name_and_no_other_word(bot: BotUnderTest) -> None:
    wanted = ("DE", "русский", "klingon")
    await bot.intake.take([said(f"/language {word}", update_id=number) for number, word in enumerate(wanted, 1)])
    assert [entry.choice for entry in await bot.inbox("4242:700")] == [{"language": "de"}, {"language": "ru"}]
    with speaking("ru"):
        names = (phrase("label-language-auto"), *LANGUAGES.values())
        assert [text for _, text in await bot.said()] == [texts.no_such("language", "klingon", names)]


async def test_strangers_and_admins_are_each_told_in_their_own_language(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset(), admins=frozenset({700})))
    await redis_of(store).hset(ANNS, "tongue", "ru")
    eve = user(801, "de")
    await bot.intake.take([said("hi", sender=eve, chat=chat(eve), update_id=1)])
    ((_, line),) = await bot.lines_to_strangers()
    with speaking("de"):
        assert line == texts.stranger(801, 801)
    ((_, request),) = await own_replies(bot.store, BOT)
    with speaking("ru"):
        assert request.text == texts.request("Eve", 801)
        assert request.buttons[0][0].text == phrase("button-allow")
    await bot.intake.take([pressed("allow:801", message("x", sender=US), update_id=2)])
    decided, told = [text for _, text in await bot.said()][-2:]
    assert decided == texts.decided("Eve", 801, "member"), "the admin pressed it in English"
    with speaking("de"):
        assert told == texts.paired("member"), "the stranger had written in German"


async def test_a_button_that_is_too_old_says_so_in_the_language_of_who_presses_it(bot: BotUnderTest) -> None:
    eve = user(801, "pt-br")
    query = tg.CallbackQuery(id="99", from_user=eve, chat_instance="1", message=message("x", sender=US), data="what")
    await bot.intake.take([raw(tg.Update(update_id=1, callback_query=query))])
    await bot.followed()
    with speaking("pt"):
        assert [text for _, text in bot.signs.pressed] == [phrase("too-old")]


async def test_a_plain_message_does_not_ask_what_its_chat_is_told_in(bot: BotUnderTest, store: Store) -> None:
    before = (await redis_of(store).info("commandstats")).get("cmdstat_hmget", {"calls": 0})["calls"]
    await bot.intake.take([said(f"hello {number}", update_id=number) for number in range(1, 4)])
    assert (await redis_of(store).info("commandstats")).get("cmdstat_hmget", {"calls": 0})["calls"] == before


@pytest.mark.promise("usage-counts-audio")
def test_usage_names_recordings_and_voices_where_there_are_any() -> None:
    assert "\n" not in texts.usage(1000, 20, ())
    assert texts.usage(1000, 20, (), heard_s=125, spoken=1).splitlines()[1:] == [
        "Recordings I've listened to: 2 minutes.",
        "Read aloud: 1 character.",
    ]
    with speaking("ru"):
        said = [texts.usage(1, 1, (), spoken=count).splitlines()[1] for count in (1, 2, 5, 11, 21, 1_000_022)]
    assert said == [
        "Озвучен 1 символ.",
        "Озвучено 2 символа.",
        "Озвучено 5 символов.",
        "Озвучено 11 символов.",
        "Озвучен 21 символ.",
        "Озвучено 1\u00a0000\u00a0022 символа.",
    ]
