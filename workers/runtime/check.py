"""Patches and cards, looked at by one process: ``python -m workers.runtime.check``, run by ``cohort doctor``.

Each look loads fast-agent, which takes seconds. The answer is one line of JSON::

    {"patches": {"problems": ["..."], "notes": ["..."]}, "cards": {"problems": [], "notes": []}}
"""

import io
import json
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout

from workers.runtime.cards import checks as cards
from workers.runtime.patches import check


def main() -> int:
    """Look, and say what was found; always 0."""
    # The patches first: what a card's tools replace is not what is installed.
    found = {"patches": looked(check.main), "cards": looked(cards.main)}
    print(json.dumps(found))  # noqa: T201 - this is a command
    return 0


def looked(look: Callable[[], int]) -> dict[str, list[str]]:
    """What a look printed, by whether it found a problem. One that fails hides no other."""
    said, problems = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(problems):
        try:
            status = look()
        except Exception:  # noqa: BLE001 - the last line of it is what the operator reads
            status = 1
            problems.write(traceback.format_exc(0))
    if status == 0:
        return {"problems": [], "notes": said.getvalue().splitlines()}
    lines = [line for line in (problems.getvalue() or said.getvalue()).splitlines() if line.strip()]
    return {"problems": lines or [f"the check ended with status {status}"], "notes": []}


if __name__ == "__main__":
    sys.exit(main())
