"""``python tools/house.py [DIRECTORY]``: measures of a source tree, as Markdown tables.

Of each folder: rooms (modules and folders side by side), depth (the longest chain of imports between them) and arrows
(imports between them). Of each package: lines, longest file and function, comments, and retired words in its prose.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGES = ("bot", "workers", "botapi", "tasks", "ops", "playground")
RETIRED = {
    "nobody": "the subject that does not",
    "somebody": "the subject: another worker, a user, the operator",
    "whoever": "the subject",
    "none of": "no, not one of",
    "anew": "again",
    "likewise": "the sentence again",
    "ring": "a doorbell is sent",
    "rung": "a doorbell is sent",
    "bell": "doorbell",
    "door": "intake",
    "doorway": "intake",
    "mailbox": "scheduler",
    "pulse": "heartbeat",
    "newcomer": "a new chat, a new user",
    "taming": "hardening",
    "roster": "agent_registry",
    "keeper": "managed process",
    "tether": "die_with_parent",
    "stint": "term",
    "deed": "action",
    "hurry": "kill_now",
}
"""Words that hide the subject of a sentence or that the field does not use, and what stands in place of each."""
RETIRED_NAMES = {
    "Poison": "Malformed",
    "Duty": "LeaderLoop",
    "duty": "LeaderLoop",
    "Wired": "Dependencies, or what the parts are",
    "wired": "Dependencies, or what the parts are",
    "make_sure": "ensure_owned",
    "be_sure": "ensure_owned_once",
    "CeleryHost": "LoopThreadPort",
    "Attempts": "TurnRunner",
    "suspects": "isolate_next",
}
"""Names that stand no more, as whole words in this case; in quotes they are data, as fields of the store are."""
_RETIRED = re.compile(rf"(?<![A-Za-z])({'|'.join(RETIRED)})s?(?![A-Za-z])", re.IGNORECASE)
_NAMES = re.compile(rf"(?<![\w\"])(?:{'|'.join(RETIRED_NAMES)})(?![\w\"])")
_IMPORT = re.compile(r"^ *(?:from ([\w.]+) import (\([^)]*\)|.*)|import (.+))", re.MULTILINE)
_FUNCTION = re.compile(r"^( *)(?:async )?def .*\n(?:(?:\1 .*|\1\).*| *)\n)*", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")


def imports(text: str) -> Iterator[str]:
    """The dotted names that a module imports. Read by lines: to parse every file takes 20 times as long."""
    for module, names, plain in _IMPORT.findall(text):
        listed = [name.split(" as ")[0].strip() for name in re.sub(r"#.*", "", plain or names).strip("() ").split(",")]
        if not module.startswith("."):
            yield from (f"{module}.{name}" if module else name for name in listed if name)


def graph(folder: Path, root: Path) -> dict[str, set[str]]:
    """Which module or folder in ``folder`` imports which other one."""
    prefix = ".".join(folder.relative_to(root).parts)
    rooms = {path.stem for path in folder.iterdir() if path.suffix == ".py" and path.stem != "__init__"}
    rooms |= {path.name for path in folder.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    arrows: dict[str, set[str]] = {room: set() for room in rooms}
    for room in rooms:
        files = [folder / f"{room}.py"] if (folder / f"{room}.py").is_file() else sorted((folder / room).rglob("*.py"))
        for file in files:
            for name in imports(file.read_text()):
                if name.startswith(f"{prefix}."):
                    other = name.removeprefix(f"{prefix}.").partition(".")[0]
                    if other in rooms and other != room:
                        arrows[room].add(other)
    return arrows


def depth(arrows: Mapping[str, set[str]]) -> int:
    """The number of rooms on the longest chain of imports; a circle counts once."""
    known: dict[str, int] = {}

    def below(room: str, way: frozenset[str]) -> int:
        if room not in known:
            found = 1 + max((below(other, way | {room}) for other in arrows[room] - way - {room}), default=0)
            if way:
                return found
            known[room] = found
        return known[room]

    return max((below(room, frozenset()) for room in arrows), default=0)


def prose(text: str) -> Iterator[str]:
    """The docstrings and comments of a module; a string below an assignment is the docstring of a name."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value
    yield from comments(text)


def names(text: str) -> Iterator[str]:
    """The names that a module gives; not the attributes of others, which may be a library's."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.arg(arg=name)
                | ast.Name(id=name)
                | ast.Attribute(value=ast.Name(id="self"), attr=name)
            ):
                yield name
            case _:
                pass


def comments(text: str) -> Iterator[str]:
    """The comments of a module, but for those that speak to a tool."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            said = re.sub(r"#\s*(?:noqa|pyright|type)\b[^#-]*-?", "", token.string).strip("# ")
            if said:
                yield said


def retired(text: str) -> list[str]:
    """The retired words in a text, also as parts of names and in the plural, and the retired names."""
    return [*(word.lower() for word in _RETIRED.findall(text)), *_NAMES.findall(text)]


def longest_function(text: str) -> int:
    """Lines of a module's longest function, by its indentation."""
    return max((len(found[0].rstrip().splitlines()) for found in _FUNCTION.finditer(text)), default=0)


def folders(root: Path) -> Iterator[tuple[str, int, int, int]]:
    """(folder, rooms, depth, arrows) of each folder with more than one room."""
    for package in PACKAGES:
        for folder in (root / package, *sorted(path for path in (root / package).rglob("*") if path.is_dir())):
            if folder.is_dir() and any(folder.glob("*.py")):
                arrows = graph(folder, root)
                if len(arrows) > 1:
                    yield str(folder.relative_to(root)), len(arrows), depth(arrows), sum(map(len, arrows.values()))


def package_row(root: Path, package: str) -> tuple[str, ...]:
    """(package, lines, longest file, longest function, comment lines per 100 lines, retired words per 10,000)."""
    texts = [path.read_text() for path in sorted((root / package).rglob("*.py"))]
    lines = [len(text.splitlines()) for text in texts]
    code = sum(bool(line.strip()) for text in texts for line in text.splitlines())
    parts = [part for text in texts for part in prose(text)]
    words = sum(len(_WORD.findall(part)) for part in parts)
    hits = sum(len(retired(part)) for part in parts)
    longest = max(map(longest_function, texts), default=0)
    told = 100 * sum(1 for text in texts for _ in comments(text)) / max(code, 1)
    rate = 10_000 * hits / max(words, 1)
    return package, str(sum(lines)), str(max(lines, default=0)), str(longest), f"{told:.1f}", f"{rate:.1f} ({hits})"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) + ("--:",) * (len(head) - 1), *rows))


def main(root: Path) -> None:
    """Print the tables of one tree."""
    rows = [tuple(map(str, row)) for row in folders(root)]
    print(table(("folder", "rooms", "depth", "arrows"), rows), end="\n\n")
    head = ("package", "lines", "longest file", "longest function", "comments per 100", "retired per 10,000 words")
    print(table(head, [package_row(root, package) for package in PACKAGES if (root / package).is_dir()]))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
