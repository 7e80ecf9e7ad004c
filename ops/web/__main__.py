"""``python -P -m ops.web``: the Cohort console until SIGTERM or SIGINT."""

import asyncio
import contextlib
import logging
import os
import sys

import uvicorn
from starlette.types import ASGIApp

from ops.web import connections
from ops.web.app import create_app
from ops.web.patience import PatientReader
from tasks.clock import SystemClock
from tasks.config.settings import Settings, load
from tasks.errors import Misconfigured
from tasks.http.server import SignallessServer, listen
from tasks.process import title
from tasks.process.ending import ending_signals
from tasks.telemetry.logs import configure_logging

log = logging.getLogger("cohort.console")

LINKS = "CONSOLE_LINKS"
"""Set by `cohort up` for the console alone: other pages, as ``label=address`` and blanks between them."""
_CONNECTIONS = 200


def config_of(app: ASGIApp) -> uvicorn.Config:
    """How uvicorn serves the console."""
    return uvicorn.Config(
        app,
        http=connections.protocol(),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
    )


async def serve(settings: Settings) -> None:
    """Serve until the process is told to end.

    Raises:
        Misconfigured: a setting is wrong.
    """
    _ = settings.redis
    clock = SystemClock()
    links = dict(link.split("=", 1) for link in os.environ.get(LINKS, "").split() if "=" in link)
    with contextlib.closing(listen(settings.console_host, settings.console_port, "COHORT_CONSOLE")) as sock:
        async with PatientReader(settings, clock) as reader:
            server = SignallessServer(config_of(create_app(settings, reader, clock, links)))
            loop = asyncio.get_running_loop()
            for number in ending_signals():
                loop.add_signal_handler(number, _leave, server)
            log.info("console.serving", extra={"port": sock.getsockname()[1]})
            await server.serve([sock])


def _leave(server: uvicorn.Server) -> None:
    server.should_exit = True


def main() -> None:
    """Run it; a mistake of the operator is one line."""
    title.show("console")
    try:
        settings = load()
        configure_logging(settings)
        asyncio.run(serve(settings))
    except Misconfigured as problem:
        for line in str(problem).splitlines():
            print(f"cohort console: {line}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
