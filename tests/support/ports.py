"""Ports for servers that must know theirs before they start, or that come back on the same one."""

import socket
from contextlib import suppress
from random import SystemRandom

_FIRST, _BEHIND = 10_000, 20_000
"""The kernel gives no port of these by itself (``ip_local_port_range`` begins at 32,768)."""
_TRIES = 1_000
_claims: list[socket.socket] = []
"""They stand until this process ends, so that no other process of any test run is given one of its ports."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that no one listens on, and that is this process's until it ends.

    One that the kernel gave for a moment may be taken before its server starts: by a process that asks for port 0, or
    by an outgoing connection, even one to that very port. A name in Linux's abstract namespace goes with its process.

    Raises:
        OSError: all that were tried are taken.
    """
    for _ in range(_TRIES):
        port = SystemRandom().randrange(_FIRST, _BEHIND)
        claim = socket.socket(socket.AF_UNIX)
        with suppress(OSError):
            claim.bind(f"\0cohort-test-port-{port}")
            with socket.create_server(("127.0.0.1", port)):
                _claims.append(claim)
                return port
        claim.close()
    raise OSError(f"no port of {_FIRST} to {_BEHIND} is free")
