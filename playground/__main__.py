"""``python -m playground``: serve until SIGINT or SIGTERM, and say where."""

import asyncio
import signal
import sys

from playground.server import LOOPBACK, serving
from playground.state import State
from tasks.errors import Misconfigured
from tasks.settings import Settings, load


async def run(settings: Settings, state: State | None = None) -> None:
    """Serve on COHORT_PLAYGROUND_PORT until SIGINT or SIGTERM (a second one ends at once); prints the URL.

    Raises:
        Misconfigured: the port is taken.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    async with serving(state or State(), LOOPBACK, settings.playground_port) as url:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        print(f"playground {url}", flush=True)  # noqa: T201 - whoever starts it reads the URL
        await stop.wait()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def main() -> None:
    try:
        asyncio.run(run(load()))
    except Misconfigured as problem:
        print(problem, file=sys.stderr)  # noqa: T201 - for the operator
        sys.exit(2)


if __name__ == "__main__":
    main()
