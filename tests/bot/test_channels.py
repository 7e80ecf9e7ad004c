"""COHORT_CHANNELS: posts that name the bot are answered in admitted channels; without it not one is asked for."""

import json
from datetime import timedelta

import pytest

from bot.api import client
from bot.updates.meaning import BotIdentity, Ignored, Incoming
from bot.updates.understand import understand
from playground.client import PlaygroundClient
from tasks.chats.access import Access
from tasks.config.settings import Settings
from tasks.store import Store
from tests.bot.conftest import make_doorway
from tests.bot.updates import CHANNEL, said
from tests.conftest import TOKEN
from tests.playground.conformance import check_journal, check_update

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
    doorway = make_doorway(settings, store, access=access, me=WITH)
    await doorway.door.take([post("@cohort_bot hi")])
    assert [entry.text for entry in await doorway.inbox("4242:-1009")] == ["hi"] * allowed
    assert await doorway.said() == await doorway.lines_to_strangers() == []


@pytest.mark.promise("channels")
@pytest.mark.parametrize("channels", [True, False])
async def test_posts_are_asked_for_where_an_operator_wants_them(
    api_url: str, people: PlaygroundClient, *, channels: bool
) -> None:
    async with client(TOKEN, api_url, channels=channels) as telegram:
        assert (await telegram.me()).channels == channels
        await telegram.updates(None, hold=timedelta(0))
    journal = await people.journal()
    check_journal(journal)
    asked = next(call for call in journal if call["method"] == "getUpdates")["params"]["allowed_updates"]
    assert ("channel_post" in (json.loads(asked) if isinstance(asked, str) else asked)) == channels
