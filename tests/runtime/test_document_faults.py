"""Whatever stands in a document is read, in its order; bytes that are damaged anywhere end in a word that is known."""

import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.test_documents import FILES, OPEN, WHOLE, W, packed, put
from workers.runtime.extraction.archive import Ended, Full, Words
from workers.runtime.extraction.main import DAMAGED, EXITS, read

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=12)
STYLES = (
    '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="{}"/></numFmts><cellXfs><xf numFmtId="0"/>{}</cellXfs>'
    "</styleSheet>"
)
FORMATS = "".join(f'<xf numFmtId="{number}"/>' for number in (14, 22, 21, 46, 164))


def said(body: bytes | str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "file")
        put(file, body)
        words = Words(100_000)
        read(file, words)
    return "".join(words.pieces)


def workbook(cells: str, told: str = "", own: str = "yyyy") -> bytes:
    return packed(
        {
            "xl/workbook.xml": f"<x>{told}</x>",
            "xl/styles.xml": STYLES.format(own, FORMATS),
            "xl/worksheets/sheet1.xml": f"<worksheet><row>{cells}</row></worksheet>",
        }
    )


@pytest.mark.promise("office-files")
@pytest.mark.parametrize("kind", ["", ' t="n"'])
@pytest.mark.parametrize(
    ("style", "value", "told", "shown"),
    [
        (1, "45356", "", "2024-03-05"),
        (2, "45356.5208333333", "", "2024-03-05 12:30"),
        (2, "45356.39600694444", "", "2024-03-05 09:30:15"),
        (3, "0.5729398148148148", "", "13:45:02"),
        (4, "1.260416666666667", "", "30:15:00"),
        (1, "43894", '<workbookPr date1904="1"/>', "2024-03-05"),
        (5, "45356", "", "2024-03-05"),
        (0, "45356", "", "45356"),
    ],
)
def test_a_number_is_shown_as_the_date_the_time_or_the_length_that_it_is(
    kind: str, style: int, value: str, told: str, shown: str
) -> None:
    """Programs that say of a number that it is one (``t="n"``) had their dates read as numbers."""
    assert said(workbook(f'<c r="A1" s="{style}"{kind}><v>{value}</v></c>', told)).split("\n")[1] == shown


@pytest.mark.promise("office-files")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<p><pPr><pStyle val='ListBullet2'/></pPr><t>x</t></p>", "  - x"),
        ("<p><pPr><numPr><ilvl val='1'/><numId val='3'/></numPr></pPr><t>x</t></p>", "  - x"),
        ("<p><pPr><numPr><numId val='0'/></numPr></pPr><t>x</t></p>", "x"),
        ("<p><pPr><pStyle val='Heading2'/><numPr><numId val='4'/></numPr></pPr><t>x</t></p>", "## x"),
        ("<p><Choice><p><t>box</t></p></Choice><Fallback><p><t>box</t></p></Fallback></p>", "box"),
        ("<p><moveFrom><t>gone</t></moveFrom><t>here</t></p>", "here"),
        ("<p><t>non</t><noBreakHyphen/><t>stop</t></p>", "non\u2011stop"),
    ],
)
def test_lists_boxes_and_changes_of_a_document_are_read_once_and_as_they_are(body: str, words: str) -> None:
    assert said(packed({"word/document.xml": f"<w:d {W}>{body}</w:d>"})).strip("\n") == words


@pytest.mark.promise("office-files")
def test_of_an_open_document_changes_are_not_read_and_comments_are_marked() -> None:
    body = (
        "<o:tracked-changes><o:p>gone</o:p></o:tracked-changes><o:p>a<o:annotation><o:creator>Eve</o:creator><o:date>1"
    )
    body += "</o:date><o:p>why?</o:p></o:annotation>b</o:p>"
    assert said(packed({"mimetype": "x", "content.xml": OPEN.format(body)})).strip() == "a [Eve: why? ]b"


@pytest.mark.promise("office-files")
def test_of_a_page_links_lists_and_tables_are_kept_and_embedded_pictures_are_not() -> None:
    page = (
        "<ol><li>one</ol><a href='https://example.org/'>there</a><img src='data:image/png;base64,AAAA'><p hidden>no</p>"
    )
    assert said(page).split() == ["1.", "one", "[there](https://example.org/)"]


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=20))
def test_each_word_of_a_document_is_read_in_order(texts: list[str]) -> None:
    plain = "".join(f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>" for text in texts)
    assert said(packed({"word/document.xml": f"<w:d {W}>{plain}</w:d>"})).split() == texts
    cells = "".join(f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>' for text in texts)
    assert said(workbook(cells)).split()[2:] == texts
    assert said("".join(f"<p>{escape(text)}</p>" for text in texts)).split() == texts
    units = ("".join(f"\\u{int.from_bytes(pair, 'little')}?" for pair in _pairs(text)) for text in texts)
    assert said("{\\rtf1 " + "\\par ".join(units) + "}").split() == texts


def _pairs(text: str) -> list[bytes]:
    coded = text.encode("utf-16-le")
    return [coded[place : place + 2] for place in range(0, len(coded), 2)]


RICH = b"{\\rtf1\\ansi{\\fonttbl{\\f0\\fcharset204 A;}}\\f0 \\'cf\\u1055? {\\pict\\bin2 xx} words}"
WEB = b"<html><meta charset=utf-8><title>One</title><table><tr><td>a</table><a href=x>b"
BODIES = [*(packed(members) for members, _ in (*FILES.values(), *WHOLE.values())), RICH, WEB]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BODIES), st.integers(0, 10_000), st.binary(min_size=1, max_size=4))
def test_bytes_that_are_damaged_anywhere_end_in_a_word_that_is_known(body: bytes, place: int, put_in: bytes) -> None:
    place %= len(body)
    ends: list[str] = []
    try:
        said(body[:place] + put_in + body[place + len(put_in) :])
    except Ended as end:
        ends.append(str(end))
    except (Full, *DAMAGED):
        pass
    assert set(ends) <= set(EXITS)
