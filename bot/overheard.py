"""What people in a group wrote to one another since the agent was last addressed: context for the next message to it.

It is held in this process alone, bounded, and not stored before a message to the agent takes it along.
"""

from collections import deque
from collections.abc import Iterable

from bot.recent import Once
from tasks.envelope import Inbound, OverheardMessage
from tasks.newest import Newest
from tasks.roles import Role

SESSIONS = 1000
"""Groups and topics that are remembered, those that spoke last."""
EACH_CHARACTERS = 500
ALL_CHARACTERS = 4000
"""Of one message, and of all that one session's next message takes along: a model reads it with each such turn."""

_GIVEN = 200
"""Updates whose context is kept until they are surely stored."""


class OverheardMessages:
    """The last messages of each session that were not meant for the agent."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sessions = Newest[str, deque[tuple[int, OverheardMessage]]](SESSIONS)
        self._given = Newest[int, tuple[OverheardMessage, ...]](_GIVEN)
        self._once = Once()

    def add(self, inbound: Inbound, role: Role | None = None) -> None:
        """Remember a message, once for an update; its edit takes its place. ``role``: its author's."""
        self._once.of(inbound.update_id, lambda: self._add(inbound, guest=role == "guest"))

    def forget(self) -> None:
        """A person is erased: what was said before is context no more."""
        self._sessions.clear()
        self._given.clear()

    def _add(self, inbound: Inbound, *, guest: bool) -> bool:
        text = inbound.text[:EACH_CHARACTERS]
        if not self._most or not text or inbound.message_id is None:
            return False
        kept = self._sessions.get(inbound.session) or deque[tuple[int, OverheardMessage]](maxlen=self._most)
        self._sessions[inbound.session] = kept
        one = (inbound.message_id, OverheardMessage(sender=inbound.sender, text=text, guest=guest))
        places = [place for place, (number, _) in enumerate(kept) if number == inbound.message_id]
        if places:
            kept[places[0]] = one
        elif not inbound.edited:
            kept.append(one)
        return True

    def before(self, inbound: Inbound) -> Inbound:
        """The message with its context, which is not context again. An update that comes again gets the same."""
        if not self._most or inbound.kind not in ("message", "new"):
            return inbound
        context = self._given.get(inbound.update_id)
        if context is None:
            kept = self._sessions.pop(inbound.session, ())
            # A part of an album may be attended to after all.
            context = self._last_of(pair for pair in kept if pair[0] != inbound.message_id)
        if not context or not (inbound.text or inbound.media):
            return inbound
        self._given[inbound.update_id] = context
        return inbound.model_copy(update={"overheard": context})

    def _last_of(self, kept: Iterable[tuple[int, OverheardMessage]]) -> tuple[OverheardMessage, ...]:
        """As many of the last ones as a message takes along."""
        found: list[OverheardMessage] = []
        left = ALL_CHARACTERS
        for _, one in reversed(tuple(kept)):
            left -= len(one.text)
            if left < 0:
                break
            found.append(one)
        return tuple(reversed(found))
