"""Writes the hash-locked requirements from pyproject.toml: `make lock` (needs uv; uv.lock itself is not kept)."""

import hashlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD_TOOLS = "editables\n"  # hatchling asks for it when the project is installed editable
HEADER = "# Written by `make lock` from pyproject.toml ({inputs}); do not edit.\n"
FILES = tuple(f"requirements{part}.txt" for part in ("", "-dev", "-browser", "-demo", "-voice", "-build"))


def inputs() -> str:
    """A fingerprint of everything in pyproject.toml that decides what is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    parts = (
        project["build-system"]["requires"],
        project["project"]["requires-python"],
        project["project"]["dependencies"],
        project["project"]["optional-dependencies"],
        project["dependency-groups"],
        project["tool"]["uv"],
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def stale() -> list[str]:
    """The lock files that were not written from this pyproject.toml."""
    header = HEADER.format(inputs=inputs())
    return [name for name in FILES if not (ROOT / name).is_file() or not (ROOT / name).read_text().startswith(header)]


def _entries(text: str) -> list[str]:
    """Requirements with their hashes, one text each."""
    return re.findall(r"^[A-Za-z0-9][^\n]*(?:\n[ \t]+[^\n]*)*\n?", text, flags=re.MULTILINE)


def _uv(uv: str, *arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run([uv, *arguments], cwd=ROOT, input=stdin, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def main(uv: str, python: str) -> None:
    """Resolve, export, and write the files."""
    _uv(uv, "lock", "--quiet", "--python", python)
    plain = ("--quiet", "--no-emit-project", "--no-annotate", "--no-header")
    export = ("export", "--frozen", "--python", python, "--format", "requirements-txt", *plain)
    runtime = _entries(_uv(uv, *export, "--no-default-groups"))
    developer = _entries(_uv(uv, *export, "--group", "dev"))
    browser = [e for e in _entries(_uv(uv, *export, "--only-group", "browser")) if e not in developer]
    demo = [e for e in _entries(_uv(uv, *export, "--no-default-groups", "--extra", "demo")) if e not in runtime]
    voice = [e for e in _entries(_uv(uv, *export, "--no-default-groups", "--extra", "voice")) if e not in runtime]
    requires = "\n".join(tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"])
    compiled = ("pip", "compile", "--quiet", "--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url")
    build = _entries(_uv(uv, *compiled, "--python", python, "--universal", "-", stdin=f"{requires}\n{BUILD_TOOLS}"))
    for name, entries in zip(FILES, (runtime, developer, browser, demo, voice, build), strict=True):
        (ROOT / name).write_text(HEADER.format(inputs=inputs()) + "\n".join(e.rstrip("\n") for e in entries) + "\n")
        print(f"{name}: {len(entries)} packages")


if __name__ == "__main__":
    main(*sys.argv[1:])
