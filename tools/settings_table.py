"""The table of settings in docs/settings.md, from tasks/config/fields.py: ``--write`` (make docs) or ``--check``."""

import ast
import sys
import types
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAliasType, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tasks.config.forms import as_written  # noqa: E402 - also when called as a script from elsewhere
from tasks.config.settings import Settings, env_name  # noqa: E402 - the same
from tasks.config.worker_count import WorkerCount  # noqa: E402 - the same

SOURCE = ROOT / "tasks" / "config" / "fields.py"
TARGET = ROOT / "docs" / "settings.md"
BEGIN = "<!-- table: written by `make docs` from tasks/config/fields.py -->"
END = "<!-- end of table -->"
_SECTION = "# -- "


def described(source: str) -> list[tuple[str, str, str]]:
    """(section, field, sentence) of each setting, in the order of the file; the sentence is the string below it.

    Raises:
        ValueError: a setting has no sentence.
    """
    lines = source.splitlines()
    body = next(n.body for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == "SettingFields")
    found: list[tuple[str, str, str]] = []
    for node, following in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        section = next(
            (text for line in reversed(lines[: node.lineno]) if (text := line.strip()).startswith(_SECTION)), _SECTION
        )
        match following:
            case ast.Expr(value=ast.Constant(value=str(sentence))):
                found.append((section.removeprefix(_SECTION), node.target.id, " ".join(sentence.split())))
            case _:
                raise ValueError(f"{SOURCE.name}: {node.target.id} needs a sentence below it")
    return found


def values(info: FieldInfo) -> str:
    """What may be written: `a` or `b`, a range, or the kind of thing."""
    kind = _without_none(info.annotation)
    limits = {
        name: getattr(bound, name) for bound in info.metadata for name in ("ge", "gt", "le") if hasattr(bound, name)
    }
    if get_origin(kind) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(kind))
    if kind is timedelta:
        least, most = (limits[name].total_seconds() if name in limits else 0 for name in ("ge", "le"))
        return f"seconds, {least:g} to {most:g}" if most else f"seconds, {least:g} or more" if least else "seconds"
    if kind is bool:
        return "`on`, `off`"
    if get_origin(kind) is tuple:
        return "ids, with commas" if int in get_args(kind) else "names, with commas"
    if kind is int:
        return f"{limits['ge']} to {limits['le']}" if "le" in limits else f"{limits.get('ge', 0)} or more"
    return {SecretStr: "secret", Path: "path", WorkerCount: "1 to 256, `auto`, `auto:1..4`"}.get(kind, "text")


def default(info: FieldInfo) -> str:
    """The default as it would be written in the environment."""
    written = as_written(info.default)
    return f"`{written}`" if written else ""


def table() -> str:
    """One table a section."""
    out: list[str] = []
    last = None
    for section, field, sentence in described(SOURCE.read_text(encoding="utf-8")):
        if section != last:
            out += [
                "",
                f"## {section[:1].upper()}{section[1:]}",
                "",
                "| variable | values | default | what |",
                "|---|---|---|---|",
            ]
            last = section
        info = Settings.model_fields[field]
        cells = (f"`{env_name(field)}`", values(info), default(info), sentence)
        out.append(f"| {' | '.join(cell.replace('|', '\\|') for cell in cells)} |")
    return "\n".join([*out, ""])


def renewed(page: str) -> str:
    """The page with the table as it should be.

    Raises:
        ValueError: the page has lost the marks between which it stands.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{TARGET.name}: the marks around the table are missing")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    while isinstance(annotation, TypeAliasType) or get_origin(annotation) is Annotated:
        annotation = annotation.__value__ if isinstance(annotation, TypeAliasType) else get_args(annotation)[0]
    return annotation


def main(argument: str) -> int:
    """Write the page, or say whether it is up to date; the exit status."""
    page = TARGET.read_text(encoding="utf-8")
    wanted = renewed(page)
    if argument == "--write":
        TARGET.write_text(wanted, encoding="utf-8")
    elif page != wanted:
        print("docs/settings.md is not what tasks/config/settings.py says: run `make docs`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["--write"], ["--check"]):
        sys.exit("usage: tools/settings_table.py --write | --check")
    sys.exit(main(sys.argv[1]))
