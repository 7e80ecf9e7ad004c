"""A PDF: the text of its pages, in order (pypdf)."""

from pathlib import Path

from pypdf import PdfReader

from workers.runtime.extraction.archive import Ended, Full, Words


def paper(path: Path, words: Words) -> None:
    """Add the words of the pages. Of a PDF that is damaged somewhere, what stands before that is read.

    Raises:
        Ended: it has a password, no text, or cannot be read at all.
        Full: there are more.
    """
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Ended("password")  # noqa: TRY301 - it ends the program
        for page in reader.pages:
            words.add(page.extract_text().strip() + "\n\n")
    except (Ended, Full):
        raise
    except Exception as problem:
        if not _said(words):
            raise Ended("damaged") from problem
    if not _said(words):
        raise Ended("pictures")


def _said(words: Words) -> bool:
    return any(piece.strip() for piece in words.pieces)
