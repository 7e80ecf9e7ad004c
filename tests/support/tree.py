"""The project's own files as the tests of the house read them: which there are, and what they name."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tools import house

ROOT = Path(__file__).parents[2]
PACKAGES = ("cohort", "bot", "workers", "botapi", "tasks", "ops", "playground")

HOUSES = (*PACKAGES, "bench", "tests", "tools", "docs")
OF_AN_OPERATOR = ("tasks.py", "flowerconfig.py", "bot/")
"""Files that documents name and that stand in an operator's directory."""


def tracked() -> list[Path]:
    """Every file of the project that is text."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


def sources(*suffixes: str) -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.suffix in suffixes)


def named(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def opening(text: str) -> str | None:
    """The docstring of a module, which is parsed as far as its first blank line, where that is the docstring's end."""
    try:
        return ast.get_docstring(ast.parse(text.partition("\n\n")[0]))
    except SyntaxError:
        return ast.get_docstring(ast.parse(text))


def pages() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md" and path.parts[len(ROOT.parts)] not in PACKAGES]


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith(("#", "mailto:")):
            yield target.partition("#")[0]


def anchors(page: Path) -> set[str]:
    """The names by which links lead to a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def anchored(page: Path) -> Iterator[tuple[Path, str]]:
    """The (page, heading) pairs that a page's links lead to."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target, heading in re.findall(r"\]\(([^)\s#]*)#([^)\s]+)\)", text):
        if "://" not in target:
            yield (page.parent / target if target else page), heading


def long_lines(page: Path, most: int = 200) -> list[str]:
    """Lines of prose above ``most`` characters. A row of a table is one line, and what stands in a block is copied."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL) if page.name != "CHANGELOG.md" else ""
    return [line for line in text.splitlines() if len(line) > most and not line.startswith(("|", "[!["))]


def shell(text: str, program: str) -> set[str]:
    """What a page says to type after ``program``: between backticks, or at the start of a line in a block."""
    blocks = "\n".join(re.findall(r"```[a-z]*\n(.*?)```", text, flags=re.DOTALL))
    return {
        *re.findall(rf"`{program} ([a-z][a-z-]*)", text),
        *re.findall(rf"^(?:\$ )?{program} ([a-z][a-z-]*)", blocks, flags=re.MULTILINE),
    }


def names_a_file(word: str, files: list[str]) -> bool:
    """Whether a word of a page looks like one of our files and no file has that name."""
    place = word.rstrip("/")
    top = place.partition("/")[0]
    if place.endswith((".py", ".lua", ".js")):
        return not any(f"/{file}".endswith(f"/{place}") for file in files)
    return top in HOUSES and "*" not in place and not any(f"{file}/".startswith(f"{place}/") for file in files)


def is_missing(name: str) -> bool:
    """Whether a dotted name leads through our modules to one that is not there, or is not in its module."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:count])
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if file.is_file() or place.is_dir():
            text = file.read_text() if file.is_file() else ""
            return not all(re.search(rf"\b{part}\b", text) for part in parts[count:])
    return True


def texts() -> Iterator[tuple[Path, str]]:
    """Code, comments and documents as they stand; of tests the names and the prose, for their data may be anything."""
    for path in tracked():
        name = path.relative_to(ROOT)
        if name.parts[0] in PACKAGES and path.suffix in (".py", ".lua", ".js"):
            yield name, f"{name}\n{path.read_text()}"
        elif path.suffix in (".md", ".toml", ".yaml", ".yml") and name.name != "CHANGELOG.md":
            yield name, path.read_text()
        elif name.parts[0] == "tests" and path.suffix == ".py" and house.retired(path.read_text()):
            yield name, "\n".join([str(name), *house.names(path.read_text()), *house.prose(path.read_text())])


def types(path: Path) -> Iterator[tuple[str, str]]:
    """(name, meaning) of the classes and the public type aliases of a module: a class means itself."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            yield node.name, f"{path.relative_to(ROOT)}:{node.lineno}"
        elif isinstance(node, ast.TypeAlias) and not node.name.id.startswith("_"):
            yield node.name.id, ast.unparse(node.value)


LOGS = {"debug": 0, "info": 0, "warning": 0, "error": 0, "exception": 0, "critical": 0, "log": 1}
"""The methods of a logger, and which argument is the event."""


CALLED = re.compile(rf"\b_?log\s*\.\s*(?:{'|'.join(LOGS)})\b")


def logged(path: Path) -> Iterator[ast.expr]:
    """What a module gives its logger as the event. Most have none: they are not parsed."""
    text = path.read_text()
    for node in ast.walk(ast.parse(text)) if CALLED.search(text) else ():
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log" | "_log"), attr=method)) if method in LOGS:
                yield node.args[LOGS[method]]
            case _:
                pass


def run_in(path: Path) -> Iterator[str]:
    """Docstrings that explain several names in running text, as "A. ``x``: this. ``y``: that."."""
    explained = re.compile(r"(?:^|[.;,]?\s)``\w*``(?:, ``\w+``)*: ")
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Expr(value=ast.Constant(value=str(said))):
                running = "\n".join(line for line in said.splitlines() if not line.lstrip().startswith("- "))
                if len(explained.findall(running)) > 1:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}"
            case _:
                pass
