"""Files on their way to Telegram: as what they are, else as less, else a line that names them."""

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from botapi.refusals import Refusal
from botapi.shape import Shape, without
from tasks import session_files
from tasks.envelope import OutFile, Reply
from tasks.session import SessionKey
from tests.telegram.conftest import World
from workers import outgoing
from workers.outgoing import INLINE, LARGEST_PHOTO, kept, kind_of, name_of, read, remove, replies_of


def png(width: int = 1, height: int = 1) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def out(tmp: Path, kind: Any = "photo", body: bytes | None = None, name: str = "chart.png", **more: Any) -> OutFile:
    return kept(tmp, png() if body is None else body, OutFile(kind=kind, name=name, **more))


@pytest.mark.promise("files-out")
@pytest.mark.parametrize("kind", ["photo", "document", "voice", "audio", "video", "animation"])
async def test_each_kind_of_file_is_sent_as_what_it_is_with_its_caption(
    world: World, tmp_path: Path, kind: str
) -> None:
    session = await world.session()
    (reply,) = replies_of([out(tmp_path, kind, caption="Sales")], (7,))
    (sent,) = await world.delivery.deliver(session, reply)
    (message,) = await world.pg.bot_messages(session.chat)
    assert (message["message_id"], message["caption"]) == (sent, "Sales")
    assert message[kind]
    assert await world.methods(session) == [f"send{kind.capitalize()}"]


@pytest.mark.promise("files-out")
async def test_pictures_in_a_row_are_an_album(world: World, tmp_path: Path) -> None:
    session = await world.session()
    files = [out(tmp_path, name=f"{number}.png", caption=f"no {number}") for number in range(3)]
    *replies, last = replies_of([*files, out(tmp_path, "document", b"a,b", name="data.csv")], (7,))
    assert len(replies) == 1
    sent = [await world.delivery.deliver(session, Reply.from_json(reply.to_json())) for reply in (*replies, last)]
    *album, table = await world.pg.bot_messages(session.chat)
    assert sent == [tuple(message["message_id"] for message in album), (table["message_id"],)]
    assert len({message["media_group_id"] for message in album}) == 1
    assert [message["caption"] for message in album] == ["no 0", "no 1", "no 2"]
    assert table["document"]["file_name"] == "data.csv"
    assert await world.methods(session) == ["sendMediaGroup", "sendDocument"]


@pytest.mark.promise("files-out")
@pytest.mark.parametrize(
    "name", ["my report (2).csv", "Übersicht – 100 %.csv", "отчёт за год.csv", "報告.csv", 'a "b".csv']
)
async def test_people_read_a_files_name_as_it_was_given(world: World, tmp_path: Path, name: str) -> None:
    session = await world.session()
    (reply,) = replies_of([out(tmp_path, "document", b"a,b", name=name)], (7,))
    await world.delivery.deliver(session, reply)
    (message,) = await world.pg.bot_messages(session.chat)
    assert message["document"]["file_name"] == name


async def test_a_large_file_stands_in_the_sessions_directory_until_it_is_delivered(world: World) -> None:
    session = await world.session()
    folder = session_files.outgoing(world.settings.home, session)
    body = png() + b"\0" * INLINE
    file = out(folder, body=body)
    assert (file.data, file.size_bytes) == (None, len(body))
    assert read(folder, file) == body
    (reply,) = replies_of([file], (7,))
    await world.delivery.deliver(session, reply)
    assert [path.name for path in folder.iterdir()] == [file.stored]
    world.delivery.delivered(session, reply)
    assert [*folder.iterdir()] == []


async def test_a_file_that_is_not_on_this_machine_is_named_in_a_line(world: World) -> None:
    session = await world.session()
    gone = OutFile(kind="photo", name="chart.png", stored="0" * 32)
    await world.delivery.deliver(session, replies_of([gone], ())[0])
    assert await world.texts(session) == ["(I couldn't send the file chart.png here.)"]


async def test_what_could_not_be_sent_is_told_in_the_language_of_the_answer(world: World) -> None:
    session = await world.session()
    gone = OutFile(name="отчёт.pdf", stored="0" * 32)
    (reply,) = replies_of([gone], ())
    await world.delivery.deliver(session, reply.model_copy(update={"language": "ru"}))
    await world.delivery.deliver(session, Reply(text="", language="de"))
    assert await world.texts(session) == [
        "(Не удалось отправить сюда файл отчёт.pdf.)",
        "(eine Nachricht ohne sichtbaren Text)",
    ]


async def test_of_an_album_with_one_missing_picture_the_others_come(world: World, tmp_path: Path) -> None:
    session = await world.session()
    gone = OutFile(kind="photo", name="gone.png", stored="0" * 32)
    await world.delivery.deliver(session, replies_of([out(tmp_path), gone], ())[0])
    picture, line = await world.pg.bot_messages(session.chat)
    assert picture["photo"]
    assert "gone.png" in line["text"]


@pytest.mark.promise("files-out")
async def test_what_telegram_takes_for_no_picture_comes_as_a_document(world: World, tmp_path: Path) -> None:
    session = await world.session()
    await world.delivery.deliver(session, replies_of([out(tmp_path, body=b"no picture", caption="Sales")], ())[0])
    (message,) = await world.pg.bot_messages(session.chat)
    assert (message["document"]["file_name"], message["caption"]) == ("chart.png", "Sales")
    assert await world.methods(session) == ["sendPhoto", "sendDocument"]


@pytest.mark.promise("files-out")
@pytest.mark.parametrize("kind", ["photo", "document"])
async def test_where_no_file_may_be_sent_a_line_names_it(world: World, tmp_path: Path, kind: str) -> None:
    session = await world.session("group")
    for method in ("sendPhoto", "sendDocument"):
        words = "Bad Request: not enough rights to send photos to the chat"
        await world.pg.fault("error", method, code=400, description=words)
    await world.delivery.deliver(session, replies_of([out(tmp_path, kind, caption="Sales")], ())[0])
    assert await world.texts(session) == ["Sales\n\n(I couldn't send the file chart.png here.)"]


@pytest.mark.promise("files-out")
async def test_a_moving_picture_that_is_refused_comes_as_a_file_and_not_as_one_again(
    world: World, tmp_path: Path
) -> None:
    session = await world.session("group")
    words = "Bad Request: not enough rights to send animations to the chat"
    await world.pg.fault("error", "sendAnimation", code=400, description=words)
    moving = out(tmp_path, "animation", b"GIF89a" + bytes(20), name="move.gif")
    await world.delivery.deliver(session, replies_of([moving], ())[0])
    (message,) = await world.pg.bot_messages(session.chat)
    assert (message["document"]["file_name"], "animation" in message) == ("move.gif", False)
    assert await world.methods(session) == ["sendAnimation", "sendDocument"]


@pytest.mark.parametrize("verdict", Refusal)
@pytest.mark.parametrize("count", [1, 3])
def test_files_that_are_refused_again_and_again_come_to_an_end(tmp_path: Path, verdict: Refusal, count: int) -> None:
    waiting, tries = [Shape("caption", (), None, 2, 3, files=tuple(out(tmp_path) for _ in range(count)))], 0
    while waiting:
        waiting[:1] = without(waiting[0], verdict)
        tries += 1
        assert tries < 100


@pytest.mark.parametrize(
    ("mime", "size", "kind"),
    [
        ("image/png", 1, "photo"),
        ("image/png", LARGEST_PHOTO + 1, "document"),
        ("image/svg+xml", 1, "document"),
        ("image/gif", 1, "animation"),
        ("audio/ogg", 1, "voice"),
        ("audio/mpeg", 1, "audio"),
        ("audio/wav", 1, "document"),
        ("video/mp4", LARGEST_PHOTO + 1, "video"),
        ("application/pdf", 1, "document"),
    ],
)
def test_what_a_file_is_sent_as(mime: str, size: int, kind: str) -> None:
    assert kind_of(mime, size) == kind


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("chart.png", "chart.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\x\\a.csv", "a.csv"),
        ("\u202egnp.exe", "_gnp.exe"),
        ("..", "file-3.png"),
        ("", "file-3.png"),
        ("a" * 99 + ".png", "a" * 60 + ".png"),
        (
            "Sales of the north in the third quarter, with what was sent back and why.csv",
            "Sales of the north in the third quarter, with what was sent.csv",
        ),
        ("v" * 99, "v" * 60 + ".png"),
        ("отчёт за год.csv", "отчёт за год.csv"),
        # Vowels that are marks, an accent that stands by itself, and emoji of several characters.
        ("हिन्दी रिपोर्ट.pdf", "हिन्दी रिपोर्ट.pdf"),
        ("รายงานปี.csv", "รายงานปี.csv"),
        ("Re\u0301sume\u0301.pdf", "Re\u0301sume\u0301.pdf"),
        ("📊 Q3 👩\u200d💻❤\ufe0f.csv", "📊 Q3 👩\u200d💻❤\ufe0f.csv"),
        ("Q&A #1, 100 %!.csv", "Q&A #1, 100 %!.csv"),
        ("Screenshot at 3.14\u202fPM.png", "Screenshot at 3.14 PM.png"),
        ("a\0b\ud800\n`id`$(id)\u2066.csv", "a_b_ _id__(id)_.csv"),
    ],
)
def test_a_files_name_is_harmless(given: str, name: str) -> None:
    assert name_of(given, "image/png", 3) == name


def test_a_text_may_have_a_name_without_an_ending() -> None:
    assert name_of("Makefile", "text/plain", 1) == "Makefile"


@pytest.mark.parametrize("stored", ["../secret", "", "a/b", "."])
def test_a_name_that_leads_elsewhere_is_not_followed(tmp_path: Path, stored: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    folder = tmp_path / "out"
    folder.mkdir()
    file = OutFile(name="x", stored=stored)
    remove(folder, [file])
    assert read(folder, file) is None
    assert (tmp_path / "secret").exists()


def test_an_album_holds_ten_and_the_rest_is_another(tmp_path: Path) -> None:
    replies = replies_of([out(tmp_path)] * 12, (1,))
    assert [len(reply.files) for reply in replies] == [outgoing.ALBUM, 2]
    assert {reply.v for reply in replies} == {2}


def test_files_that_no_answer_brings_any_more_go_after_a_while_and_the_rest_of_the_session_stays(
    tmp_path: Path,
) -> None:
    session = SessionKey(42, 7)
    folder = session_files.outgoing(tmp_path, session)
    old, new = (out(folder, body=png() + b"\0" * INLINE) for _ in range(2))
    notes = folder.parent / "memory.json"
    for path in (folder / str(old.stored), notes):
        path.touch()
        os.utime(path, (1_000, 1_000))
    assert session_files.tidy(tmp_path, before=1_001) == 1
    assert (read(folder, old), read(folder, new) is not None, notes.exists()) == (None, True, True)
    assert session_files.tidy(tmp_path, before=1_001) == 0
    assert session_files.tidy(tmp_path / "none", before=1_001) == 0
