"""Groups that became supergroups, each with the group that it was: a turn that runs there is stopped from here."""

from bot.commands.glances import Glances
from tasks.bounded_dict import BoundedDict
from tasks.envelope import Inbound
from tasks.session import SessionKey

_REMEMBERED = 10_000


class FormerGroups:
    """What this process has heard. A turn outlives the move of its group, and no one writes to the group any more."""

    def __init__(self, sessions: Glances) -> None:
        """``sessions``: says which are at work."""
        self._sessions = sessions
        self._was = BoundedDict[SessionKey, SessionKey](_REMEMBERED)

    def note(self, old: SessionKey, new: SessionKey) -> None:
        """A group became a supergroup."""
        self._was[new] = old

    async def meant(self, inbound: Inbound) -> Inbound:
        """The message; a /stop in a supergroup is for the session of its group while that one is still at work.

        Raises:
            StoreUnavailable: Redis is away.
        """
        old = self._was.get(inbound.key) if inbound.kind == "stop" else None
        if old is None or (await self._sessions.glance(old)).running_on is None:
            return inbound
        # Its message is no part of the old chat.
        return inbound.model_copy(update={"session": str(old), "message_id": None})
