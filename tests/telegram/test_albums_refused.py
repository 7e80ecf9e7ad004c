"""An album that Telegram does not take as it is: all of its files and captions come, in as few messages as may be."""

import pytest

from botapi.refusals import TABLE, Refusal
from playground import Json
from tasks.envelope import OutFile
from tests.telegram.conftest import World
from workers.outgoing import replies_of

NO_RIGHT = [row for row, refusal in TABLE if refusal is Refusal.NO_RIGHT]


def files(kind: str, count: int = 3) -> list[OutFile]:
    return [
        OutFile.model_validate(
            {"kind": kind, "name": f"{number}.png", "data": "iVBORw0KGgo=", "caption": f"no {number}"}
        )
        for number in range(count)
    ]


def seen(message: Json) -> tuple[str, str | None]:
    return next(kind for kind in ("photo", "document", "text") if kind in message), message.get("caption")


@pytest.mark.promise("files-out")
async def test_an_album_that_goes_out_file_by_file_keeps_each_caption(world: World) -> None:
    session = await world.session()
    await world.pg.fault(
        "error", "sendMediaGroup", description='Bad Request: failed to send message #2 "PHOTO_INVALID"'
    )
    await world.pg.fault("error", "sendPhoto", skip=1, description="Bad Request: PHOTO_INVALID_DIMENSIONS")
    await world.delivery.deliver(session, replies_of(files("photo"), ())[0])
    messages = await world.pg.bot_messages(session.chat)
    assert [seen(message) for message in messages] == [("photo", "no 0"), ("document", "no 1"), ("photo", "no 2")]


@pytest.mark.promise("files-out")
@pytest.mark.parametrize("row", NO_RIGHT)
async def test_where_a_chat_takes_no_pictures_the_album_is_one_of_documents(world: World, row: str) -> None:
    session = await world.session("group")
    await world.pg.fault("error", "sendMediaGroup", description=f"Bad Request: {row}")
    await world.delivery.deliver(session, replies_of(files("photo"), ())[0])
    messages = await world.pg.bot_messages(session.chat)
    assert [seen(message) for message in messages] == [("document", f"no {number}") for number in range(3)]
    assert len({message["media_group_id"] for message in messages}) == 1


@pytest.mark.promise("files-out")
@pytest.mark.parametrize("kind", ["photo", "document"])
async def test_where_a_chat_takes_no_files_one_line_names_them_all(world: World, kind: str) -> None:
    session = await world.session("group")
    refused = "Bad Request: not enough rights to send media to the chat"
    await world.pg.fault("error", "sendMediaGroup", times=9, description=refused)
    await world.delivery.deliver(session, replies_of(files(kind), ())[0])
    (text,) = await world.texts(session)
    assert text == "no 0\n\nno 1\n\nno 2\n\n(I couldn't send these files here: 0.png, 1.png, 2.png.)"


@pytest.mark.promise("files-out")
@pytest.mark.parametrize("kind", ["audio", "document"])
async def test_sounds_and_documents_in_a_row_are_an_album_of_their_kind(world: World, kind: str) -> None:
    session = await world.session()
    (album, last) = replies_of([*files(kind, 10), *files("photo", 1)], (7,))
    assert [len(reply.files) for reply in (album, last)] == [10, 1]
    await world.delivery.deliver(session, album)
    messages = await world.pg.bot_messages(session.chat)
    assert [(message[kind]["file_name"], message["caption"]) for message in messages] == [
        (f"{number}.png", f"no {number}") for number in range(10)
    ]
    assert await world.methods(session) == ["sendMediaGroup"]


@pytest.mark.promise("files-out")
async def test_captions_of_files_that_are_missing_are_all_read_however_long(world: World) -> None:
    session = await world.session("group")
    refused = "Bad Request: not enough rights to send documents to the chat"
    await world.pg.fault("error", "sendMediaGroup", times=9, description=refused)
    long = [
        one.model_copy(update={"caption": f"{place} " + "word " * 180})
        for place, one in enumerate(files("document", 10))
    ]
    await world.delivery.deliver(session, replies_of(long, ())[0])
    texts = await world.texts(session)
    assert sum(text.count("word") for text in texts) == 1800
    assert texts[-1].endswith("8.png, 9.png.)")
