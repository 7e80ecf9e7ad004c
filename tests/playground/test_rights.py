"""What the bot may send into a group: by the rights of all members, and by its own."""

import pytest

from playground.client import PlaygroundClient, PlaygroundError
from tests.playground.test_people import PNG, updates

SENDS = {
    "can_send_messages": ("sendMessage", "text messages"),
    "can_send_photos": ("sendPhoto", "photos"),
    "can_send_videos": ("sendVideo", "videos"),
    "can_send_audios": ("sendAudio", "music"),
    "can_send_voice_notes": ("sendVoice", "voice notes"),
    "can_send_documents": ("sendDocument", "documents"),
    "can_send_other_messages": ("sendAnimation", "animations"),
}


async def refusals(pg: PlaygroundClient, chat: int) -> dict[str, str | None]:
    """What the bot hears of each method."""
    heard: dict[str, str | None] = {}
    for method, _ in SENDS.values():
        kind = method.removeprefix("send").lower()
        told = {"text": "hi"} if kind == "message" else {kind: await pg.file(PNG, "a.png", kind=kind)}
        heard[method] = (await pg.call(method, chat_id=chat, **told)).get("description")
    return heard


@pytest.mark.parametrize("right", SENDS)
@pytest.mark.parametrize("of", ["all", "the bot"])
async def test_each_right_lets_the_bot_send_one_kind(pg: PlaygroundClient, right: str, of: str) -> None:
    chat = (await pg.chat("supergroup"))["id"]
    if of == "all":
        assert (await pg.permissions(chat, **{right: False}))[right] is False
    else:
        await pg.member(chat, "restricted", **{right: False})
    method, name = SENDS[right]
    told = f"Bad Request: not enough rights to send {name} to the chat"
    assert await refusals(pg, chat) == {one: told if one == method else None for one, _ in SENDS.values()}
    # Admins may all.
    await pg.member(chat, "administrator")
    assert set((await refusals(pg, chat)).values()) == {None}


async def test_no_message_is_edited_and_no_album_is_sent_in_part_without_the_right(pg: PlaygroundClient) -> None:
    chat = (await pg.chat("supergroup"))["id"]
    stands = (await pg.call("sendMessage", chat_id=chat, text="hi"))["result"]["message_id"]
    await pg.permissions(chat, can_send_messages=False, can_send_videos=False)
    edit = await pg.call("editMessageText", chat_id=chat, message_id=stands, text="ho")
    assert edit["description"] == "Forbidden: CHAT_WRITE_FORBIDDEN"
    files = [{"type": kind, "media": await pg.file(PNG, "a", kind=kind)} for kind in ("photo", "video")]
    album = await pg.call("sendMediaGroup", chat_id=chat, media=files)
    assert album["description"] == "Bad Request: not enough rights to send videos to the chat"
    assert len(await pg.bot_messages(chat)) == 1


async def test_a_restricted_bot_is_told_of_its_rights_and_no_bot_of_those_of_all(pg: PlaygroundClient) -> None:
    chat = (await pg.chat("supergroup"))["id"]
    await pg.permissions(chat, can_send_polls=False)
    await pg.member(chat, "restricted", can_send_photos=False)
    (update,) = await updates(pg)
    now = update["my_chat_member"]["new_chat_member"]
    assert (now["status"], now["can_send_photos"], now["can_send_messages"]) == ("restricted", False, True)
    assert (await pg.call("getChat", chat_id=chat))["result"]["permissions"]["can_send_polls"] is False
    with pytest.raises(PlaygroundError, match="no right is called can_fly"):
        await pg.permissions(chat, can_fly=False)
    group = (await pg.chat("group"))["id"]
    with pytest.raises(PlaygroundError, match="only supergroups"):
        await pg.member(group, "restricted")


async def test_people_are_promoted_and_demoted(pg: PlaygroundClient) -> None:
    ann, bob = await pg.user("Ann"), await pg.user("Bob")
    chat = (await pg.chat("group", users=[ann["id"], bob["id"]]))["id"]

    async def admins() -> list[tuple[str, str]]:
        found = (await pg.call("getChatAdministrators", chat_id=chat))["result"]
        return [(one["status"], one["user"]["first_name"]) for one in found]

    await pg.admin(chat, bob["id"])
    assert await admins() == [("creator", "Ann"), ("administrator", "Bob")]
    await pg.admin(chat, bob["id"], on=False)
    assert await admins() == [("creator", "Ann")]
