"""Prints what CHANGELOG.md says of a release: `python tools/release_notes.py vX.Y.Z`."""

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"
_HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\] - (?P<date>.+)$", re.MULTILINE)


def notes(changelog: str, tag: str) -> str:
    """The section of a tag's version, without its heading.

    Args:
        changelog: The text of CHANGELOG.md.
        tag: ``vX.Y.Z``.

    Raises:
        ValueError: it has no such section, or the section has no date yet.
    """
    headings = list(_HEADING.finditer(changelog))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if f"v{heading['version']}" != tag:
            continue
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", heading["date"]):
            raise ValueError(f"the section of {tag} says {heading['date']!r} in place of a date")
        return changelog[heading.end() : following.start() if following else None].strip() + "\n"
    raise ValueError(f"there is no section of {tag}")


if __name__ == "__main__":
    try:
        print(notes(CHANGELOG.read_text(), sys.argv[1]), end="")
    except ValueError as problem:
        sys.exit(f"CHANGELOG.md: {problem}")
