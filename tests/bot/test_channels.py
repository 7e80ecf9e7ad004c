"""COHORT_CHANNELS: posts that name the bot are answered in admitted channels; without it not one is asked for."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiogram import types as tg

from bot.api import client
from bot.updates.meaning import BotIdentity, Ignored, Incoming
from bot.updates.understand import understand
from playground.client import PlaygroundClient
from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import CHANNEL, SOME_DAY, said
from tests.conftest import TOKEN
from tests.playground.conformance import check_update
from tests.support.redis_of import redis_of

WITH = BotIdentity.of(4242, "cohort_bot", channels=True)


def post(text: str, update_id: int = 1) -> dict[str, object]:
    return said(text, chat=CHANNEL, sender=None, sender_chat=CHANNEL, kind="channel_post", update_id=update_id)


@pytest.mark.promise("channels")
@pytest.mark.parametrize(
    ("text", "means"),
    [("@cohort_bot sum it up", "sum it up"), ("/new@cohort_bot", ""), ("just news", None), ("/new", None)],
)
def test_a_post_that_names_the_bot_is_its_channels_message(text: str, means: str | None) -> None:
    update = post(text)
    check_update(update)
    found = understand(update, WITH, 0.0)
    if means is None:
        assert isinstance(found, Ignored)
        return
    assert isinstance(found, Incoming)
    assert (found.inbound.session, found.inbound.text, found.addressed) == ("4242:-1009", means, True)
    assert found.inbound.chat_type == "channel"
    assert isinstance(understand(update, BotIdentity.of(4242, "cohort_bot"), 0.0), Ignored)


@pytest.mark.promise("channels")
@pytest.mark.parametrize("allowed", [True, False])
async def test_a_channel_that_is_not_let_in_gets_no_answer_and_no_line(
    settings: Settings, store: Store, *, allowed: bool
) -> None:
    access = Access(everybody=False, allow=frozenset({CHANNEL.id} if allowed else ()))
    bot = make_bot(settings, store, access=access, me=WITH)
    await bot.intake.take([post("@cohort_bot hi")])
    assert [entry.text for entry in await bot.inbox("4242:-1009")] == ["hi"] * allowed
    assert await bot.said() == await bot.lines_to_strangers() == []


@pytest.mark.promise("channels")
@pytest.mark.parametrize("channels", [True, False])
async def test_posts_are_asked_for_where_an_operator_wants_them(
    api_url: str, people: PlaygroundClient, *, channels: bool
) -> None:
    async with client(TOKEN, api_url, channels=channels) as telegram:
        assert (await telegram.me()).channels == channels
        await telegram.updates(None, hold=timedelta(0))
    journal = await people.journal()
    asked = next(call for call in journal if call["method"] == "getUpdates")["params"]["allowed_updates"]
    assert ("channel_post" in (json.loads(asked) if isinstance(asked, str) else asked)) == channels


TALK = tg.Chat(id=-1001010, type="supergroup", title="News talk")
TELEGRAM = tg.User(id=777000, is_bot=False, first_name="Telegram")
NEWS, GROUP_OF = "4242:-1009", "4242:-1001010"


def forwarded(text: str, update_id: int, *, number: int = 10, **fields: Any) -> dict[str, object]:
    """A post as Telegram puts it into the channel's discussion group."""
    origin = tg.MessageOriginChannel(date=SOME_DAY, chat=CHANNEL, message_id=number)
    about: dict[str, Any] = {"sender_chat": CHANNEL, "is_automatic_forward": True, "forward_origin": origin, **fields}
    return said(text, chat=TALK, sender=TELEGRAM, update_id=update_id, message_id=70 + update_id, **about)


async def waiting(bot: BotUnderTest) -> tuple[list[str], list[str]]:
    """What is to be answered in the channel, and in its discussion group."""
    channel, group = [[entry.text for entry in await bot.inbox(one)] for one in (NEWS, GROUP_OF)]
    return channel, group


def answering(settings: Settings, store: Store, *, allowed: tuple[int, ...] = (CHANNEL.id, TALK.id)) -> BotUnderTest:
    return make_bot(settings, store, access=Access(everybody=False, allow=frozenset(allowed)), me=WITH)


@pytest.mark.promise("channels")
@pytest.mark.parametrize("together", [True, False])
async def test_a_post_is_answered_in_its_channel_and_not_again_in_the_discussion_group(
    settings: Settings, store: Store, *, together: bool
) -> None:
    bot, text = answering(settings, store), "@cohort_bot sum it up"
    batches = [[post(text), forwarded(text, 2)]] if together else [[post(text)], [forwarded(text, 2)]]
    for batch in batches:
        await bot.intake.take(batch)
    assert await waiting(bot) == (["sum it up"], [])
    other = answering(settings, store)
    await other.intake.take([forwarded(text, 3)])
    assert await waiting(other) == (["sum it up"], []), "another process of the bot, which has not seen the post"
    await bot.intake.take([said("@cohort_bot and why?", chat=TALK, update_id=4)])
    assert (await waiting(bot))[1] == ["and why?"], "a comment is answered where it stands"


@pytest.mark.promise("channels")
@pytest.mark.parametrize("why", ["not let in", "no post of it comes", "off"])
async def test_where_a_channel_is_not_answered_its_discussion_group_is(
    settings: Settings, store: Store, why: str
) -> None:
    allowed = (TALK.id,) if why == "not let in" else (CHANNEL.id, TALK.id)
    bot = answering(settings, store, allowed=allowed)
    if why == "off":
        bot = make_bot(settings, store, access=Access(everybody=False, allow=frozenset(allowed)))
    text = "@cohort_bot sum it up"
    await bot.intake.take([forwarded(text, 2)] if why == "no post of it comes" else [post(text), forwarded(text, 2)])
    assert await waiting(bot) == ([], ["sum it up"])


@pytest.mark.promise("channels")
@pytest.mark.parametrize("rule", ["", "chats:\n  -1001010: {mention: always}\n"])
async def test_the_bots_own_post_is_not_answered_where_it_is_discussed(
    settings: Settings, store: Store, tmp_path: Path, rule: str
) -> None:
    (tmp_path / "chats.yaml").write_text(rule)
    bot = answering(settings.model_copy(update={"chats": tmp_path / "chats.yaml"}), store)
    await redis_of(store).rpush("cohort:bot:4242:answers:-1009", "51:1:")  # type: ignore[misc]
    await redis_of(store).expire("cohort:bot:4242:answers:-1009", 60)
    await bot.intake.take([forwarded("I'm @cohort_bot", 2, number=51)])
    assert await waiting(bot) == ([], [])


@pytest.mark.promise("channels")
async def test_an_edited_post_is_an_edit_as_in_a_group_and_once(settings: Settings, store: Store) -> None:
    bot, text = answering(settings, store), "@cohort_bot sum that up"
    edited = said(text, chat=CHANNEL, sender=None, sender_chat=CHANNEL, kind="edited_channel_post", update_id=3)
    check_update(edited)
    again = forwarded(text, 4)
    await bot.intake.take([post("@cohort_bot sum it up"), edited, {"update_id": 4, "edited_message": again["message"]}])
    found = await bot.inbox(NEWS)
    assert [(entry.text, entry.edited) for entry in found] == [("sum it up", False), ("sum that up", True)]
    assert (await waiting(bot))[1] == []
    plain = said("just news", chat=CHANNEL, sender=None, sender_chat=CHANNEL, kind="edited_channel_post", update_id=5)
    await bot.intake.take([plain])
    assert len(await bot.inbox(NEWS)) == 2


@pytest.mark.promise("no-ping-pong")
@pytest.mark.parametrize("where", ["channel", "business"])
async def test_two_programs_that_answer_each_other_end(settings: Settings, store: Store, where: str) -> None:
    """Telegram does not say there that another program wrote: what ends is the talk, without one more word."""
    bot = answering(settings, store, allowed=(CHANNEL.id, 700))
    for number in range(1, 100):
        update = post("@cohort_bot yes?", number)
        if where == "business":
            update = said("yes?", kind="business_message", business_connection_id="bc1", update_id=number)
        await bot.intake.take([update])
    session = NEWS if where == "channel" else "4242:700:bbc1"
    assert len(await bot.inbox(session)) == 30
    assert await bot.said() == []
