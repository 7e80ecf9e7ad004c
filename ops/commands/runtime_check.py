"""What one process that loads fast-agent says of patches and cards, asked once."""

import asyncio
import json
import subprocess
from typing import Any

from ops.context import Context
from ops.environment import needed
from ops.up.plan import module

CHECK = "workers.runtime.check"


class RuntimeCheck:
    """Runs the check when it is first asked for."""

    def __init__(self, here: Context) -> None:
        self._here = here
        self._told: dict[str, Any] | None = None

    async def of(self, part: str) -> tuple[list[str], list[str]]:
        """Problems and notes of ``patches`` or ``cards``, a line each."""
        if self._told is None:
            self._told = await asyncio.to_thread(self._run)
        found = self._told[part]
        return [str(line) for line in found["problems"]], [str(line) for line in found["notes"]]

    def _run(self) -> dict[str, Any]:
        done = subprocess.run(
            module(CHECK),
            env=needed("worker", self._here.environ),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        # What a card's module prints when it is imported, or a program that it starts, may stand before.
        lines = done.stdout.splitlines()
        try:
            told = json.loads(lines[-1]) if done.returncode == 0 and lines else {}
        except ValueError:
            told = {}
        if isinstance(told, dict) and {"patches", "cards"} <= told.keys():
            return told
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        problems = {"problems": said[-3:] or [f"the check ended with status {done.returncode}"], "notes": []}
        return {"patches": problems, "cards": problems}
