"""What an agent keeps in mind, in words."""

from collections.abc import Sequence

from bot.texts import one_line, page_text, shortened
from tasks.chats import pages
from tasks.phrases import labelled, phrase

_TOPIC = 80
"""Characters of a note's topic that are listed."""
_SHORT = 300
"""Characters of a note that are listed; alone it is shown whole."""


def note_name(topic: str, most: int = _TOPIC) -> str:
    """A note's topic as it is listed: it is the model's own text, as the note is."""
    return shortened(topic, most) or "?"


def notes_named(wanted: str, topics: Sequence[str]) -> list[str]:
    """The topics that a person means, who has them from the list; what is listed in part may be given back so."""
    name = note_name(wanted, len(wanted)).casefold()
    whole = [topic for topic in topics if note_name(topic, len(topic)).casefold() == name]
    listed = name.removesuffix("…").rstrip()
    begins = [topic for topic in topics if note_name(topic, len(topic)).casefold().startswith(listed)]
    return whole or (begins if len(listed) > _TOPIC // 2 else [])


def paged(notes: Sequence[tuple[str, str]]) -> list[list[str]]:
    """A line for each note, a page a message; ``notes``: (topic, note)."""
    lines = (labelled(note_name(topic), shortened(note, _SHORT)) for topic, note in notes)
    return pages.paged(lines)


def memory(listed: Sequence[Sequence[str]], page: int, *, deletes: bool = True) -> str:
    """What /memory answers; ``listed``: what ``paged`` gives. Who may not delete notes does not read how."""
    if not listed:
        return phrase("memory-none")
    return page_text(phrase("memory"), listed, page, phrase("memory-how") if deletes else "")


def whole(topic: str, note: str) -> str:
    """One note, all of it."""
    lines = [one_line(line, len(line)) for line in note.splitlines()]
    return labelled(note_name(topic), "\n".join(lines).strip())


def forgotten(count: int) -> str:
    """After /forget."""
    return phrase("forgotten", count=count) if count else phrase("forgotten-none")
