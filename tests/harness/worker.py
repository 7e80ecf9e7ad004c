"""``python -m tests.harness.worker``: a worker that ends itself (SIGKILL) when it passes a step for the n-th time.

``CHAOS_STEP`` is ``name:n``, for example ``committed:40``; without it nothing happens. Only test builds have this.
"""

import os
import signal
import sys
from collections.abc import Callable

STEPS = ("claimed", "begun", "called", "ran", "committed", "delivered")
"""``begun``: a tool call is marked as begun and has not begun; ``called``: it ended, and its end is not kept yet."""


def failpoint(order: str) -> Callable[[str], None]:
    """A ``steps`` callback for ``workers.process.app.run``."""
    name, _, count = order.partition(":")
    left = int(count or 0)

    def passed(step: str) -> None:
        nonlocal left
        if step != name:
            return
        left -= 1
        if left == 0:
            os.write(2, f"chaos.step {name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    return passed


def step_by_step(passed: Callable[[str], None]) -> None:
    """The steps of a turn pass the failpoint, too."""
    from workers.runtime.durable.journal import StepJournal

    begin, ended = StepJournal.begin, StepJournal.ended

    async def begun(self, *args, **named):
        await begin(self, *args, **named)
        passed("begun")

    async def called(self, *args, **named):
        passed("called")
        await ended(self, *args, **named)

    StepJournal.begin, StepJournal.ended = begun, called


def main() -> int:
    from tasks.config.settings import load
    from tasks.errors import StoreUnavailable
    from tasks.telemetry.logs import configure_logging
    from tests.harness.sabotage import sabotage
    from workers.process.app import run

    settings = load()
    configure_logging(settings)
    sabotage(os.environ.get("CHAOS_SABOTAGE", ""))
    passed = failpoint(os.environ.get("CHAOS_STEP", ""))
    step_by_step(passed)
    try:
        run(settings, steps=passed)
    except StoreUnavailable as problem:
        os.write(2, f"worker: {problem}\n".encode())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
