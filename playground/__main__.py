"""``python -m playground``: serve until SIGINT or SIGTERM, and print the address."""

import asyncio
import os
import signal
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from contextlib import suppress
from importlib import import_module
from secrets import token_urlsafe

from playground import BOT
from playground.errors import CannotServe
from playground.options import Options
from playground.server import LOOPBACK, serving
from playground.state.timing import SystemTime
from playground.state.world import State

_BEGAN = 1_767_225_600
"""2026, in seconds since the epoch: with 1,000 ids a second from then on they stay in Telegram's ranges for decades."""
_IDS_A_SECOND = 1000
_ABOUT = """\
A Telegram of your own on 127.0.0.1: its page, its control API, and a Bot API. It runs until Ctrl-C and prints its
address. The environment says what is not to be chosen by itself:

  COHORT_PLAYGROUND_PORT  8081; 0 takes a free one
  COHORT_PLAYGROUND_KEY   opens the page and the control API; 16 to 256 characters
  TELEGRAM_BOT_TOKEN      the token of the playground's bot
"""


def state_of(options: Options, now: float) -> State:
    """An empty playground. It gives no id that an earlier one gave: the bot remembers what was said there.

    Args:
        options: What the starter chose.
        now: The start, in seconds since the epoch.
    """
    past = max(int(now) - _BEGAN, 0) * _IDS_A_SECOND
    return State(token=options.token or f"{BOT}:{token_urlsafe(24)}", key=options.key, past=past)


async def run(options: Options) -> None:
    """Serve until SIGINT or SIGTERM (a second one ends at once); print the URL.

    What the starter did not choose is printed too: the key, as part of the URL, and the bot's token.

    Raises:
        CannotServe: the port is taken.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    state = state_of(options, SystemTime().now())
    async with serving(state, LOOPBACK, options.port) as url:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop.set)
        if options.token is None:
            print(f"playground token {state.bot.token}", flush=True)  # noqa: T201 - for the bot that will use it
        page = url if options.key else f"{url}/?key={state.key}"
        print(f"playground {page}", flush=True)  # noqa: T201 - for the person or program that started it
        await stop.wait()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)


def main() -> None:
    ArgumentParser("python -m playground", None, _ABOUT, formatter_class=RawDescriptionHelpFormatter).parse_args()
    # The title takes the place of the arguments alone; the environment behind them stays readable in /proc.
    os.environ.setdefault("SPT_NOENV", "1")
    with suppress(ImportError):
        import_module("setproctitle").setproctitle("cohort playground")
    try:
        asyncio.run(run(Options.read()))
    except CannotServe as problem:
        print(problem, file=sys.stderr)  # noqa: T201 - for the operator
        sys.exit(2)


if __name__ == "__main__":
    main()
