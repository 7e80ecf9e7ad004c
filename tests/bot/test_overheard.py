"""What a group says among itself is context for its next message to the agent, bounded, and of admitted people only."""

import pytest
from aiogram import types as tg

from bot.groups.overheard import ALL_CHARACTERS, EACH_CHARACTERS, OverheardMessages
from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.envelope import Inbound
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import ANN, BEN, FORUM, GROUP, said
from tests.support.redis_of import redis_of

GROUPS = "4242:-55"


async def heard(bot: BotUnderTest) -> list[tuple[str, list[tuple[str, str]]]]:
    """(text, context) of each message that waits."""
    return [
        (entry.text, [(one.sender.name if one.sender else "?", one.text) for one in entry.overheard])
        for entry in await bot.inbox(GROUPS)
    ]


@pytest.mark.promise("overheard")
async def test_a_message_takes_along_what_was_said_before_it_once(bot: BotUnderTest) -> None:
    await bot.intake.take(
        [
            said("shall we meet at 8?", sender=BEN, chat=GROUP, message_id=1, update_id=1),
            said("at 9", chat=GROUP, message_id=2, update_id=2),
            said("at 9, or 10", chat=GROUP, message_id=2, update_id=3, kind="edited_message"),
            said("@cohort_bot when do we meet?", chat=GROUP, message_id=3, update_id=4),
            said("@cohort_bot and where?", chat=GROUP, message_id=4, update_id=5),
        ]
    )
    context = [("Ben", "shall we meet at 8?"), ("Ann Lee", "at 9, or 10")]
    assert await heard(bot) == [("when do we meet?", context), ("and where?", [])]


@pytest.mark.promise("overheard")
async def test_files_are_named_in_the_context_with_their_captions_or_alone(bot: BotUnderTest) -> None:
    photo = [tg.PhotoSize(file_id="p1", file_unique_id="u1", width=90, height=90)]
    await bot.intake.take(
        [
            said(None, photo=photo, caption="my cat", chat=GROUP, message_id=1, update_id=1),
            said(None, photo=photo, chat=GROUP, message_id=2, update_id=2),
            said("@cohort_bot how old is it?", chat=GROUP, message_id=3, update_id=3),
        ]
    )
    assert await heard(bot) == [("how old is it?", [("Ann Lee", "[photo] my cat"), ("Ann Lee", "[photo]")])]


@pytest.mark.promise("overheard")
async def test_words_of_strangers_and_of_other_chats_are_no_context(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset({ANN.id})))
    other = tg.Chat(id=-56, type="group", title="Other")
    await bot.intake.take(
        [
            said("a stranger's words", sender=BEN, chat=GROUP, message_id=1, update_id=1),
            said("elsewhere", chat=other, message_id=1, update_id=2),
            said("@cohort_bot hi", chat=GROUP, message_id=3, update_id=3),
        ]
    )
    assert await heard(bot) == [("hi", [])]
    assert await redis_of(store).keys("cohort:s:4242:-56:*") == []


async def test_an_update_that_comes_again_brings_the_same_context(bot: BotUnderTest) -> None:
    store, asked = bot.store, said("@cohort_bot hi", chat=GROUP, message_id=3, update_id=2)
    await bot.intake.take([said("before", chat=GROUP, message_id=1, update_id=1)])
    whole, store.intake._accept = store.intake._accept, Broken()  # type: ignore[assignment]
    with pytest.raises(Exception, match="away"):
        await bot.intake.take([asked])
    store.intake._accept = whole
    await bot.intake.take([asked])
    assert await heard(bot) == [("hi", [("Ann Lee", "before")])]


class Broken:
    """Redis is away."""

    async def __call__(self, *_: object) -> None:
        from tasks.errors import StoreUnavailable

        raise StoreUnavailable("away")


def one(number: int, text: str, session: str = GROUPS) -> Inbound:
    return Inbound(session=session, update_id=number, at=0.0, message_id=number, text=text, chat_type="group")


async def test_context_is_bounded_in_number_in_length_and_in_time(store: Store) -> None:
    messages = OverheardMessages(store.overheard, 20)
    for number in range(50):
        await messages.add(one(number, f"{number} " + "x" * 1000))
    assert 0 < await redis_of(store).ttl(f"cohort:bot:4242:overheard:{GROUPS}") <= 24 * 3600
    assert await redis_of(store).llen(f"cohort:bot:4242:overheard:{GROUPS}") == 20
    taken = (await messages.before(one(99, "hi"))).overheard
    assert max(len(word.text) for word in taken) == EACH_CHARACTERS
    assert len(taken) == ALL_CHARACTERS // EACH_CHARACTERS
    assert taken[-1].text.startswith("49 ")
    for number in range(50):
        await messages.add(one(number + 1000, str(number)))
    assert len((await messages.before(one(100, "hi"))).overheard) == 20
    none = OverheardMessages(store.overheard, 0)
    await none.add(one(1, "x"))
    assert (await none.before(one(2, "hi"))).overheard == ()


async def test_all_processes_of_the_bot_have_one_context(settings: Settings, store: Store) -> None:
    """With a webhook each update comes to whichever process is free; and a process may start again."""
    first, second = make_bot(settings, store), make_bot(settings, store)
    await first.intake.take([said("at 8?", sender=BEN, chat=GROUP, message_id=1, update_id=1)])
    await second.intake.take([said("at 9", chat=GROUP, message_id=2, update_id=2)])
    await first.intake.take([said("at 10", chat=GROUP, message_id=2, update_id=3, kind="edited_message")])
    await second.intake.take([said("@cohort_bot when?", chat=GROUP, message_id=3, update_id=4)])
    await first.intake.take([said("@cohort_bot where?", chat=GROUP, message_id=4, update_id=5)])
    assert await heard(first) == [("when?", [("Ben", "at 8?"), ("Ann Lee", "at 10")]), ("where?", [])]


async def test_an_update_that_another_process_took_is_no_context_twice(settings: Settings, store: Store) -> None:
    first, second = make_bot(settings, store), make_bot(settings, store)
    before = said("before", chat=GROUP, message_id=1, update_id=1)
    await first.intake.take([before, said("@cohort_bot hi", chat=GROUP, message_id=3, update_id=2)])
    await second.intake.take([before, said("@cohort_bot and?", chat=GROUP, message_id=4, update_id=3)])
    assert await heard(first) == [("hi", [("Ann Lee", "before")]), ("and?", [])]


@pytest.mark.parametrize(
    ("update", "kind", "text"),
    [
        (said("@cohort_bot /new what now?", chat=GROUP), "new", "what now?"),
        (said("@cohort_bot /stop", chat=GROUP), "stop", ""),
        (
            said(
                "hey bot, hi",
                chat=GROUP,
                entities=[tg.MessageEntity(type="text_link", offset=4, length=3, url="https://t.me/Cohort_bot")],
            ),
            "message",
            "hey [bot](https://t.me/Cohort_bot), hi",
        ),
        (said("@cohort_bot, /new what now?", chat=GROUP), "new", "what now?"),
        (said("@cohort_bot: /stop", chat=GROUP), "stop", ""),
        (said("/new @cohort_bot what now?", chat=GROUP), "new", "what now?"),
        (said("/new what now? @cohort_bot", chat=GROUP), "new", "what now?"),
        (said(caption="/new@cohort_bot look", chat=GROUP, photo=[]), "new", "look"),
        (said(caption="/draw@cohort_bot a cat", chat=GROUP, photo=[]), "message", "/draw a cat"),
        (said(caption="see @cohort_bot", chat=GROUP, photo=[]), "message", "see"),
    ],
)
async def test_the_bot_is_called_in_every_form_that_people_use(
    bot: BotUnderTest, update: dict[str, object], kind: str, text: str
) -> None:
    await bot.intake.take([update])
    assert [(entry.kind, entry.text) for entry in await bot.inbox(GROUPS)] == [(kind, text)]


@pytest.mark.parametrize("word", ["/new look", "/new@other_bot look", "/help@cohort_bot"])
async def test_a_caption_is_a_command_only_where_it_names_the_bot_and_gives_something(
    bot: BotUnderTest, word: str
) -> None:
    await bot.intake.take([said(caption=word, chat=tg.Chat(id=700, type="private", first_name="Ann"), photo=[])])
    assert {entry.kind for entry in await bot.inbox("4242:700")} <= {"message"}


async def test_an_update_that_comes_again_is_no_context_twice(bot: BotUnderTest) -> None:
    first = said("before", chat=GROUP, message_id=1, update_id=1)
    asked = said("@cohort_bot hi", chat=GROUP, message_id=3, update_id=2)
    for _ in range(2):
        await bot.intake.take([first, asked])
    await bot.intake.take([said("@cohort_bot and?", chat=GROUP, message_id=4, update_id=3)])
    assert await heard(bot) == [("hi", [("Ann Lee", "before")]), ("and?", [])]


@pytest.mark.promise("forgotten")
async def test_the_words_of_a_person_who_was_erased_are_no_context(bot: BotUnderTest) -> None:
    await bot.intake.take(
        [
            said("mine", chat=GROUP, message_id=1, update_id=1),
            said("hers", sender=BEN, chat=GROUP, message_id=2, update_id=2),
        ]
    )
    assert await bot.store.overheard.forget(ANN.id) == 1
    await bot.intake.take([said("@cohort_bot hi", sender=BEN, chat=GROUP, message_id=3, update_id=3)])
    assert await heard(bot) == [("hi", [("Ben", "hers")])]


@pytest.mark.promise("forgotten")
async def test_a_session_that_is_erased_loses_what_was_said_in_it_and_no_other_one(store: Store) -> None:
    messages, other = OverheardMessages(store.overheard, 5), f"{GROUPS}6"
    await messages.add(one(1, "elsewhere", other))
    await messages.add(one(2, "before"))
    await messages.before(one(3, "hi"))
    await messages.add(one(4, "later"))
    await store.overheard.part(one(5, "a view").model_copy(update={"album": "g"}))
    whose = ErasureScope(session=SessionKey.parse(GROUPS))
    await store.erasure.erase(whose, media=lambda _: (), strike=lambda _: None)
    assert await redis_of(store).keys("cohort:bot:*") == [f"cohort:bot:4242:overheard:{other}".encode()]


@pytest.mark.promise("moved")
@pytest.mark.parametrize("together", [True, False])
async def test_what_a_group_said_before_it_became_a_supergroup_is_context_there(
    bot: BotUnderTest, *, together: bool
) -> None:
    updates = [
        said("shall we meet at 8?", sender=BEN, chat=GROUP, message_id=3, update_id=1),
        said(chat=GROUP, sender=None, migrate_to_chat_id=FORUM.id, message_id=4, update_id=2),
        said(chat=FORUM, sender=None, migrate_from_chat_id=GROUP.id, message_id=1, update_id=3),
        said("at 9", chat=FORUM, message_id=2, update_id=4),
        # Another message has the number that the first one had in the group.
        said("hello all", sender=BEN, chat=FORUM, message_id=3, update_id=5),
        said("@cohort_bot when?", chat=FORUM, message_id=5, update_id=6),
    ]
    for batch in [updates] if together else [[update] for update in updates]:
        await bot.intake.take(batch)
    asked = (await bot.inbox(f"4242:{FORUM.id}"))[-1]
    assert [one.text for one in asked.overheard] == ["shall we meet at 8?", "at 9", "hello all"]
