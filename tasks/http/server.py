"""What the HTTP servers of bot and console share: a listening socket, and a uvicorn that leaves signals alone."""

import contextlib
import errno
import socket
from collections.abc import Generator

import uvicorn

from tasks.errors import Misconfigured
from tasks.http.port_holder import holder_of


class SignallessServer(uvicorn.Server):
    """Leaves signals to the owner of the loop, who sets ``should_exit``."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket.

    Args:
        host: A name or address; an IPv6 address with or without brackets.
        port: 0 for a free one.
        setting: Names the two settings, as in ``COHORT_WEBHOOK`` (``_HOST``, ``_PORT``).

    Raises:
        Misconfigured: the port is taken, or the address does not belong to this machine.
    """
    host = host.strip("[]")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as problem:
        reason = f"cannot listen on {host}, port {port} ({problem.strerror})"
        if problem.errno == errno.EADDRINUSE:
            reason = f"port {port} on {host} is taken{holder_of(port)}"
        name = "PORT" if problem.errno in (errno.EADDRINUSE, errno.EACCES) else "HOST"
        raise Misconfigured(f"{setting}_{name}: {reason}; choose another one") from None
