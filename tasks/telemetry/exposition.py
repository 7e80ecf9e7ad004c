"""Metrics of several processes as one page for Prometheus: each packs its own, and all are merged by a label (pure)."""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

MOST_BYTES = 512 * 1024
"""Of one process's metrics as text. Labels are bounded (``metrics.bounded``), so usual ones take a tenth."""

_LABELS = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*"'
_VALUE = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|Inf|NaN)"
_SAMPLE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{{({_LABELS}(?:,{_LABELS})*)?,?\}})? ({_VALUE})")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"')
_TYPES = frozenset({"counter", "gauge", "histogram", "summary", "untyped"})
_PARTS = ("", "_bucket", "_sum", "_count")
"""Ends of the names of a family's samples."""
_HEAD = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)")
PROCESS = "process"
"""The label that names the process."""
_CREATED = "_created"
"""Ends the names of what says when a counter began; a scrape has no use for it, and it doubles the page."""


@dataclass(slots=True)
class Family:
    """A metric: what it is, and its samples as (name, labels, value)."""

    help: str = ""
    type: str = "untyped"
    samples: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])


type Families = dict[str, Family]


def packed(text: str) -> bytes | None:
    """A process's metrics, small enough for its heartbeat; None: there are too many."""
    raw = text.encode()
    return zlib.compress(raw, 6) if len(raw) <= MOST_BYTES else None


def unpacked(raw: bytes) -> str | None:
    """The text again; None for what cannot be read or is larger than any that is written."""
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(raw, MOST_BYTES + 1)
        return None if len(text) > MOST_BYTES or not unpacking.eof else text.decode()
    except (zlib.error, UnicodeDecodeError):
        return None


def families(text: str) -> Families | None:
    """Read the text format; None when a line of it has another form, or would make Prometheus refuse the whole page."""
    found: Families = {}
    current = ""
    for line in text.split("\n"):
        if head := _HEAD.fullmatch(line):
            current = head[2]
            family = found.setdefault(current, Family())
            if head[1] == "HELP":
                family.help = head[3]
            else:
                family.type = head[3]
        elif (sample := _SAMPLE.fullmatch(line)) and _fits(sample[1], sample[2] or "", current):
            found.setdefault(current or sample[1], Family()).samples.append((sample[1], sample[2] or "", sample[3]))
        elif line and not line.startswith("#"):
            return None
    if any(family.type not in _TYPES for family in found.values()):
        return None
    return {name: family for name, family in found.items() if not name.endswith(_CREATED) and family.samples}


def _fits(sample: str, labels: str, family: str) -> bool:
    """Whether it is a sample of this family, with each label once and without the one that ``merged`` adds."""
    names = _LABEL.findall(labels)
    return (not family or sample in {family + part for part in _PARTS}) and len({PROCESS, *names}) == len(names) + 1


def merged(parts: Mapping[str, Families]) -> str:
    """One page of several processes, by name; each sample has its process in the label ``process``."""
    heads: dict[str, Family] = {}
    rows: dict[str, list[str]] = {}
    for process, part in sorted(parts.items()):
        for name, family in part.items():
            head = heads.setdefault(name, family)
            # Of two releases that mean different things by one name, one is shown.
            if head.type == family.type:
                rows.setdefault(name, []).extend(_lines(process, family.samples))
    text = [
        f"# HELP {name} {heads[name].help}\n# TYPE {name} {heads[name].type}\n" + "\n".join(lines)
        for name, lines in sorted(rows.items())
    ]
    return "\n".join(text) + "\n" if text else ""


def _lines(process: str, samples: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    label = f'{PROCESS}="{escaped(process)}"'
    for name, labels, value in samples:
        yield f"{name}{{{label}{',' if labels else ''}{labels}}} {value}"


def escaped(value: str) -> str:
    """A label's value as it stands between quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def gauge(name: str, about: str, samples: Mapping[str, float]) -> str:
    """A gauge as text; ``samples``: labels as they stand between the braces -> value."""
    lines = [f"{name}{{{labels}}} {value:g}" if labels else f"{name} {value:g}" for labels, value in samples.items()]
    return "\n".join([f"# HELP {name} {about}", f"# TYPE {name} gauge", *lines, ""])
