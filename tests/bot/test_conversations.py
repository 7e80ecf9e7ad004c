"""/sessions lists earlier conversations, /resume and /title go to the session's worker, or are refused in words."""

import pytest

from tasks import keys
from tasks.chats import conversations
from tasks.chats.conversations import Conversation, Current, written
from tasks.envelope import Inbound
from tasks.phrases import phrase
from tasks.store import Store
from tasks.store.earlier import INDEX
from tasks.store.intake import Accept
from tests.bot.conftest import BotUnderTest
from tests.bot.updates import BOT, GROUP, message, pressed, said
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of

ANNS = "4242:700"


async def kept(store: Store, *titles: str, session: str = ANNS) -> None:
    """Earlier conversations 1, 2, 3 ..., the last one set aside last, and one that goes on."""
    index = [Conversation(number=n, title=title, at=86_400.0 * n) for n, title in enumerate(titles, 1)]
    await redis_of(store).hset(keys.earlier(session), INDEX, written(index))
    current = Current(number=len(titles) + 1, last=len(titles) + 1, title="this one")
    await redis_of(store).hset(keys.state(session), "conversation", current.model_dump_json())


@pytest.mark.promise("earlier-conversations")
async def test_sessions_lists_the_one_that_goes_on_and_the_earlier_ones_with_a_button_each(bot: BotUnderTest) -> None:
    await kept(bot.store, "soup", "")
    await bot.intake.take([said("/sessions", update_id=1)])
    ((_, shown),) = await own_replies(bot.store, 4242)
    lines = shown.text.splitlines()
    # Their hyphens break no line.
    shown_lines = [line.replace("\N{NON-BREAKING HYPHEN}", "-") for line in lines[2:5]]
    assert shown_lines == ["✓ 3. this one (now)", "2. Conversation 2 (1970-01-03)", "1. soup (1970-01-02)"]
    assert [[(button.text, button.data) for button in row] for row in shown.buttons] == [
        [("2. Conversation 2", "resume:2")],
        [("1. soup", "resume:1")],
    ]


async def test_a_long_list_is_turned_page_by_page_in_its_message(bot: BotUnderTest) -> None:
    await kept(bot.store, *(f"talk {n}" for n in range(1, 11)))
    listed = message("list", sender=BOT)
    await bot.intake.take([said("/sessions", update_id=1), pressed("sessions:2", listed, update_id=2)])
    (_, first), (_, second) = await own_replies(bot.store, 4242)
    assert [button.data for button in first.buttons[-1]] == ["sessions:2"]
    assert second.edit == listed.message_id
    assert [button.data for row in second.buttons for button in row] == ["resume:2", "resume:1", "sessions:1"]


async def test_where_none_is_kept_that_is_said(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/sessions", update_id=1), said("/title", update_id=2)])
    assert [text for _, text in await bot.said()] == [phrase("conversations-none"), phrase("title-how")]


@pytest.mark.promise("earlier-conversations")
async def test_a_resume_by_word_and_by_button_and_a_title_reach_the_worker(bot: BotUnderTest) -> None:
    await kept(bot.store, "soup")
    listed = message("list", sender=BOT)
    batches = (
        said("/resume 1", update_id=1),
        pressed("resume:1", listed, update_id=2),
        said("/title a  b", update_id=3),
    )
    for update in batches:
        await bot.intake.take([update])
        (entry,) = await bot.inbox(ANNS)
        assert (entry.kind, entry.v) == ("conversation", 4)
        assert entry.choice == ({"title": "a  b"} if update is batches[2] else {"resume": "1"})
        await redis_of(bot.store).delete(keys.inbox(ANNS))
    assert await bot.said() == []


@pytest.mark.parametrize(
    ("word", "says"), [("/resume 9", phrase("conversation-not-kept")), ("/resume 2", phrase("already-there"))]
)
async def test_what_cannot_be_resumed_is_refused_in_words(bot: BotUnderTest, word: str, says: str) -> None:
    await kept(bot.store, "soup")
    await bot.intake.take([said(word, update_id=1)])
    assert [text for _, text in await bot.said()] == [says]
    assert await bot.inbox(ANNS) == []


@pytest.mark.promise("earlier-conversations")
async def test_while_a_message_waits_a_resume_is_refused(bot: BotUnderTest) -> None:
    await kept(bot.store, "soup")
    waits = Inbound(session=ANNS, update_id=1, at=1.0, text="hi")
    await bot.store.intake.accept(4242, [Accept(1, inbound=waits)])
    await bot.intake.take([said("/resume 1", update_id=2)])
    assert [text for _, text in await bot.said()] == [phrase("resume-busy")]
    assert [entry.update_id for entry in await bot.inbox(ANNS)] == [1]


async def test_in_a_group_the_list_is_the_groups_own(bot: BotUnderTest) -> None:
    await kept(bot.store, "private soup")
    await bot.intake.take([said("/sessions@cohort_bot", chat=GROUP, update_id=1)])
    assert "soup" not in (await bot.said())[0][1]


def test_no_list_of_titles_is_longer_than_a_message() -> None:
    index = [Conversation(number=n, title=conversations.title_of("😀" * 200), at=n) for n in range(100)]
    assert len(conversations.list_text(Current(title="x" * 60), index).encode("utf-16-le")) // 2 < 4096
    assert all(len(row[0].data.encode()) <= 64 for row in conversations.list_buttons(index))


async def test_a_conversation_is_found_by_words_of_its_title(bot: BotUnderTest) -> None:
    await kept(bot.store, "Soup for Ann", "the garden", "soup again")
    for number, words in enumerate(("/resume SOUP", "/sessions soup", "/resume nonsense"), 1):
        await bot.intake.take([said(words, update_id=number)])
    replies = [reply for _, reply in await own_replies(bot.store, 4242)]
    found = [[button.text for row in reply.buttons for button in row] for reply in replies]
    assert found == [["3. soup again", "1. Soup for Ann"]] * 2 + [[]]
    assert replies[2].text == phrase("conversation-not-kept")
    assert await bot.inbox(ANNS) == []


async def test_of_many_titles_with_the_words_those_come_first_that_have_them_whole(bot: BotUnderTest) -> None:
    await kept(bot.store, *(f"talk {n}" for n in range(1, 51)))
    await bot.intake.take([said("/resume talk 4", update_id=1)])
    ((_, reply),) = await own_replies(bot.store, 4242)
    assert [row[0].text for row in reply.buttons][:3] == ["4. talk 4", "49. talk 49", "48. talk 48"]


async def test_a_long_list_says_how_many_come_behind_each_page(bot: BotUnderTest) -> None:
    await kept(bot.store, *(f"talk {n}" for n in range(1, 101)))
    words = ("/sessions", "/sessions 12", "/sessions 13", "/sessions 99", "/sessions talk 1", "/resume talk 4")
    for number, word in enumerate(words, 1):
        await bot.intake.take([said(word, update_id=number, message_id=number)])
    replies = [reply for _, reply in await own_replies(bot.store, 4242)]
    behind = [line for reply in replies for line in reply.text.splitlines() if line.startswith("and ")]
    assert behind == ["and 92 more", "and 4 more", "and 4 more", "and 3 more"]
    turned = [[one.data for row in reply.buttons for one in row if "sessions" in one.data] for reply in replies]
    assert turned == [["sessions:2"], ["sessions:11", "sessions:13"], ["sessions:12"], ["sessions:12"], [], []]
    for how in ("conversations-how", "conversations-find"):
        assert [phrase(how) in reply.text for reply in replies] == [True, False, False, False, True, True]


@pytest.mark.parametrize("word", ["/sessions zebra", "/resume zebra", "/resume -1", "/sessions \u202e"])
async def test_words_that_no_title_has_are_said_to_be_none(bot: BotUnderTest, word: str) -> None:
    await kept(bot.store, "soup")
    await bot.intake.take([said(word, update_id=1)])
    assert [text for _, text in await bot.said()] == [phrase("conversation-not-kept")]


async def test_who_presses_another_and_then_the_one_that_goes_on_comes_back_to_it(bot: BotUnderTest) -> None:
    """Until the worker has carried out the first press, Redis says that the session is still in the second one."""
    await kept(bot.store, "soup")
    listed = message("the list", sender=BOT)
    for number, data in enumerate(("resume:1", "resume:2"), 1):
        await bot.intake.take([pressed(data, listed, update_id=number)])
    await bot.followed()
    assert [entry.choice for entry in await bot.inbox(ANNS)] == [{"resume": "1"}, {"resume": "2"}]
    assert phrase("already-there") not in [says for _, says in bot.signs.pressed]


async def test_a_resume_behind_choices_alone_is_taken(bot: BotUnderTest) -> None:
    await kept(bot.store, "soup")
    for number, word in enumerate(("/queue steer", "/undo", "/resume 1", "/resume 1"), 1):
        await bot.intake.take([said(word, update_id=number)])
    assert [entry.kind for entry in await bot.inbox(ANNS)] == ["choose", "undo", "conversation", "conversation"]
    assert await bot.said() == []
