"""Workbooks: a line a row, the cells parted by tabs."""

import re
from contextlib import suppress
from datetime import datetime, timedelta

from workers.runtime.extraction.archive import Archive, Full, Words, count, listed, xml

_SHARED = 500_000
"""Texts that the cells of a workbook share."""
_CELLS_A_ROW = 1_000
_SHEETS = r"xl/worksheets/sheet\d+\.xml"
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook has no time zone
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001 - as above
_DATE_FORMATS = {
    **dict.fromkeys((*range(14, 18), *range(27, 37), *range(50, 59)), "d"),
    22: "d h",
    **dict.fromkeys((18, 19, 20, 21, 45, 47), "h"),
    46: "[h]",
}
"""What the formats say that have numbers only."""
_LENGTH = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
"""In the format of a length of time, which may be more than a day."""
_DAY = re.compile("[yd]")
_LAST_DAY = 2_958_465
"""31 December 9999."""


class Sheet:
    """Cells of a workbook, a line a row."""

    def __init__(self, words: Words, shared: list[str], dates: dict[int, str], epoch: datetime) -> None:
        self._words, self._shared, self._dates, self._epoch = words, shared, dates, epoch
        self._row: list[str] = []
        self._kind, self._style, self._value, self._formula, self._inside = "", "", "", "", ""

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == "row":
            self._row = []
        elif name == "c":
            self._kind, self._style = given.get("t", ""), given.get("s", "")
            self._value = self._formula = ""
            column = 0
            for letter in re.match("[A-Z]{0,3}", given.get("r", ""))[0]:  # pyright: ignore - it always matches
                column = column * 26 + ord(letter) - 64
            self._row += [""] * min(column - 1 - len(self._row), _CELLS_A_ROW)
        elif name in ("v", "t", "f"):
            self._inside = name

    def end(self, name: str) -> None:
        if name in ("v", "t", "f"):
            self._inside = ""
        elif name == "c":
            self._row.append(self._shown())
        elif name == "row" and any(self._row):
            self._words.add("\t".join(self._row).rstrip("\t") + "\n")

    def text(self, text: str) -> None:
        if self._inside == "f":
            self._formula += text
        elif self._inside:
            self._value += text

    def _shown(self) -> str:
        value = " ".join(self._value.split())
        if not value and self._formula:
            # A program that does not calculate wrote it.
            return "=" + " ".join(self._formula.split())
        if self._kind == "s":
            return self._shared[int(value)] if value.isdigit() and int(value) < len(self._shared) else ""
        if self._kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        if self._kind in ("", "n") and self._style.isdigit() and int(self._style) in self._dates:
            return self._date(value, self._dates[int(self._style)])
        if self._kind == "d":
            return value.replace("T", " ")
        return value

    def _date(self, value: str, code: str) -> str:
        try:
            days = float(value)
        except ValueError:
            return value
        if not 0 <= days <= _LAST_DAY:
            return value
        if _LENGTH.search(code):
            seconds = round(days * 86_400)
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        moment = self._epoch + timedelta(seconds=round(days * 86_400))
        clock = f"{moment:%H:%M:%S}".removesuffix(":00")
        if days < 1 and not _DAY.search(_plain(code)):
            return clock
        return f"{moment:%Y-%m-%d}" if days == int(days) else f"{moment:%Y-%m-%d} {clock}"


def _plain(code: str) -> str:
    """A format without what it says literally, and without its colours and conditions."""
    return re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", code).lower()


def _epoch(archive: Archive) -> datetime:
    """The day from which a workbook counts: that of Windows, or of old Macs ([ISO 29500-1], 18.17.4.1)."""
    found = [_EPOCH]

    def start(name: str, given: dict[str, str]) -> None:
        if name == "workbookPr" and given.get("date1904") in ("1", "true"):
            found[0] = _EPOCH_1904

    xml(archive.pieces("xl/workbook.xml"), start)
    return found[0]


def _shared_texts(archive: Archive) -> list[str]:
    texts, current = list[str](), list[str]()
    phonetic = [0]

    def start(name: str, _: dict[str, str]) -> None:
        phonetic[0] += name == "rPh"

    def end(name: str) -> None:
        phonetic[0] -= name == "rPh"
        if name == "si":
            texts.append(" ".join("".join(current).split()))
            current.clear()
            if len(texts) >= _SHARED:
                raise Full

    with suppress(Full):
        pieces = archive.pieces("xl/sharedStrings.xml")
        xml(pieces, start, end, lambda text: None if phonetic[0] else current.append(text))
    return texts


def _date_styles(archive: Archive) -> dict[int, str]:
    """The styles of cells whose numbers are dates, times or lengths of time, with their formats."""
    own, styles, within = dict(_DATE_FORMATS), list[int](), [""]

    def start(name: str, given: dict[str, str]) -> None:
        if name in ("cellXfs", "cellStyleXfs"):
            within[0] = name
        number = int(given["numFmtId"]) if given.get("numFmtId", "").isdigit() else -1
        code = given.get("formatCode", "")
        if name == "numFmt" and (re.search("[ydhs]", _plain(code)) or _LENGTH.search(code)):
            own[number] = code
        elif name == "xf" and within[0] == "cellXfs":
            styles.append(number)

    xml(archive.pieces("xl/styles.xml"), start)
    return {place: own[number] for place, number in enumerate(styles) if number in own}


def workbook(archive: Archive, words: Words) -> None:
    """The sheets in the order in which they are shown."""
    sheets = [
        (member, given.get("name", "") + (" (hidden)" if given.get("state", "visible") != "visible" else ""))
        for member, given in listed(archive, "xl/workbook.xml", "sheet")
    ]
    if not sheets:
        sheets = [(member, str(place)) for place, member in enumerate(archive.matching(_SHEETS), 1)]
    shared, dates, epoch = _shared_texts(archive), _date_styles(archive), _epoch(archive)
    for member, name in sheets:
        words.add(f"## {name}\n")
        sheet = Sheet(words, shared, dates, epoch)
        xml(archive.pieces(member), sheet.start, sheet.end, sheet.text)
        words.add("\n")


class OpenSheet:
    """Cells of an OpenDocument workbook, which writes equal neighbours once."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._row: list[str] = []
        self._cell: list[str] = []
        self._cells = self._rows = self._inside = 0

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == "table":
            self._words.add(f"## {given.get('name', '')}\n")
        elif name == "table-row":
            self._row, self._rows = [], count(given.get("number-rows-repeated"))
        elif name in ("table-cell", "covered-table-cell"):
            self._cell, self._cells = [], count(given.get("number-columns-repeated"))
        elif name == "p":
            self._inside += 1

    def end(self, name: str) -> None:
        if name == "p":
            self._inside -= 1
            self._cell.append(" ")
        elif name in ("table-cell", "covered-table-cell"):
            self._row += [" ".join("".join(self._cell).split())] * min(self._cells, _CELLS_A_ROW - len(self._row))
        elif name == "table-row" and any(self._row):
            line = "\t".join(self._row).rstrip("\t") + "\n"
            for _ in range(min(self._rows, _CELLS_A_ROW)):
                self._words.add(line)
        elif name == "table":
            self._words.add("\n")

    def text(self, text: str) -> None:
        if self._inside:
            self._cell.append(text)


def open_workbook(archive: Archive, words: Words) -> None:
    """The sheets of an OpenDocument workbook."""
    sheet = OpenSheet(words)
    xml(archive.pieces("content.xml"), sheet.start, sheet.end, sheet.text)
