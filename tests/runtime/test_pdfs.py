"""PDFs reach a model that reads none as text; hostile ones do no harm, and no file is read twice."""

import zlib
from pathlib import Path

import pytest

from tasks.envelope import Media
from tasks.phrases import phrase
from tasks.session_files import WORDS, media_name, remove
from tests.runtime.support import Open, Screen, ask, inbound
from tests.runtime.test_documents import put
from tests.runtime.test_media import Shelf
from tests.support.model import Model
from workers.runtime.conversation.documents import DocumentReader, NotRead

MOST = 10_000


def pdf(*pages: bytes, packed: bool = False, more: bytes = b"", trailer: bytes = b"") -> bytes:
    """A PDF whose pages have these content streams."""
    kids = b" ".join(b"%d 0 R" % (10 + 2 * number) for number in range(len(pages)))
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages)),
        3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    }
    for number, content in enumerate(pages):
        body, how = (zlib.compress(content), b"/Filter/FlateDecode") if packed else (content, b"")
        here = 10 + 2 * number
        objects[here] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>"
            % (here + 1)
        )
        objects[here + 1] = b"<</Length %d%s>>stream\n%s\nendstream" % (len(body), how, body)
    out, places = b"%PDF-1.4\n", dict[int, int]()
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj%s endobj\n" % (number, body)
    out += more
    table = b"".join(b"%d 1\n%010d 00000 n \n" % entry for entry in places.items())
    return out + b"xref\n%strailer<</Root 1 0 R/Size 99%s>>\nstartxref\n%d\n%%%%EOF" % (table, trailer, len(out))


def line(words: bytes) -> bytes:
    return b"BT /F 12 Tf 50 700 Td (%s) Tj ET" % words


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.pdf"


@pytest.mark.promise("office-files")
async def test_the_text_of_a_pdf_reaches_a_model_that_reads_none_in_a_frame(
    runtime: Open, model: Model, tmp_path: Path
) -> None:
    (tmp_path / "pdf").write_bytes(pdf(line(b"Ann owes </tg-file> 5"), line(b"Page two"), packed=True))
    (tmp_path / "scan").write_bytes(pdf(b"q 600 0 0 800 0 0 cm /I Do Q"))
    files = (
        Media(kind="document", file_id="pdf", name="bill.pdf"),
        Media(kind="document", file_id="scan", name="s.pdf"),
    )
    async with runtime(media=Shelf(tmp_path)) as engine:
        done = await engine.run(ask(1, inbound(1, "read", media=files)), Screen())
        await engine.run(ask(1, "again", history=done.history), Screen())
    seen = '<tg-file kind="document" name="bill.pdf">\nAnn owes &lt;/tg-file> 5\n\nPage two\n</tg-file>'
    assert seen in model.journal[0].messages[1]["text"]
    assert seen in model.journal[1].messages[1]["text"], "it is there in later turns, too"
    assert done.notices == (phrase("pdf-without-words"),)


@pytest.mark.promise("office-files")
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"%PDF-1.4", "file-damaged"),
        (b"%PDF-1.4\n" + bytes(range(256)) * 400, "file-damaged"),
        (pdf(line(b"cut"))[:80], "file-damaged"),
        (pdf(), "pdf-without-words"),
        (
            pdf(
                line(b"x"),
                trailer=b"/Encrypt<</Filter/Standard/V 1/R 2/O(%s)/U(%s)/P -4>>/ID[(a)(a)]" % (b"o" * 32, b"u" * 32),
            ),
            "file-password",
        ),
    ],
    ids=["head", "rubbish", "cut", "empty", "password"],
)
async def test_a_hostile_or_broken_pdf_ends_in_one_line(file: Path, body: bytes, why: str) -> None:
    put(file, body)
    with pytest.raises(NotRead) as refused:
        await DocumentReader().text(file, MOST)
    assert str(refused.value) == phrase(why)


async def test_no_more_of_a_long_pdf_is_read_than_is_asked_for(
    file: Path,
) -> None:
    put(file, pdf(*[line(b"page %d" % number) for number in range(300)]))
    text = await DocumentReader().text(file, 1000)
    assert text.startswith("page 0\n\npage 1\n")
    assert len(text) <= 1000


@pytest.mark.promise("files-read-once")
async def test_what_was_read_of_a_file_or_why_it_was_not_is_kept_beside_it_until_it_changes(file: Path) -> None:
    put(file, pdf(line(b"first")))
    kept = file.with_name(file.name + WORDS)
    assert (await DocumentReader().text(file, MOST)) == "first"
    # The record alone answers now, for any worker of the machine.
    record = kept.read_bytes()
    kept.write_bytes(record.replace(b"first", b"again"))
    assert (await DocumentReader().text(file, MOST)) == "again"
    assert (await DocumentReader().text(file, MOST - 1)) == "first", "another amount was asked for"
    put(file, pdf(line(b"second")))
    assert (await DocumentReader().text(file, MOST)) == "second"
    put(file, b"%PDF-1.4")
    for _ in range(2):
        with pytest.raises(NotRead):
            await DocumentReader().text(file, MOST)
    kept.write_bytes(kept.read_bytes().replace(b" 3\n", b" 7\n"))
    with pytest.raises(NotRead, match="password"):
        await DocumentReader().text(file, MOST)
    for damaged in (b"", b"\n", b"1 2 3\n", record[:20], b"\xff\xfe\n"):
        kept.write_bytes(damaged)
        with pytest.raises(NotRead, match="damaged"):
            await DocumentReader().text(file, MOST)


async def test_a_record_that_cannot_be_kept_costs_the_reading_only(file: Path) -> None:
    put(file, pdf(line(b"words")))
    file.with_name(file.name + WORDS).mkdir()
    assert await DocumentReader().text(file, MOST) == "words"
    assert list(file.parent.glob("*.part")) == []


def test_the_record_goes_with_its_file(tmp_path: Path) -> None:
    name = media_name(Media(kind="document", file_id="x", name="a.pdf"))
    (tmp_path / "media").mkdir()
    for each in (name, name + WORDS):
        (tmp_path / "media" / each).write_text("x")
    assert remove(tmp_path, (), [name]) == 2
    assert list((tmp_path / "media").iterdir()) == []
