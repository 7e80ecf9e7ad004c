"""``python -m playground``: serve until SIGINT or SIGTERM, and say where."""

import asyncio
import signal
import sys
from secrets import token_urlsafe

from playground import BOT
from playground.server import LOOPBACK, serving
from playground.state.world import State
from tasks.errors import Misconfigured
from tasks.settings import Settings, load


def state_of(settings: Settings) -> State:
    """A playground with the secrets that its starter chose, or with new ones.

    A token is taken when it is one of the playground's bot: a real bot's token must not end up here.
    """
    token = settings.telegram_bot_token.get_secret_value() if settings.telegram_bot_token else ""
    key = settings.playground_key.get_secret_value() if settings.playground_key else None
    return State(token=token if token.startswith(f"{BOT}:") else f"{BOT}:{token_urlsafe(24)}", key=key)


async def run(settings: Settings) -> None:
    """Serve on COHORT_PLAYGROUND_PORT until SIGINT or SIGTERM (a second one ends at once); prints the URL.

    What its starter does not know is printed too: the key, as part of the URL, and the bot's token.

    Raises:
        Misconfigured: the port is taken.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    state = state_of(settings)
    async with serving(state, LOOPBACK, settings.playground_port) as url:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        given = settings.telegram_bot_token
        if given is None or given.get_secret_value() != state.bot.token:
            print(f"playground token {state.bot.token}", flush=True)  # noqa: T201 - for the bot that will use it
        page = url if settings.playground_key else f"{url}/?key={state.key}"
        print(f"playground {page}", flush=True)  # noqa: T201 - for the person or program that started it
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
