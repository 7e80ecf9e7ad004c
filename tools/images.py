"""Base images by digest: `python tools/images.py` shows what their tags mean today, `--write` pins that.

A tag moves, a digest does not: an image is built from the same bytes wherever it is built, until a commit changes the
pin. The digest is that of the index, so that each platform finds its own image. Needs docker with buildx.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = ("Dockerfile", "docker-compose.yml")
PINNED = re.compile(r"(?P<name>[a-z0-9./-]+:[\w.-]+)@(?P<digest>sha256:[0-9a-f]{64})")


def digest_of(name: str) -> str:
    """What a tag means now, by the registry.

    Raises:
        CalledProcessError: docker cannot tell.
    """
    command = ("docker", "buildx", "imagetools", "inspect", name, "--format", "{{.Manifest.Digest}}")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def renewed(text: str, ask: Callable[[str], str] = digest_of) -> str:
    """A file's text with every pinned image at what its tag means now."""

    def newest(found: re.Match[str]) -> str:
        pinned = f"{found['name']}@{ask(found['name'])}"
        if not PINNED.fullmatch(pinned):
            raise ValueError(f"no digest: {pinned}")
        return pinned

    return PINNED.sub(newest, text)


def main(arguments: list[str]) -> int:
    """1 when a pin is old and was not written."""
    old = 0
    for file in FILES:
        path = ROOT / file
        text = path.read_text(encoding="utf-8")
        fresh = renewed(text)
        if fresh == text:
            continue
        old = 1
        print(f"{file}: {', '.join(found[0] for found in PINNED.finditer(fresh))}")
        if "--write" in arguments:
            path.write_text(fresh, encoding="utf-8")
            old = 0
    return old


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
