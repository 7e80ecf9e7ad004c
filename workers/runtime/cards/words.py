"""What fast-agent says of a card, as a problem with a place and with what to do about it."""

import difflib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fast_agent.core.agent_card_rules import ALLOWED_FIELDS_BY_TYPE

from tasks.operator_files.agent_files import BadFile
from workers.runtime.patches.card_entries import OF_CARDS as OURS

_FIELDS = {str(kind): {*fields, *(OURS if kind == "agent" else ())} for kind, fields in ALLOWED_FIELDS_BY_TYPE.items()}
_SPEC = "write file.py:function, with a path that starts at the card's directory"
_QUOTED = r"'(?P<what>.*)'"


@dataclass(frozen=True, slots=True)
class Known:
    """What a card may name."""

    agents: Mapping[str, Collection[Path]] = field(default_factory=dict[str, Collection[Path]])
    """Name -> the cards that have it."""
    servers: Collection[str] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict[str, str])
    """Server -> the key of the configuration below which it stands, where fast-agent does not look."""


def line(text: str, *needles: str) -> int | None:
    """Find the first line that contains one of the words."""
    for number, each in enumerate(text.splitlines(), 1):
        if any(needle and needle in each for needle in needles):
            return number
    return None


def line_of_key(text: str, key: str) -> int | None:
    """Find the first line that begins with a key; where no line does, the first that contains it."""
    found = re.search(rf"^[ \t]*['\"]?{re.escape(key)}['\"]?[ \t]*[:=]", text, re.MULTILINE)
    return line(text, key) if found is None else text.count("\n", 0, found.start()) + 1


def problems(path: Path, text: str, error: str, known: Known) -> Iterable[BadFile]:
    """The problems that one sentence of fast-agent's tells."""
    # A path as the card's, where it is below the card's directory.
    error = error.replace(f"{path.parent.resolve()}{os.sep}", f"{path.parent}{os.sep}")
    what = error[0].lower() + error[1:]
    if found := re.match(r"Unsupported fields for type '(?P<type>.*)': (?P<what>.*)", error):
        for name in found["what"].split(", "):
            said = f"unsupported fields for type '{found['type']}': {name}"
            yield BadFile(path, line_of_key(text, name), said, _of_field(name, found["type"]))
    elif found := re.match(r"References missing (?P<kind>agents|servers): (?P<what>.*)", error):
        of = _of_agent if found["kind"] == "agents" else _of_server
        for name in found["what"].split(", "):
            yield BadFile(path, line(text, name), f"references missing {found['kind']}: {name}", of(name, known))
    elif found := re.match(rf"Duplicate agent name {_QUOTED}", error):
        others = ", ".join(sorted(one.name for one in known.agents.get(found["what"], ()) if one != path))
        do = f"also in {others}: give one of them another name" if others else "give one of the cards another name"
        # A card without a name has that of its file.
        yield BadFile(path, line_of_key(text, "name") if "name" in text else None, what, do)
    elif found := re.match(rf"Unsupported agent type {_QUOTED}", error):
        yield BadFile(path, line_of_key(text, "type"), what, _of_type(found["what"]))
    elif found := re.match(r"Circular dependency detected: (?P<what>.*)", error):
        names = [part.strip() for part in found["what"].split("->")]
        yield BadFile(path, line(text, *names), what, "take one of these agents out of the other's card")
    elif found := re.match(
        r"Failed to parse tool module \((?P<file>.*)\): (?P<why>.*?)(?: \(<unknown>, line (?P<at>\d+)\))?$", error
    ):
        yield BadFile(Path(found["file"]), int(found["at"] or 0) or None, f"not Python ({found['why']})", "correct it")
    elif found := re.match(r"Failed to read tool module \((?P<file>.*)\): '.*' codec can't decode", error):
        yield BadFile(Path(found["file"]), None, "is not UTF-8 text", "save it as UTF-8")
    else:
        yield simple(path, text, error)


def simple(path: Path, text: str, error: str) -> BadFile:
    """What is told of a sentence that names one thing."""
    what = error[0].lower() + error[1:]
    for pattern, do in (
        (r"Missing required field '(?P<what>.*)'", "add it to the frontmatter"),
        (r"Function '(?P<what>.*)' not found in .*", "name a function that this file defines"),
        (r"Function tool module file not found \((?P<what>.*)\)", _SPEC),
        (r"Function tool module must be a .py file \((?P<what>.*)\)", _SPEC),
        (r"Invalid function tool spec '(?P<what>.*)'", _SPEC),
        (r"History file not found \((?P<what>.*)\)", "paths of messages start at the card's directory"),
        (r"Instruction file not found \(\{\{file:(?P<what>.*)\}\} ->.*", "its path starts where the workers run"),
        (r"'function_tools\[\d+\]' .*unsupported keys: (?P<what>[^,]*).*", "correct its spelling, or leave it out"),
        (
            r"'(?P<what>\w+)' must be a non-empty string",
            "write a text; a number, yes and no need quotes",
        ),
        (r"'(?P<what>commands)': .* quotes in .*", 'write a command\'s name as "on"'),
        (r"'(?P<what>commands)': .* own in .*", "give it another name"),
        (r"'(?P<what>commands)': must be .*", "write `commands: [roll]`, or `commands: {roll: Roll the dice}`"),
        (r"'(?P<what>\w+)' must be a boolean", "write true or false"),
        (r"'(?P<what>\w+)' must be a (?:string or )?list of strings", "write a list of names: [one, two]"),
        (r"'(?P<what>\w+)' must be a mapping", "write `key: value` lines below it"),
        (r"'(?P<what>\w+)(?:\[\d+\])?'.*", "correct it"),
    ):
        found = re.match(pattern, error)
        if found is not None:
            name = found["what"]
            # A path is told whole, and written from the card's directory.
            return BadFile(path, line_of_key(text, name) or line(text, Path(name).name), what, do)
    return BadFile(path, None, what, "correct it")


def _nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that is meant."""
    by_folded = {one.casefold().replace("-", "_"): one for one in names}
    found = difflib.get_close_matches(name.casefold().replace("-", "_"), by_folded, n=1, cutoff=0.7)
    return by_folded[found[0]] if found else None


def _of_field(name: str, kind: str) -> str:
    if (meant := _nearest(name, _FIELDS.get(kind, ()))) is not None:
        return f"write `{meant}`, or leave it out"
    types = [each for each, fields in _FIELDS.items() if name in fields]
    if types and kind == "agent":
        return f"add `type: {types[0]}`, or leave it out"
    return "correct its spelling, or leave it out"


def _of_agent(name: str, known: Known) -> str:
    if (meant := _nearest(name.removesuffix(".md"), known.agents)) is not None:
        return f"write `{meant}`, or add a card with that name"
    return "correct the name, or add a card with it"


def _of_server(name: str, known: Known) -> str:
    if name in known.elsewhere:
        return f"it stands below `{known.elsewhere[name]}` in the configuration: put it below `mcp:`, `servers:`"
    if (meant := _nearest(name, known.servers)) is not None:
        return f"write `{meant}`, or define it under mcp.servers in the configuration"
    return "define it under mcp.servers in the configuration, or leave it out"


def _of_type(name: str) -> str:
    begun = [kind for kind in _FIELDS if kind.casefold().startswith(name.casefold())]
    meant = begun[0] if begun else _nearest(name, _FIELDS)
    return f"write `{meant}`" if meant is not None else f"use one of {', '.join(_FIELDS)}"
