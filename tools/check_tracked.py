"""What no tracked file may hold: addresses of package indexes, and paths of a developer's machine."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Put together here, so that this file is not its own first finding.
_HOSTS = (
    "py" + "pi" + r"\.org",
    "files" + r"\.python" + "hosted",
    "registry" + r"\.npm" + "js",
    "deb" + r"\.deb" + "ian",
)
_FORBIDDEN = (
    ("an index address", re.compile("|".join(_HOSTS))),
    (
        "a path of one machine",
        re.compile(r"(?<![\w.~/-])/(?:work/(?:main|shared)|root|home/(?!app\b)[a-z][\w-]*|Users/[A-Za-z])(?:/|\b)"),
    ),
)
_LARGEST_TEXT = 2 * 1024 * 1024


def findings(path: Path) -> list[str]:
    """One line for each forbidden thing in a file; none in what is not text."""
    data = path.read_bytes()
    if len(data) > _LARGEST_TEXT or b"\0" in data:
        return []
    text = data.decode(errors="replace")
    found: list[str] = []
    for what, pattern in _FORBIDDEN:
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(ROOT)}:{line}: {what}: {match.group()}")
    return found


def main() -> int:
    listed = subprocess.run(("git", "ls-files", "-z"), cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name.decode() for name in listed.split(b"\0") if name]
    found = [line for path in paths if path.is_file() for line in findings(path)]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
