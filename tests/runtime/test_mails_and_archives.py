"""Mails, RTF, notebooks and archives reach the model as text, and hostile ones do no harm."""

import json
import os
from email.message import EmailMessage
from pathlib import Path

import pytest

from tasks.envelope import Media
from tasks.phrases import phrase
from tests.runtime.support import Open, Screen, ask, inbound
from tests.runtime.test_documents import packed, put
from tests.runtime.test_media import Shelf
from tests.support.model import Model
from workers.runtime.conversation.documents import DocumentReader, NotRead


async def read(file: Path, body: bytes | str, limit: int = 10_000) -> str:
    put(file, body)
    return await DocumentReader().text(file, limit)


async def outcome(file: Path, body: bytes) -> str:
    try:
        await read(file, body)
    except NotRead as refused:
        return str(refused)
    return "read"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


def letter(**parts: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Анна <ann@example.org>", "ben@example.org", "Отчёт за ноябрь"
    if "plain" in parts:
        mail.set_content(parts["plain"], charset="koi8-r")
    if "html" in parts:
        add = mail.add_alternative if "plain" in parts else mail.set_content
        add(parts["html"], subtype="html")
    if "attached" in parts:
        mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename=parts["attached"])
    return bytes(mail)


@pytest.mark.promise("office-files")
async def test_a_mail_is_read_with_its_headers_its_words_and_the_names_of_its_files(file: Path) -> None:
    head = "From: Анна <ann@example.org>\nTo: ben@example.org\nSubject: Отчёт за ноябрь\n\n"
    both = letter(plain="Смотри таблицу.", html="<p>no", attached="отчёт.pdf")
    assert await read(file, both) == f"{head}Смотри таблицу.\n\n[attached: отчёт.pdf]"
    assert await read(file, letter(html="<script>x()</script><p>Grüße &amp; mehr")) == f"{head}Grüße & mehr"


@pytest.mark.promise("office-files")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 Hi \b bold\b0\par{\*\unknown x}next\tab c}", "Hi bold\nnext\tc"),
        (rb"{\rtf1\ansi\ansicpg1251 \'cf\'f0\'e8\'e2\'e5\'f2}", "Привет"),
        (rb"{\rtf1\ansi\ansicpg936 \'b1\'a8\'b8\'e6}", "报告"),
        (rb"{\rtf1\ansi\uc1 \u1055?\u-10179?\u-8704?\uc0\u8364 !}", "П😀€!"),
        (rb"{\rtf1 a \{b\} \\ c\cell d\cell\row}", "a {b} \\ c|d|"),
        (rb"{\rtf1{\pict\bin 89504e47}{\info{\author A}}text", "text"),
        (b"{\\rtf1" + b"{" * 5000 + b"deep" + b"}" * 5000 + b" up}", "deep up"),
        (
            rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset204 A;}{\f1\fcharset0 B;}}\f0 \'cf\'f0\f1  caf\'e9}",
            "Пр café",
        ),
    ],
)
async def test_the_words_of_an_rtf_file_are_read_in_its_encoding(file: Path, body: bytes, words: str) -> None:
    assert await read(file, body) == words


@pytest.mark.promise("office-files")
async def test_of_a_notebook_words_code_and_output_are_read_but_no_pictures(file: Path) -> None:
    shown = {"data": {"text/plain": ["42"], "image/png": "iVBOR" * 9000}}
    cells = [
        {"cell_type": "markdown", "source": ["# Plan\n", "go"]},
        {"cell_type": "code", "source": "print(6*7)", "outputs": [shown, {"evalue": "no money"}, 5]},
        "odd",
    ]
    found = await read(file, json.dumps({"cells": cells}))
    assert found == "# Plan\ngo\n\n```\nprint(6*7)\n```\nOutput: 42\nOutput: no money"


@pytest.mark.promise("office-files")
async def test_an_archive_is_read_as_the_names_of_its_files_and_the_words_of_those_that_are_text(file: Path) -> None:
    members: dict[str, str | bytes] = {"read me.txt": "hello", "a/b.csv": "1,2", "a/cat.png": b"\x89PNG\0\0"}
    found = await read(file, packed(members))
    assert found == (
        "Files in the archive:\n- read me.txt\n- a/b.csv\n- a/cat.png\n\n## read me.txt\nhello\n\n## a/b.csv\n1,2"
    )
    many = await read(file, packed({f"{number}.txt": "x" for number in range(700)}), 100_000)
    assert "- and 200 more" in many
    assert many.count("\n## ") == 50
    log = await read(file, packed({"long.log": "é" * 200_000, "short.txt": "short"}), 100_000)
    assert log.endswith("## short.txt\nshort")
    # A bomb is read as far as its share goes.
    assert "bomb.txt" in await read(file, packed({"bomb.txt": b" " * 80_000_000}))


def sealed(archive: bytes) -> bytes:
    """An archive whose last file says that it has a password (its flags: APPNOTE.TXT, 4.3.7 and 4.3.12)."""
    body = bytearray(archive)
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        body[body.rindex(mark) + flags] |= 1
    return bytes(body)


@pytest.mark.promise("office-files")
async def test_what_has_a_password_in_an_archive_is_told(file: Path) -> None:
    found = await read(file, sealed(packed({"a.txt": "open", "b.txt": "secret"})))
    assert found == "Files in the archive:\n- a.txt\n- b.txt (has a password)\n\n## a.txt\nopen"
    assert await outcome(file, sealed(packed({"b.txt": "secret"}))) == phrase("file-password")


@pytest.mark.promise("office-files")
async def test_hostile_mails_notebooks_and_archives_end_in_one_line(file: Path) -> None:
    nested = b"From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" * 300
    for body in (
        b"Content-Type: text/plain; charset=none-such\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"\xff" * 99,
        nested,
        b"From: " + b"<" * 100_000 + b"\r\n\r\nx",
        b'{"cells": ' + b"[" * 100_000,
        b'{"cells": 5}',
        packed({"a.txt": "a"})[:-10],
        b"{\\rtf1\\ansicpg99999999 \\u99999999999 \\'zz",
        b"PK\x03\x04" + os.urandom(5000),
    ):
        assert await outcome(file, body) in ("read", phrase("file-damaged"), phrase("file-without-words")), body[:40]


@pytest.mark.promise("office-files")
async def test_they_reach_the_model_by_name_or_by_content(runtime: Open, model: Model, tmp_path: Path) -> None:
    put(tmp_path / "mail", letter(plain="letter"))
    put(tmp_path / "rich", rb"{\rtf1 rich}")
    put(tmp_path / "pack", packed({"in.txt": "packed", "cat.png": b"\x89PNG\0"}))
    put(tmp_path / "odd", packed({"in.txt": "odd", "cat.png": b"\x89PNG\0"}))
    files = (
        Media(kind="document", file_id="mail", name="mail.eml"),
        Media(kind="document", file_id="rich", name="rich.rtf"),
        Media(kind="document", file_id="pack", name="pack.zip"),
        Media(kind="document", file_id="odd", name="odd", size_bytes=200),
    )
    async with runtime(media=Shelf(tmp_path)) as engine:
        done = await engine.run(ask(1, inbound(1, "read", media=files)), Screen())
    seen = model.journal[0].messages[1]["text"]
    assert [word in seen for word in ("\nletter", "\nrich", "in.txt\npacked", "in.txt\nodd")] == [True] * 4
    assert done.notices == ()
