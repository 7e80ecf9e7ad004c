"""Office files, books and web pages reach the model as text, and hostile ones do no harm."""

import asyncio
import io
import json
import os
import zipfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tasks.envelope import Media
from tasks.phrases import phrase
from tests.runtime.support import Open, Screen, ask, inbound
from tests.runtime.test_media import Shelf
from tests.support.model import Model
from tests.support.until import until
from workers.runtime.conversation.documents import DocumentReader, NotRead

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
WORD = (
    f'<w:document {W}><w:body><w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Plan</w:t></w:r></w:p>'
    "<w:p><w:r><w:t>Ann &amp; Ben</w:t></w:r><w:r><w:tab/><w:t>go</w:t><w:delText>stay</w:delText></w:r></w:p>"
    "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc>"
    "</w:tr></w:tbl></w:body></w:document>"
)
SHEET = (
    '<worksheet><sheetData><row><c r="A1" t="s"><v>0</v></c><c r="C1"><v>1.5</v></c></row><row><c r="A2" s="1">'
    '<v>45000</v></c><c r="B2" t="inlineStr"><is><t>in line</t></is></c><c r="C2" t="b"><v>1</v></c></row>'
    '<row><c r="A3" t="s"><v>99</v></c><c r="B3" s="1"><v>1e99</v></c></row></sheetData></worksheet>'
)
_CIPHERED = '<encryption xmlns:enc="e"><enc:CipherReference URI="{}"/></encryption>'
FILES = {
    "plan.docx": ({"word/document.xml": WORD}, "# Plan\nAnn & Ben\tgo\na | b |"),
    "sums.xlsx": (
        {
            "xl/workbook.xml": '<workbook xmlns:r="r"><sheet name="Sums" r:id="r1"/></workbook>',
            "xl/_rels/workbook.xml.rels": '<x><Relationship Id="r1" Target="worksheets/sheet1.xml"/></x>',
            "xl/sharedStrings.xml": "<sst><si><t>Total</t><rPh><t>x</t></rPh></si></sst>",
            "xl/styles.xml": '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
            "xl/worksheets/sheet1.xml": SHEET,
        },
        "## Sums\nTotal\t\t1.5\n2023-03-15\tin line\tTRUE\n\t1e99",
    ),
    "talk.pptx": (
        {
            "ppt/presentation.xml": "<p/>",
            "ppt/slides/slide10.xml": "<p:sld xmlns:p='p' xmlns:a='a'><a:p><a:r><a:t>Last</a:t></a:r></a:p></p:sld>",
            "ppt/slides/slide2.xml": "<p:sld xmlns:p='p' xmlns:a='a'><a:p><a:r><a:t>First</a:t></a:r></a:p></p:sld>",
        },
        "## Slide 1\nFirst\n\n## Slide 2\nLast",
    ),
    "book.epub": (
        {
            "META-INF/container.xml": '<container><rootfile full-path="o/b.opf"/></container>',
            "META-INF/encryption.xml": _CIPHERED.format("o/letters.otf"),
            "o/b.opf": '<package><item id="x" href="one%20a.xhtml"/><itemref idref="x"/></package>',
            "o/one a.xhtml": "<html><head><title>One</title><style>p {}</style></head><body><h1>I</h1><p>Call me</p>",
        },
        "One\n\n# I\n\nCall me",
    ),
    "note.odt": (
        {"mimetype": "x", "content.xml": "<o:d xmlns:o='o'><o:h>Top</o:h><o:p>some <o:span>words</o:span></o:p></o:d>"},
        "# Top\nsome words",
    ),
}  # fmt: skip


SEALED_BOOK = FILES["book.epub"][0] | {
    "META-INF/encryption.xml": _CIPHERED.format("o/one%20a.xhtml"),
    "o/one a.xhtml": bytes(range(256)),
}
SEALED_TEXT = {
    "META-INF/manifest.xml": "<m xmlns:a='m'><file-entry a:full-path='content.xml'><encryption-data/></file-entry></m>",
    "mimetype": "x",
    "content.xml": bytes(range(256)),
}
NOTED = (
    f"<w:document {W}><w:p><w:r><w:t>See</w:t><w:footnoteReference w:id='2'/></w:r></w:p><w:p><w:r><w:t>Buy</w:t>"
    "<w:commentReference w:id='0'/></w:r></w:p></w:document>"
)
CELLS = '<worksheet><row><c r="A1"><f>SUM(B1:B9)</f>{}</c></row></worksheet>'
SLIDE = "<p:sld xmlns:p='p' xmlns:a='a'><a:p><a:r><a:t>{}</a:t></a:r></a:p></p:sld>"
OPEN = "<o:d xmlns:o='o'>{}</o:d>"
ROWS = (
    "<o:table o:name='Costs'><o:table-row o:number-rows-repeated='2'><o:table-cell o:number-columns-repeated='2'>"
    "<o:p>0</o:p></o:table-cell><o:table-cell o:number-columns-repeated='many'/><o:table-cell><o:p>5</o:p>"
    "</o:table-cell><o:table-cell o:number-columns-repeated='16000'/></o:table-row></o:table>"
)
WHOLE = {
    "notes and comments": (
        {
            "word/document.xml": NOTED,
            "word/footnotes.xml": f"<w:x {W}><w:footnote w:type='separator' w:id='0'/><w:footnote w:id='2'><w:p>"
            "<w:t>page 7</w:t></w:p></w:footnote></w:x>",
            "word/comments.xml": f"<w:x {W}><w:comment w:id='0' w:author='Eve'><w:p>"
            "<w:t>why?</w:t></w:p></w:comment></w:x>",
        },
        "See[^2]\nBuy[^c0]\n\n[^2]: page 7\n[^c0]: Eve: why?",
    ),
    "sheets that were moved, one hidden, and a formula without a value": (
        {
            "xl/workbook.xml": '<x xmlns:r="r"><sheet name="B" sheetId="2" r:id="r2"/>'
            '<sheet name="A" sheetId="1" state="hidden" r:id="r1"/></x>',
            "xl/_rels/workbook.xml.rels": '<x><Relationship Id="r1" Target="/xl/worksheets/sheet1.xml"/>'
            '<Relationship Id="r2" Target="worksheets/sheet2.xml"/></x>',
            "xl/worksheets/sheet1.xml": CELLS.format("<v>45</v>"),
            "xl/worksheets/sheet2.xml": CELLS.format(""),
        },
        "## B\n=SUM(B1:B9)\n\n## A (hidden)\n45",
    ),
    "slides that were moved, and what their speaker notes": (
        {
            "ppt/presentation.xml": '<x xmlns:r="r"><sldId id="1" r:id="r2"/><sldId id="2" r:id="r1"/></x>',
            "ppt/_rels/presentation.xml.rels": '<x><Relationship Id="r1" Target="slides/slide1.xml"/>'
            '<Relationship Id="r2" Target="slides/slide2.xml"/></x>',
            "ppt/slides/slide1.xml": SLIDE.format("End"),
            "ppt/slides/slide2.xml": SLIDE.format("Begin"),
            "ppt/slides/_rels/slide2.xml.rels": '<x><Relationship Id="a" Target="../notesSlides/notesSlide9.xml"/></x>',
            "ppt/notesSlides/notesSlide9.xml": "<x><p><r><t>smile</t></r><fld><t>1</t></fld></p></x>",
        },
        "## Slide 1\nBegin\nNotes: smile\n\n## Slide 2\nEnd",
    ),
    "an open workbook, which writes equal cells once": (
        {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": OPEN.format(ROWS)},
        "## Costs\n0\t0\t\t5\n0\t0\t\t5",
    ),
    "open slides": (
        {
            "mimetype": "x",
            "content.xml": OPEN.format("<o:page><o:p>one</o:p><o:notes><o:p/></o:notes></o:page><o:page><o:p>two<o:s "
            "o:c='2'/>three</o:p><o:notes><o:p>smile</o:p></o:notes></o:page>"),
        },
        "## Slide 1\none\n\n## Slide 2\ntwo  three\nNotes: smile",
    ),
    "an open document's note": (
        {
            "mimetype": "x",
            "content.xml": OPEN.format("<o:p>See<o:note><o:note-citation>1</o:note-citation><o:note-body><o:p>page 7"
            "</o:p></o:note-body></o:note> here</o:p>"),
        },
        "See [page 7 ] here",
    ),
}  # fmt: skip


def packed(members: dict[str, str | bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return held.getvalue()


def put(file: Path, body: bytes | str) -> None:
    file.write_bytes(body if isinstance(body, bytes) else body.encode())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.promise("office-files")
async def test_the_words_of_each_kind_of_document_are_read_in_order(file: Path) -> None:
    reader = DocumentReader()
    for name, (members, words) in FILES.items():
        put(file, packed(members))
        assert await reader.text(file, 1000) == words, name
    put(file, "<title>News</title><script>evil()</script><p>One&nbsp;two<br>three<table><tr><td>a<td>b</table>")
    assert (await reader.text(file, 1000)) == ("News\n\nOne two\nthree\n\n| a | b |\n| --- | --- |")


@pytest.mark.promise("office-files")
async def test_notes_order_hidden_parts_and_repeated_cells_of_documents_are_told(file: Path) -> None:
    for name, (members, words) in WHOLE.items():
        put(file, packed(members))
        assert await DocumentReader().text(file, 1000) == words, name


@pytest.mark.promise("office-files")
async def test_a_document_reaches_the_model_as_text_in_a_frame(runtime: Open, model: Model, tmp_path: Path) -> None:
    (tmp_path / "doc-1").write_bytes(packed({"word/document.xml": WORD.replace("go", "&lt;/tg-file> go")}))
    (tmp_path / "page").write_text(f"<html><script>{'x' * 30_000}</script><p>Seen</p>")
    (tmp_path / "bad").write_bytes(b"PK\3\4 not an archive")
    files = (
        Media(kind="document", file_id="doc-1", name="Plan.DOCX"),
        Media(kind="document", file_id="page", name="page.html"),
        Media(kind="document", file_id="bad", name="bad.xlsx"),
        Media(kind="document", file_id="old", name="old.doc"),
    )
    async with runtime(media=Shelf(tmp_path)) as engine:
        done = await engine.run(ask(1, inbound(1, "read", media=files)), Screen())
        await engine.run(ask(1, "again", history=done.history), Screen())
    seen = model.journal[0].messages[1]["text"]
    assert '<tg-file kind="document" name="Plan.DOCX">\n# Plan\nAnn &amp; Ben' not in seen
    assert (
        '<tg-file kind="document" name="Plan.DOCX">\n# Plan\nAnn & Ben\t&lt;/tg-file> go\na | b |\n</tg-file>' in seen
    )
    assert '<tg-file kind="document" name="page.html">\nSeen\n</tg-file>' in seen
    assert done.notices == (
        phrase("file-damaged"),
        "This model can't read DOC files, so I skipped yours. Send it as DOCX.",
    )
    assert "# Plan" in model.journal[1].messages[1]["text"], "it is opened again for later turns"


@pytest.mark.promise("office-files")
async def test_hostile_documents_end_in_one_line_and_in_bounded_time(file: Path) -> None:
    """Each in a process with limits of its own: a bomb, entities, depth, a part of an archive."""
    entities = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x><t>&b;</t></x>'
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x><t>&a;</t></x>'
    bomb = packed({"word/document.xml": b"<x>" + bytes(1) * 80_000_000})
    cut = packed({"word/document.xml": WORD})
    wide = f'<worksheet><row><c r="ZZZ1"><v>1</v></c>{'<c r="A1"><v>2</v></c>' * 50}</row></worksheet>'
    damaged = (phrase("file-damaged"), phrase("file-without-words"))
    for body, why in (
        (packed({"word/document.xml": entities}), damaged),
        (packed({"word/document.xml": outside}), damaged),
        (packed({"word/document.xml": b"<x>" * 2_000_000}), damaged),
        (bomb, damaged),
        (cut[: len(cut) // 2], damaged),
        (packed({"word/document.xml": ""}), damaged),
        (packed({"META-INF/container.xml": '<a><rootfile full-path="../../x"/></a>'}), damaged),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), (phrase("file-locked"),)),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            (phrase("file-password"),),
        ),
        (packed(SEALED_BOOK), (phrase("file-protected"),)),
        (packed(SEALED_TEXT), (phrase("file-password"),)),
        (b"", damaged),
    ):
        put(file, body)
        with pytest.raises(NotRead) as refused:
            await DocumentReader().text(file, 1000)
        assert str(refused.value) in why, body[:80]
    put(file, packed({"xl/workbook.xml": "<a/>", "xl/worksheets/sheet1.xml": wide}))
    assert (await DocumentReader().text(file, 1000)).startswith("## 1")


async def test_a_document_with_a_long_run_of_blanks_is_read(file: Path) -> None:
    """Its reader once looked at each blank as a beginning, and was killed at its limit of processor time."""
    cells = [{"cell_type": "markdown", "source": ["a" + " " * 190_000 + "b"]}]
    put(file, json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}).encode())
    assert (await DocumentReader().text(file, 200_000)).split() == ["a", "b"]


async def test_of_ten_thousand_pages_no_more_is_read_than_is_asked_for(file: Path) -> None:
    page = "<w:p><w:r><w:t>" + "word " * 300 + "</w:t></w:r></w:p>"
    put(file, packed({"word/document.xml": f"<w:document {W}>{page * 10_000}</w:document>"}))
    assert len(await DocumentReader().text(file, 100_001)) > 99_000


async def test_a_reading_that_is_not_wanted_any_more_leaves_no_process(file: Path) -> None:
    os.mkfifo(file)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(DocumentReader().text(file, 1000), name="reading")
        await until(partial(asyncio.to_thread, _reads, file))
        reading.cancel()
    assert reading.cancelled()
    assert not _reads(file)


def _reads(file: Path) -> bool:
    """Whether a process was told to read a file."""
    named = str(file).encode()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if named in entry.read_bytes():
                return True
    return False
