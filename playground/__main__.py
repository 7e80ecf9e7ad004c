"""``python -m playground``: serve until Ctrl-C and say where."""

import asyncio
import contextlib
import sys

from playground.server import LOOPBACK, serving
from playground.state import State
from tasks.errors import Misconfigured
from tasks.settings import Settings, load


async def run(settings: Settings, state: State | None = None) -> None:
    """Serve on COHORT_PLAYGROUND_PORT until cancelled; prints the URL.

    Raises:
        Misconfigured: the port is taken.
    """
    async with serving(state or State(), LOOPBACK, settings.playground_port) as url:
        print(f"playground {url}", flush=True)  # noqa: T201 - whoever starts it reads the URL
        await asyncio.get_running_loop().create_future()


def main() -> None:
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(run(load()))
    except Misconfigured as problem:
        print(problem, file=sys.stderr)  # noqa: T201 - for the operator
        sys.exit(2)


if __name__ == "__main__":
    main()
