"""Builds the wheel and the source archive: `make dist` (needs uv)."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"


def main(uv: str, python: str, tag: str = "") -> None:
    """Build into dist/, with the locked build tools; ``tag``, when given, must be the version's."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    if tag and tag != f"v{version}":
        sys.exit(f"the tag is {tag}, the version in pyproject.toml {version}")
    shutil.rmtree(DIST, ignore_errors=True)
    build = (
        "build",
        "--quiet",
        "--python",
        python,
        "--build-constraints",
        "requirements-build.txt",
        "--out-dir",
        "dist",
    )
    subprocess.run([uv, *build], cwd=ROOT, check=True)
    for file in sorted(DIST.glob(f"cohort-{version}*")):
        print(f"dist/{file.name}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
