"""Prometheus metrics: what each process counts, and where it serves them."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import Counter, Gauge, Histogram, make_wsgi_app

from tasks.loopback import foreign

log = logging.getLogger("cohort.metrics")

UPDATES = Counter("cohort_updates_total", "Updates taken in, by verdict (accepted, seen, full).", ["verdict"])
TURNS = Counter("cohort_turns_total", "Turns ended, by outcome (answered, refused, set_aside, parked).", ["outcome"])
TURN_SECONDS = Histogram(
    "cohort_turn_seconds",
    "From a turn's begin to its commit.",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600),
)
WAIT_SECONDS = Histogram(
    "cohort_wait_seconds",
    "From a message's acceptance to the begin of its turn.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300),
)
TOKENS = Counter("cohort_tokens_total", "Tokens used, by model and direction (input, output).", ["model", "direction"])
STEPS = Counter(
    "cohort_steps_total",
    "Steps of turns, by kind (model, tool) and how they came about (live, replayed, in_doubt).",
    ["kind", "how"],
)
DIVERGED = Counter("cohort_steps_diverged_total", "Kept steps that fitted nothing when their turn ran again.")
DEAD = Counter("cohort_dead_total", "Messages given up on.")
BROKEN_DOORBELLS = Counter("cohort_doorbells_broken_total", "Messages in the queues that could not be read, dropped.")
SENDS = Counter("cohort_sends_total", "Calls to Telegram in a chat, by class (final, queued, frame, ...).", ["kind"])
FLOODS = Counter("cohort_telegram_floods_total", "Calls that Telegram refused with 429.")
AWAKE = Gauge("cohort_sessions_awake", "Sessions with a turn loop in this worker.")
AT_WORK = Gauge("cohort_turns_running", "Turns running in this worker.")
PARKED = Gauge("cohort_turns_parked", "Turns of this worker's slots that wait for a person.")
SERVERS_DOWN = Gauge("cohort_mcp_servers_down", "Shared MCP servers that this worker cannot reach.")
SLOTS = Gauge("cohort_slots_served", "Slots this worker serves.")

_PORTS = 64
"""Processes of one machine that find a port of their own, counted from COHORT_METRICS_PORT."""


def watch(gauge: Gauge, value: Callable[[], float]) -> None:
    """Have ``gauge`` ask when it is read."""
    gauge.set_function(value)


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each request: a reader that stands still delays no other."""

    daemon_threads = True


class _Handler(WSGIRequestHandler):
    """Quiet, and not for long."""

    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing: readers come every few seconds."""
        del format, args


def _guarded(port: int) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """The metrics, but for pages of other sites."""
    app: Any = make_wsgi_app()

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        problem = foreign(_headers(environ), port)
        if problem is None:
            return app(environ, start)
        start("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
        return [problem.encode()]

    return answer


def _headers(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name.removeprefix("HTTP_").replace("_", "-"), str(value)


def serve(first_port: int, address: str = "127.0.0.1") -> int | None:
    """Serve ``/metrics`` on the first free port from ``first_port`` on; 0 serves none.

    Returns:
        The port, or None: none was wanted or none was free (logged; a process works without).
    """
    if not first_port:
        return None
    for port in range(first_port, first_port + _PORTS):
        try:
            server = make_server(address, port, _guarded(port), _Server, _Handler)
        except OSError:
            continue
        threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        log.info("metrics.served", extra={"port": port})
        return port
    log.warning("metrics.no_port", extra={"first": first_port})
    return None
