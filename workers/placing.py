"""Where a session's turns may run: in the workers that all sessions share, or in a process of the session's own."""

from typing import Literal, Protocol

from tasks.session import SessionKey

type Trouble = Literal["none", "full"]
"""Why a session's own process does not come: no host starts such processes, or each place of each host is in use."""


class Places(Protocol):
    """What a turn loop asks about places. A plain session costs no round trip."""

    def elsewhere(self, session: SessionKey, agent: str | None) -> bool:
        """Whether this process must not run the session's turns; ``agent``: the session's choice."""
        ...

    async def trouble(self, session: SessionKey) -> Trouble | None:
        """Why the place where they may run is not to be had; None when it is, or will soon be."""
        ...

    async def call(self, session: SessionKey) -> None:
        """Tell the place where they may run that there is work. The session was released before."""
        ...

    async def pass_on(self, session: SessionKey, owner: str | None, *, control: bool = False) -> None:
        """A doorbell, or a ``control`` word, came here for a session that another process owns: tell that one."""
        ...


class OnePlace:
    """All sessions run here."""

    def elsewhere(self, session: SessionKey, agent: str | None) -> bool:
        del session, agent
        return False

    async def trouble(self, session: SessionKey) -> Trouble | None:
        del session

    async def call(self, session: SessionKey) -> None:
        del session

    async def pass_on(self, session: SessionKey, owner: str | None, *, control: bool = False) -> None:
        del session, owner, control
