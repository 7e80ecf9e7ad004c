"""In privacy mode a bot sees of a group what is meant for it, and as an administrator all."""

import pytest

from playground.client import PlaygroundError

NAME = "@cohort_playground_bot"


async def seen(pg, chat, text, **more):
    return (await pg.say(chat, text, **more)).update_id is not None


@pytest.fixture
async def group(pg):
    await pg.control("POST", "/privacy", {"on": True})
    return (await pg.chat("supergroup"))["id"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hi all", False),
        (f"😀 hi {NAME.upper()}", True),
        (f"hi {NAME}s", False),
        ("/new", True),
        (f"well, /new{NAME}", True),
        ("/new@another_bot", False),
        ("hi @another_bot", False),
    ],
)
async def test_it_is_shown_mentions_and_commands(pg, group, text, shown):
    assert await seen(pg, group, text) is shown


async def test_it_is_shown_replies_to_what_is_its_own_or_meant_for_it_and_edits_by_the_same_rule(pg, group):
    other = await pg.say(group, "hi all")
    ours = (await pg.call("sendMessage", chat_id=group, text="hello"))["result"]["message_id"]
    meant = await pg.say(group, f"{NAME} hi")
    for reply_to, shown in ((other.message_id, False), (ours, True), (meant.message_id, True)):
        assert await seen(pg, group, "yes", reply_to=reply_to) is shown
    assert (await pg.edit(group, other.message_id, "hello all")).update_id is None
    assert (await pg.edit(group, other.message_id, f"hello {NAME}")).update_id is not None


async def test_admins_private_chats_and_bots_without_it_see_all(pg, group):
    assert await seen(pg, (await pg.chat())["id"], "hi")
    assert not (await pg.call("getMe"))["result"]["can_read_all_group_messages"]
    await pg.member(group, "administrator")
    assert await seen(pg, group, "hi")
    admins = (await pg.call("getChatAdministrators", chat_id=group))["result"]
    assert (await pg.call("getMe"))["result"]["id"] in [one["user"]["id"] for one in admins]
    await pg.member(group, "member")
    assert not await seen(pg, group, "hi")
    await pg.control("POST", "/privacy", {"on": False})
    assert await seen(pg, group, "hi")
    assert (await pg.call("getMe"))["result"]["can_read_all_group_messages"]
    with pytest.raises(PlaygroundError, match="true or false"):
        await pg.control("POST", "/privacy", {"on": "no"})
