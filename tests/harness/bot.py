"""``python -m tests.harness.bot``: a bot that ends itself (SIGKILL) around the n-th batch it accepts.

``CHAOS_STEP`` is ``accepting:n`` (before the call) or ``accepted:n`` (after it, before anything was confirmed).
``CHAOS_ANSWER_S``: for so long it waits for an answer of Redis.
"""

import os
import sys

from tests.harness.worker import failpoint

STEPS = ("accepting", "accepted")


def main() -> int:
    from bot.__main__ import main as run
    from tasks.store.connection import redis
    from tasks.store.intake import IntakeStore
    from tests.harness.sabotage import sabotage

    sabotage(os.environ.get("CHAOS_SABOTAGE", ""))
    redis.ANSWER_S = float(os.environ.get("CHAOS_ANSWER_S", redis.ANSWER_S))
    passed = failpoint(os.environ.get("CHAOS_STEP", ""))
    accept = IntakeStore.accept

    async def stepping(self, bot, batch):
        if batch:
            passed("accepting")
        verdicts = await accept(self, bot, batch)
        if batch:
            passed("accepted")
        return verdicts

    IntakeStore.accept = stepping
    return run()


if __name__ == "__main__":
    sys.exit(main())
