"""Files: what people send can be fetched, what the bot sends arrives whole, limits are Telegram's."""

import json

import pytest

from tests.playground.conformance import check_result
from tests.playground.test_people import PNG
from tests.playground.test_sending import refused

MIB = 1024 * 1024


@pytest.fixture
async def chat(pg) -> int:
    return (await pg.chat())["id"]


async def download(pg, path: str, token: str | None = None) -> tuple[int, bytes]:
    answer = await pg._http.get(f"/file/bot{token or pg.token}/{path}")
    return answer.status_code, answer.content


async def test_a_persons_file_is_fetched_by_its_path(pg, chat):
    data = bytes(range(256)) * 100
    await pg.say(chat, document=await pg.file(data, "notes.pdf", mime="application/pdf"), caption="read this")
    document = (await pg.call("getUpdates"))["result"][0]["message"]["document"]
    assert (document["file_name"], document["mime_type"], document["file_size"]) == (
        "notes.pdf",
        "application/pdf",
        len(data),
    )
    file = (await pg.call("getFile", file_id=document["file_id"]))["result"]
    check_result("getFile", file)
    assert file["file_path"].endswith(".pdf")
    assert await download(pg, file["file_path"]) == (200, data)
    assert (await download(pg, file["file_path"], "999:wrong"))[0] == 404
    assert (await download(pg, "documents/none.pdf"))[0] == 404


async def test_a_file_above_20_mib_cannot_be_fetched(pg, chat):
    big = await pg.file(b"only said to be big", "big.bin", size=20 * MIB + 1)
    said = await pg.say(chat, document=big)
    assert said.message["document"]["file_size"] == 20 * MIB + 1
    assert await refused(pg, "getFile", file_id=big) == (400, "Bad Request: file is too big")
    assert (await pg.call("getFile", file_id=await pg.file(b"x", "fits.bin", size=20 * MIB)))["ok"]


async def test_unknown_files_are_refused(pg):
    gone = "Bad Request: wrong file_id or the file is temporarily unavailable"
    assert await refused(pg, "getFile", file_id="nonsense") == (400, gone)
    assert await refused(pg, "getFile") == (400, "Bad Request: file_id not specified")


async def post(pg, method, field, chat, data, **fields) -> dict:
    files = {field: ("answer.txt", data, "text/plain")}
    answer = await pg._http.post(f"/bot{pg.token}/{method}", data={"chat_id": chat, **fields}, files=files)
    return answer.json()


async def test_the_bots_document_arrives_whole(pg, chat):
    data = b"line\r\n--fake\r\n\r\nend\r\n" * 10
    entity = '[{"type":"bold","offset":0,"length":4}]'
    answer = await post(pg, "sendDocument", "document", chat, data, caption="Here it is", caption_entities=entity)
    check_result("sendDocument", answer["result"])
    (message,) = await pg.bot_messages(chat)
    assert message["caption_entities"] == [{"type": "bold", "offset": 0, "length": 4}]
    assert message["document"]["file_name"] == "answer.txt"
    path = (await pg.call("getFile", file_id=message["document"]["file_id"]))["result"]["file_path"]
    assert await download(pg, path) == (200, data)
    again = await pg.call("sendDocument", chat_id=chat, document=message["document"]["file_id"])
    assert again["result"]["document"]["file_unique_id"] == message["document"]["file_unique_id"]


async def group(pg, chat, *media: dict, **uploads: bytes) -> dict:
    files = {name: (f"{name}.png", data, "image/png") for name, data in uploads.items()}
    fields = {"chat_id": chat, "media": json.dumps(media)}
    return (await pg._http.post(f"/bot{pg.token}/sendMediaGroup", data=fields, files=files)).json()


async def test_an_album_of_the_bot_is_several_messages_with_one_group(pg, chat):
    one, two = ({"type": "photo", "media": f"attach://{name}", "caption": name} for name in ("a", "b"))
    answer = await group(pg, chat, one, two, a=PNG, b=PNG)
    check_result("sendMediaGroup", answer["result"])
    assert [message["caption"] for message in await pg.bot_messages(chat)] == ["a", "b"]
    assert len({message["media_group_id"] for message in answer["result"]}) == 1


async def test_an_album_is_sent_whole_or_not_at_all(pg, chat):
    one, two = ({"type": "photo", "media": f"attach://{name}"} for name in ("a", "b"))
    alone = "Bad Request: there must be 2 to 10 items in an album"
    assert (await group(pg, chat, one, a=PNG))["description"] == alone
    assert (await group(pg, chat, one, two, a=PNG, b=b"none"))["description"] == "Bad Request: IMAGE_PROCESS_FAILED"
    voice = {"type": "voice", "media": "attach://b"}
    assert "unsupported type" in (await group(pg, chat, one, voice, a=PNG, b=PNG))["description"]
    assert await pg.bot_messages(chat) == []


@pytest.mark.parametrize("kind", ["audio", "voice", "video", "animation"])
async def test_sounds_and_films_arrive_as_what_they_are(pg, chat, kind):
    method = f"send{kind.capitalize()}"
    answer = await post(pg, method, kind, chat, b"content", caption="Listen")
    check_result(method, answer["result"])
    assert (answer["result"][kind]["file_size"], answer["result"]["caption"]) == (7, "Listen")


async def test_a_photo_must_be_a_picture(pg, chat):
    answer = await post(pg, "sendPhoto", "photo", chat, PNG)
    check_result("sendPhoto", answer["result"])
    assert (answer["result"]["photo"][0]["width"], answer["result"]["photo"][0]["height"]) == (40, 30)
    assert (await post(pg, "sendPhoto", "photo", chat, b"no picture"))["description"] == (
        "Bad Request: IMAGE_PROCESS_FAILED"
    )


async def test_attachments_can_be_named(pg, chat):
    files = {"part1": ("a.txt", b"attached", "text/plain")}
    fields = {"chat_id": chat, "document": "attach://part1"}
    answer = (await pg._http.post(f"/bot{pg.token}/sendDocument", data=fields, files=files)).json()
    assert answer["result"]["document"]["file_name"] == "a.txt"


async def test_bad_files_are_refused(pg, chat):
    assert (await post(pg, "sendDocument", "document", chat, b""))["description"] == (
        "Bad Request: file must be non-empty"
    )
    none = "Bad Request: there is no document in the request"
    assert await refused(pg, "sendDocument", chat_id=chat) == (400, none)
    long = "Bad Request: message caption is too long"
    assert (await post(pg, "sendDocument", "document", chat, b"x", caption="x" * 1025))["description"] == long
    assert (await post(pg, "sendDocument", "document", chat, b"x" * (50 * MIB + 1)))["error_code"] == 413


async def test_files_are_forgotten_when_there_is_no_room(pg, chat, state):
    state.files._cap = 1000
    first = await pg.file(b"x" * 600, "first")
    second = await pg.file(b"y" * 600, "second")
    assert (await pg.call("getFile", file_id=first))["error_code"] == 400
    assert (await pg.call("getFile", file_id=second))["ok"]
