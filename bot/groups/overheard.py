"""What people of a group wrote since the agent was last addressed, and where a live location has moved to.

It is context for the next message to the agent.
"""

from collections.abc import Iterable

from pydantic import ValidationError

from bot.recent import Once
from tasks.bounded_dict import BoundedDict
from tasks.chats.roles import Role
from tasks.envelope import Inbound, OverheardMessage
from tasks.session import SessionKey
from tasks.store.chats.overheard import OverheardStore

EACH_CHARACTERS = 500
ALL_CHARACTERS = 4000
"""Characters that are kept of one message, and of all that the next message to the agent takes along."""

_PLACES = 5
"""Live locations of a private chat whose newest places are kept."""
_REMEMBERED = 10_000


class OverheardMessages:
    """The last messages of each session that were not meant for the agent, kept for all processes of the bot.

    In a private chat they are the places where live locations have moved to. Only the process that heard of them lets
    its next message take them along; where webhooks reach several, that is the one that Telegram asks by then.
    """

    def __init__(self, store: OverheardStore, most: int) -> None:
        self._store = store
        self._most = most
        self._once = Once()
        self._places = BoundedDict[str, None](_REMEMBERED)
        """Private chats whose next message may take a place along: others cost no round trip."""

    async def add(self, inbound: Inbound, role: Role | None = None, *, place: bool = False) -> None:
        """Remember a message, once for an update; its edit takes its place.

        Args:
            inbound: The message.
            role: Its author's.
            place: It is where a live location has moved to, which private chats have, too.

        Raises:
            StoreUnavailable: Redis is away.
        """
        private = inbound.key.chat > 0
        most = _PLACES if private and place else self._most
        files = "".join(f"[{file.kind}] " for file in inbound.media)
        text = (files + inbound.text).strip()[:EACH_CHARACTERS]
        if not most or not text or inbound.message_id is None or self._once.known(inbound.update_id):
            return
        said = OverheardMessage(sender=inbound.sender, text=text, guest=role == "guest")
        # The message that a place belongs to may have been taken along, or have gone to the agent.
        heard = inbound.model_copy(update={"edited": False}) if place else inbound
        await self._store.hear(heard, said.model_dump_json(), most=most)
        self._once.of(inbound.update_id, lambda: True)
        if private:
            self._places[inbound.session] = None

    async def moved(self, old: SessionKey, new: SessionKey) -> None:
        """A group became a supergroup: its next message to the agent stands there.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if self._most:
            await self._store.move(old, new, most=self._most)

    async def before(self, inbound: Inbound) -> Inbound:
        """The message with its context, which is not context again. An update that comes again gets the same.

        Raises:
            StoreUnavailable: Redis is away.
        """
        asks = inbound.kind in ("message", "new") and bool(inbound.text or inbound.media)
        private = inbound.key.chat > 0
        if not asks or not (inbound.session in self._places if private else self._most):
            return inbound
        kept = await self._store.bring(inbound)
        if private and not kept:
            self._places.pop(inbound.session, None)
        # A part of an album may be attended to after all.
        context = _last_of(_read(said for number, said in kept if number != inbound.message_id))
        return inbound.model_copy(update={"overheard": context}) if context else inbound


def _read(kept: Iterable[str]) -> list[OverheardMessage]:
    """Those that can be read."""
    found: list[OverheardMessage] = []
    for one in kept:
        try:
            found.append(OverheardMessage.model_validate_json(one))
        except ValidationError:
            continue
    return found


def _last_of(kept: list[OverheardMessage]) -> tuple[OverheardMessage, ...]:
    """As many of the last ones as a message takes along."""
    found: list[OverheardMessage] = []
    left = ALL_CHARACTERS
    for one in reversed(kept):
        left -= len(one.text)
        if left < 0:
            break
        found.append(one)
    return tuple(reversed(found))
