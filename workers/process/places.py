"""The workers that all sessions share send away the sessions whose turns need a process of their own."""

from collections.abc import Callable

from tasks.clock import Clock
from tasks.session import SessionKey
from tasks.store.processes.own import CONTROL, DOORBELL, PREFIX, OwnStore, Standing
from workers.placing import Trouble

_PATIENCE_S = 3.0
"""For so long a session waits for a place before its chat is told that all are in use."""
_MAKING_ROOM_S = 6.0
"""And for so long where some rest: these leave, but many that wait may want their places."""


class SharedPlace:
    """``Places`` of such a worker."""

    def __init__(self, own: OwnStore, isolated: Callable[[SessionKey, str | None], bool], clock: Clock) -> None:
        """``isolated``: whether a session, with the agent that it has chosen, needs a process of its own."""
        self._own = own
        self._isolated = isolated
        self._clock = clock
        self._seen: dict[SessionKey, Standing] = {}

    def elsewhere(self, session: SessionKey, agent: str | None) -> bool:
        return self._isolated(session, agent)

    async def trouble(self, session: SessionKey) -> Trouble | None:
        seen = self._seen[session] = await self._own.look(session)
        if seen.has_process:
            return None
        if not seen.hosts:
            return "none"
        waited = self._clock.now() - seen.wanted_since if seen.wanted_since is not None else 0.0
        patience = _PATIENCE_S if seen.full else _MAKING_ROOM_S
        return "full" if seen.taken and waited > patience else None

    async def call(self, session: SessionKey) -> None:
        seen = self._seen.pop(session, None)
        if seen is None:
            return
        if seen.has_process:
            await self._own.tell(session, DOORBELL)
        elif seen.hosts:
            await self._own.ask(session)

    async def pass_on(self, session: SessionKey, owner: str | None, *, control: bool = False) -> None:
        if owner is not None and owner.startswith(PREFIX):
            await self._own.tell(session, CONTROL if control else DOORBELL)
