"""An RTF file (striprtf), whose texts are in the code pages of their fonts, or Unicode."""

import re

from workers.runtime.extraction.archive import Ended, Words

_UNCOUNTED = re.compile(rb"\\bin(?![0-9])")
"""Says that bytes follow, but not how many."""


def rtf(data: bytes, words: Words) -> None:
    """Add its words.

    Raises:
        Ended: it is damaged.
        Full: there are more.
    """
    from striprtf.striprtf import rtf_to_text  # noqa: PLC0415 - the workers themselves do without it

    try:
        # Bytes beyond ASCII are escaped in RTF; with Latin-1 none is lost where a program wrote them all the same.
        text = rtf_to_text(_UNCOUNTED.sub(b"", data).decode("latin-1"), errors="replace")
    except (ValueError, LookupError, IndexError, TypeError, OverflowError) as problem:
        # A number that is no character, a code page that does not exist.
        raise Ended("damaged") from problem
    # Characters beyond the first 65,536 are written as two.
    words.add(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
