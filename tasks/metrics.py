"""Prometheus metrics: what each process counts, and where it serves them."""

import logging
from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram, start_http_server

log = logging.getLogger("cohort.metrics")

UPDATES = Counter("cohort_updates_total", "Updates taken in, by verdict (accepted, seen, full).", ["verdict"])
TURNS = Counter("cohort_turns_total", "Turns ended, by outcome (answered, refused, set_aside).", ["outcome"])
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
DEAD = Counter("cohort_dead_total", "Messages given up on.")
AWAKE = Gauge("cohort_sessions_awake", "Sessions with a turn loop in this worker.")
AT_WORK = Gauge("cohort_turns_running", "Turns running in this worker.")
SLOTS = Gauge("cohort_slots_served", "Slots this worker serves.")

_PORTS = 64
"""Processes of one machine that find a port of their own, counted from COHORT_METRICS_PORT."""


def watch(gauge: Gauge, value: Callable[[], float]) -> None:
    """Have ``gauge`` ask when it is read."""
    gauge.set_function(value)


def serve(first_port: int, address: str = "127.0.0.1") -> int | None:
    """Serve ``/metrics`` on the first free port from ``first_port`` on; 0 serves none.

    Returns:
        The port, or None: none was wanted or none was free (logged; a process works without).
    """
    if not first_port:
        return None
    for port in range(first_port, first_port + _PORTS):
        try:
            start_http_server(port, address)
        except OSError:
            continue
        log.info("metrics.served", extra={"port": port})
        return port
    log.warning("metrics.no_port", extra={"first": first_port})
    return None
