"""``python -m bot``: the bot process. 0: ended as asked. 2: a setting is wrong."""

import asyncio
import logging
import os
import signal
import sys

from bot.process.stop import Stop
from tasks.config.settings import Settings, load
from tasks.errors import Misconfigured
from tasks.process import title
from tasks.process.ending import ending_signals
from tasks.process.open_files import raise_limit, too_few
from tasks.process.stack_room import with_room
from tasks.telemetry.logs import configure_logging, traced

log = logging.getLogger("cohort.bot")


def main() -> int:
    """Run until the first SIGTERM or SIGINT; the second ends the process at once."""
    title.show("bot")
    try:
        settings = load()
        if settings.bot:
            title.show(f"bot {settings.bot}")
        configure_logging(settings)
        if problem := too_few(raise_limit()):
            log.warning("files.few", extra={"problem": problem})
        # The token is needed for everything; say so before libraries are loaded.
        _ = settings.token, settings.redis
        with traced(settings, "bot"):
            return with_room(asyncio.run)(_main(settings))
    except Misconfigured as problem:
        return _told(problem)


async def _main(settings: Settings) -> int:
    from bot.wiring import run  # noqa: PLC0415 - a wrong setting is told at once, not after loading the libraries

    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in ending_signals():
        loop.add_signal_handler(number, _signalled, stop, number)
    status = 0
    try:
        await run(settings, stop)
    except* Misconfigured as group:
        status = _told(*_leaves(group))
    return status


def _signalled(stop: Stop, number: signal.Signals) -> None:
    if stop.is_set and number is signal.SIGHUP:
        return  # a terminal that closes may send it twice, and means no haste
    if stop.is_set:
        log.warning("bot.ended_at_once", extra={"signal": number.name})
        logging.shutdown()
        os._exit(128 + number)
    log.info("bot.ending", extra={"signal": number.name})
    stop.set()


def _leaves(group: BaseExceptionGroup[Misconfigured]) -> list[Misconfigured]:
    """The errors themselves; task groups wrap them in layers."""
    found: list[Misconfigured] = []
    for problem in group.exceptions:
        found += _leaves(problem) if isinstance(problem, BaseExceptionGroup) else [problem]
    return found


def _told(*problems: Misconfigured) -> int:
    name = os.environ.get("COHORT_BOT", "")
    own = f"bots.{name}.token"
    for problem in problems:
        for line in str(problem).splitlines():
            said = line.replace("TELEGRAM_BOT_TOKEN", own) if name else line
            print(f"cohort bot: {said}", file=sys.stderr)  # noqa: T201 - the operator's clear line
    return 2


if __name__ == "__main__":
    sys.exit(main())
