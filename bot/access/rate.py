"""How many messages one person may send in a minute (``COHORT_RATE``); this process counts for itself."""

from bot.recent import Once
from tasks.bounded_dict import BoundedDict
from tasks.envelope import Inbound

_MINUTE_S = 60
_REMEMBERED = 10_000
_TEN_MINUTES_S = 600
_OF_A_MACHINE = 30
"""Messages of a channel or a business customer within ten minutes. More may be another program that answers ours: two
that answer each other never end, and Telegram does not say there that a program wrote.
"""
_FREE = ("stop", "answer", "choose")
"""A running turn can always be stopped, a question always be answered."""


class PersonalRate:
    """Counts messages by the minute in which they were sent, so that those of an outage are not refused together."""

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._used = BoundedDict[tuple[int, int], int](_REMEMBERED)
        self._loops = BoundedDict[tuple[str, int], int](_REMEMBERED)
        self._albums = BoundedDict[tuple[str, str], None](_REMEMBERED)
        self._told = BoundedDict[int, int](_REMEMBERED)
        self._once = Once()

    def takes(self, inbound: Inbound, sent: float) -> bool:
        """Count a message; False when its person has sent too many in that minute. An album counts once.

        So does an update that comes again, because Redis was away when it came first.
        """
        return self._once.of(inbound.update_id, lambda: self._takes(inbound, sent))

    def _takes(self, inbound: Inbound, sent: float) -> bool:
        person = inbound.person
        if (inbound.key.business is not None or inbound.chat_type == "channel") and self._loop(inbound.session, sent):
            return False
        if not self._a_minute or person is None or inbound.kind in _FREE:
            return True
        album = (inbound.session, inbound.album) if inbound.album is not None else None
        if album is not None and album in self._albums:
            return True
        minute = (person, int(sent) // _MINUTE_S)
        used = self._used.get(minute, 0)
        self._used[minute] = used + 1
        if used >= self._a_minute:
            return False
        if album is not None:
            self._albums[album] = None
        return True

    def _loop(self, session: str, sent: float) -> bool:
        """Whether so many messages have come that another program may be what writes them."""
        span = (session, int(sent) // _TEN_MINUTES_S)
        self._loops[span] = used = self._loops.get(span, 0) + 1
        return used > _OF_A_MACHINE

    def tells(self, person: int, sent: float) -> bool:
        """Whether the person is told now: once, until a minute comes in which nothing of theirs is refused."""
        minute = int(sent) // _MINUTE_S
        told = self._told.get(person)
        self._told[person] = minute
        return told is None or minute - told > 1
