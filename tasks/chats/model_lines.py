"""What people read of a model where they choose one: its provider, and what it reads beside text (pure)."""

from collections.abc import Mapping, Sequence

from tasks.phrases import labelled, listing, phrase
from tasks.text import utf16

KINDS: Mapping[str, str] = {
    "image": "image/jpeg",
    "pdf": "application/pdf",
    "audio": "audio/mpeg",
    "video": "video/mp4",
}
"""What a model may read, with the type of file by which that is known."""
_LINE = 64
"""UTF-16 units of a line with the model's name: two lines on a phone."""


def model_line(model: str, facts: Sequence[str]) -> str:
    """What is said of a model; as much of it as fits, and nothing where nothing is known.

    Args:
        model: Its name.
        facts: Its provider (empty where that says nothing), and those of ``KINDS`` that it reads.
    """
    provider, kinds = (facts[0], [kind for kind in facts[1:] if kind in KINDS]) if facts else ("", [])
    reads = phrase("model-reads", kinds=listing(phrase(f"reads-{kind}") for kind in kinds)) if kinds else ""
    said = (" · ".join(filter(None, (provider, reads))), provider)
    return next((one for one in said if one and utf16(labelled(model, one)) <= _LINE), "")


def model_lines(names: Sequence[str], facts: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The same of several."""
    return {name: model_line(name, facts.get(name, ())) for name in names}
