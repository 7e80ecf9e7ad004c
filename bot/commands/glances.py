"""How commands see the sessions of workers."""

from typing import Protocol

from tasks.session import SessionKey
from tasks.store.glance import Glance


class Glances(Protocol):
    """The state of sessions, read from outside."""

    async def glance(self, session: SessionKey) -> Glance:
        """One session."""
        ...
