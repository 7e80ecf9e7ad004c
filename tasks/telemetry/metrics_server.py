"""Where a process serves its metrics for Prometheus."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from tasks.http.addresses import is_loopback
from tasks.http.loopback import foreign

log = logging.getLogger("cohort.metrics")

_PORTS = 64
"""Processes of one machine that find a port of their own, counted from COHORT_METRICS_PORT."""


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each request: a reader that stands still delays no other."""

    daemon_threads = True


class _Handler(WSGIRequestHandler):
    """Quiet, and not for long."""

    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing: readers come every few seconds."""
        del format, args


def _guarded(port: int, address: str) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """The metrics, but for pages of other sites."""
    app: Any = make_wsgi_app()

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        headers = list(_headers(environ))
        # On an address of the network, readers call this process by names that it does not know.
        names = () if is_loopback(address) else [value for name, value in headers if name == "HOST"]
        problem = foreign(headers, port, names)
        if problem is None:
            return app(environ, start)
        start("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
        return [problem.encode()]

    return answer


def _headers(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name.removeprefix("HTTP_").replace("_", "-"), str(value)


def serve(first_port: int, address: str) -> int | None:
    """Serve ``/metrics`` on the first free port from ``first_port`` on; 0 serves none.

    Returns:
        The port, or None: none was wanted or none was free (logged; a process works without).
    """
    if not first_port:
        return None
    for port in range(first_port, first_port + _PORTS):
        try:
            server = make_server(address, port, _guarded(port, address), _Server, _Handler)
        except OSError:
            continue
        threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        log.info("metrics.served", extra={"port": port})
        return port
    log.warning("metrics.no_port", extra={"first": first_port, "address": address})
    return None
