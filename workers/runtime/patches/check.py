"""Whether the patches fit what is installed: ``python -m workers.runtime.patches.check``."""

import sys
from importlib.metadata import version

from workers.runtime.patches.patch import LIBRARY, mismatches, patches


def main() -> int:
    """Say it, a line for each that does not fit; 0 when a worker would start."""
    wrong = list(mismatches())
    refusing = 0
    for patch, seen in wrong:
        line = f"{patch.target} is `{seen}`, not `{'` or `'.join(patch.shapes)}`"
        if patch.kind == "needed":
            refusing = 1
            print(f"{line}: no worker starts", file=sys.stderr)  # noqa: T201 - this is a command
        else:
            print(f"{line}: it is left as it is, and turns are slower")  # noqa: T201 - this is a command
    if not wrong:
        speed = sum(patch.kind == "speed" for patch in patches())
        print(f"{len(patches())} places ({speed} of them for speed) fit {LIBRARY} {version(LIBRARY)}")  # noqa: T201 - this is a command
    return refusing


if __name__ == "__main__":
    sys.exit(main())
