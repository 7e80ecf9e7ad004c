"""A command behind a message that is worked on: its person is told at once what holds from when on."""

import pytest

from tasks.chats import conversations
from tasks.chats.choices import CHAT_CHOICES
from tasks.chats.conversations import Current
from tasks.config.settings import load
from tasks.envelope import Inbound, Reply
from tasks.phrases import LANGUAGES, phrase, speaking
from tasks.store import Store
from tasks.store.intake import Accept
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import BOT, message, pressed, said
from tests.conftest import TOKEN
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of

ANNS = "4242:700"
NEXT = phrase("from-next")


@pytest.fixture
def bot(redis_url: str, store: Store) -> BotUnderTest:
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_MODELS": "haiku,sonnet"}
    return make_bot(load(given), store)


async def lines(bot: BotUnderTest) -> list[Reply]:
    return [reply for _, reply in await own_replies(bot.store, 4242, 1000)]


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("/model sonnet", f"Switched to sonnet. {NEXT}"),
        ("/model default", f"Switched back to the default model. {NEXT}"),
        ("/agent poet", f"Switched to poet. {NEXT}"),
        ("/title My plans", phrase("conversation-titled", title="My plans")),
        *((f"/{name} default", f"Switched back to the default for /{name}. {NEXT}") for name in ("queue", "steps")),
        ("/queue interrupt", f"Okay. {CHAT_CHOICES['queue'].meaning('interrupt')} {NEXT}"),
    ],
)
@pytest.mark.parametrize("together", [False, True], ids=["later", "in one batch"])
async def test_a_choice_and_a_title_are_confirmed_at_once(
    bot: BotUnderTest, word: str, line: str, together: bool
) -> None:
    updates = [said("a long story", update_id=1), said(word, update_id=2, message_id=11)]
    for batch in [updates] if together else [[update] for update in updates]:
        await bot.intake.take(batch)
    assert [reply.text for reply in await lines(bot)] == [line]
    entries = await bot.inbox(ANNS)
    assert [entry.told for entry in entries] == [False, True], "its worker says nothing more"


@pytest.mark.parametrize("together", [False, True], ids=["later", "in one batch"])
async def test_a_language_is_confirmed_in_itself_and_spoken_from_then_on(bot: BotUnderTest, together: bool) -> None:
    words = ("a", "/language de", "/whoami", "/language es", "/whoami", "/language auto", "/whoami")
    updates = [said(word, update_id=number) for number, word in enumerate(words, 1)]
    for batch in [updates] if together else [[update] for update in updates]:
        await bot.intake.take(batch)
    expected, auto = [], ""
    for language in ("de", "es"):
        with speaking(language):
            expected += [phrase("speaks"), phrase("whoami", id=700)]
            auto = phrase("speaks-auto")
    expected += [auto, phrase("whoami", id=700)]
    assert sorted(reply.text for reply in await lines(bot)) == sorted(expected)


async def test_a_title_that_waits_is_listed(bot: BotUnderTest) -> None:
    await redis_of(bot.store).hset(f"cohort:s:{ANNS}:state", "conversation", '{"number": 2, "last": 2, "title": "old"}')
    for update, word in enumerate(("a", "/title My plans", "/sessions"), 1):
        await bot.intake.take([said(word, update_id=update)])
    kept = conversations.list_text(Current(number=2, last=2, title="My plans"), ())
    assert (await lines(bot))[-1].text == kept


@pytest.mark.parametrize("word", ["/compact", "/retry", "/undo"])
async def test_what_has_to_wait_says_so(bot: BotUnderTest, word: str) -> None:
    await bot.intake.take([said("a", update_id=1), said(word, update_id=2)])
    assert [reply.text for reply in await lines(bot)] == [phrase("later")]
    assert not (await bot.inbox(ANNS))[-1].told


@pytest.mark.parametrize("before", [("a", "/new"), ("a", "/stop"), ("/queue steer",), ()])
async def test_where_nothing_is_worked_on_its_worker_says_it(bot: BotUnderTest, before: tuple[str, ...]) -> None:
    words = [*before, "/thinking fold", "/undo"]
    for update, word in enumerate(words, 1):
        await bot.intake.take([said(word, update_id=update)])
    assert await lines(bot) == []
    assert not any(entry.told for entry in await bot.inbox(ANNS))


async def test_a_picker_marks_the_choice_at_once_and_shows_it_while_it_waits(bot: BotUnderTest) -> None:
    picker = message("This conversation uses the model haiku.", sender=BOT)
    await bot.intake.take([said("a", update_id=1)])
    await bot.intake.take([pressed("model:sonnet", picker, update_id=2), pressed("queue:steer", picker, update_id=3)])
    await bot.intake.take([said("/model", update_id=4), said("/queue", update_id=5)])
    told = await lines(bot)
    assert sorted(reply.edit or 0 for reply in told) == [0, 0, picker.message_id, picker.message_id]
    marked = [button.text for reply in told for row in reply.buttons for button in row]
    assert sorted(text for text in marked if text.startswith("✓")) == ["✓ Join in", "✓ Join in", "✓ sonnet", "✓ sonnet"]
    await bot.followed()
    assert [says for _, says in bot.signs.pressed] == [
        f"Switched to sonnet. {NEXT}",
        f"Okay. {CHAT_CHOICES['queue'].meaning('steer')} {NEXT}",
    ]


async def test_a_flood_of_choices_is_confirmed_by_their_worker(bot: BotUnderTest) -> None:
    await bot.intake.take([said("a", update_id=1)])
    for number in range(30):
        await bot.intake.take([said("/queue steer", update_id=10 + number)])
    told = [entry.told for entry in await bot.inbox(ANNS)]
    assert (sum(told), len(await lines(bot)), len(told)) == (20, 20, 31)


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_words_are_there_in_each_language(language: str) -> None:
    with speaking(language):
        assert phrase("from-next") != phrase("later")


async def test_what_is_confirmed_ahead_is_stored_with_its_word_and_once(store: Store) -> None:
    """A bot that dies between the two would leave a choice that its worker takes for told."""
    message, word = (
        Inbound(session=ANNS, update_id=number, at=1.0, kind=kind) for number, kind in ((1, "message"), (2, "choose"))
    )
    line = Reply(text="Switched", session=ANNS, answers=(2,))
    crowd = [Accept(number, message.model_copy(update={"update_id": number})) for number in range(3, 2100)]
    batch = [Accept(1, message), Accept(2, word, line), Accept(2, word, line), *crowd]
    verdicts = await store.intake.accept(BOT.id, [*batch, *(Accept(3000 + n, word, line) for n in range(200))])
    taken = verdicts[-200:].count("accepted")
    assert verdicts[:3] == ["accepted", "accepted", "seen"]
    assert 0 < taken < 200, "the inbox is full"
    assert len(await own_replies(store, BOT.id, 1000)) == 1 + taken
