"""A fair queue over chats and senders, which decides who gets the next free lane (pure).

A turn belongs to two parties: its chat (over all topics) and the person who sent its first message (over all chats). A
party holds at most its share of the lanes, so that one lane in four stays free for others however much one party asks
for. The bound is on the lanes that a party holds, because a lane is never taken away from a running turn. The next lane
goes to the waiting turn whose parties hold the fewest lanes; among equals to the one whose parties have gone without a
lane the longest. This is round robin: a party that asks for the first time goes before all that still had a lane when
it came. Turns of the same chat and sender are served in the order in which they asked. Where the turns that wait are
of several bots, a free lane goes to the bot that holds the fewest, whatever its parties hold.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Self

from workers.interfaces import TurnRequest

_ONE_IN = 4
"""One lane in so many is left to other parties, at least one."""

_INLINE = "inline messages"
"""The party of all turns that end in inline messages."""

_REMEMBERED = 256
"""For so many parties without a lane it is remembered when they had one, while no turn waits."""


def inline_share(lanes: int) -> int:
    """How many of so many lanes turns of inline messages may hold, all together: chats come first."""
    return max(1, lanes // _ONE_IN)


def share(lanes: int) -> int:
    """How many of so many lanes one party may hold."""
    return max(1, lanes - max(1, lanes // _ONE_IN))


@dataclass(frozen=True, slots=True)
class TurnParties:
    """Whose turn it is."""

    session: str = ""
    """Used only to find the session's warm lane."""
    parties: tuple[str, ...] = ()
    """The chat and the sender, as keys of the queue."""
    bot: int = 0

    @classmethod
    def of(cls, request: TurnRequest) -> Self:
        """Read the chat and the sender off a turn's first message."""
        key = request.session
        business = f":b{key.business}" if key.business is not None else ""
        sender = next((message.sender for message in request.messages), None)
        person = () if sender is None else (f"sender {sender.id}",)
        inline = (_INLINE,) if key.inline is not None else ()
        return cls(str(key), (f"chat {key.bot}:{key.chat}{business}", *person, *inline), key.bot)


@dataclass(eq=False, slots=True)
class Ticket:
    """A place in a line."""

    who: TurnParties
    since: int
    """The queue's time when the ticket was drawn."""


@dataclass(eq=False, slots=True)
class _Line:
    """The tickets of the same parties, in order."""

    number: int
    tickets: deque[Ticket] = field(default_factory=deque[Ticket])


type _Parties = tuple[int, tuple[str, ...]]


def _of(who: TurnParties) -> _Parties:
    return who.bot, who.parties


class FairQueue:
    """Counts who holds how many lanes, and decides who is next. Its time advances by two at each loan and return."""

    def __init__(self, lanes: int) -> None:
        """Make a queue for at most ``lanes`` lanes."""
        self._share = share(lanes)
        self._inline_share = inline_share(lanes)
        self._time = 0
        self._lines: dict[_Parties, _Line] = {}
        self._order: list[tuple[int, int, _Line]] = []
        """A heap of (since when the line has gone without a lane, its number, the line). The time may be too early; it
        is corrected when the line comes up."""
        self._numbers = 0
        self._held: dict[str, int] = {}
        self._held_by_bot = Counter[int]()
        self._lines_of_bot = Counter[int]()
        self._served: dict[str, int] = {}
        """Party -> when it last had a lane. The number is odd, and so lies between two events."""

    def __len__(self) -> int:
        return sum(len(line.tickets) for line in self._lines.values())

    def may_hold(self, who: TurnParties) -> bool:
        """Whether a further lane is within the shares of these parties."""
        return self._room(who) > 0

    def ready(self, most: int) -> int:
        """Turns that wait and may have a lane, counted up to ``most``: a flood has thousands."""
        found = 0
        for line in self._lines.values():
            found += max(0, min(len(line.tickets), self._room(line.tickets[0].who)))
            if found >= most:
                return most
        return found

    def grant(self, who: TurnParties) -> None:
        """Note that a lane is lent to these parties."""
        for party in who.parties:
            self._held[party] = self._held.get(party, 0) + 1
        self._held_by_bot[who.bot] += 1
        self._note(who)
        if not self._lines and len(self._served) > _REMEMBERED + len(self._held):
            self._served = {party: self._served[party] for party in self._held}

    def give_back(self, who: TurnParties) -> None:
        """Note that a lane came back from these parties."""
        for party in who.parties:
            self._held[party] -= 1
            if not self._held[party]:
                del self._held[party]
        self._held_by_bot[who.bot] -= 1
        if not self._held_by_bot[who.bot]:
            del self._held_by_bot[who.bot]
        self._note(who)

    def _note(self, who: TurnParties) -> None:
        """Note that these parties have a lane, or had one until now."""
        self._time += 2
        self._served.update(dict.fromkeys(who.parties, self._time + 1))

    def join(self, who: TurnParties) -> Ticket:
        """Draw a ticket."""
        ticket = Ticket(who, self._time)
        line = self._lines.get(_of(who))
        if line is None:
            self._numbers += 1
            self._lines_of_bot[who.bot] += 1
            line = self._lines[_of(who)] = _Line(self._numbers)
            heappush(self._order, (self._time, line.number, line))
        line.tickets.append(ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give a ticket up; without effect on a ticket that was called."""
        line = self._lines.get(_of(ticket.who))
        if line is not None and ticket in line.tickets:
            self._remove(line, ticket)

    def call(self) -> Ticket | None:
        """Take the next ticket out of its line, and grant it a lane.

        Returns:
            The ticket; None when no waiting turn may have a lane.
        """
        passed: list[tuple[int, int, _Line]] = []
        best: tuple[int, int, int, int] | None = None
        chosen: Ticket | None = None
        fewest = min((self._held_by_bot[bot] for bot in self._lines_of_bot), default=0)
        for since, line in self._in_order():
            passed.append((since, line.number, line))
            who = line.tickets[0].who
            held, by_bot = self._holds(who), self._held_by_bot[who.bot]
            if self._room(who) > 0 and (best is None or (by_bot, held, since, line.number) < best):
                best, chosen = (by_bot, held, since, line.number), line.tickets[0]
            if not held and by_bot == fewest:
                break
        for place in passed:
            heappush(self._order, place)
        if chosen is not None:
            self._remove(self._lines[_of(chosen.who)], chosen)
            self.grant(chosen.who)
        return chosen

    def _in_order(self) -> Iterator[tuple[int, _Line]]:
        """Take the lines off the heap, first the one that has gone without a lane the longest."""
        while self._order:
            noted, number, line = heappop(self._order)
            if not line.tickets:
                continue
            ticket = line.tickets[0]
            since = max(ticket.since, *(self._served.get(party, 0) for party in ticket.who.parties), 0)
            if since > noted:
                heappush(self._order, (since, number, line))
            else:
                yield since, line

    def _remove(self, line: _Line, ticket: Ticket) -> None:
        line.tickets.remove(ticket)
        if not line.tickets:
            del self._lines[_of(ticket.who)]
            self._lines_of_bot[ticket.who.bot] -= 1
            if not self._lines_of_bot[ticket.who.bot]:
                del self._lines_of_bot[ticket.who.bot]

    def _room(self, who: TurnParties) -> int:
        """How many further lanes these parties may hold."""
        room = self._share - self._holds(who)
        return min(room, self._inline_share - self._held.get(_INLINE, 0)) if _INLINE in who.parties else room

    def _holds(self, who: TurnParties) -> int:
        return max((self._held.get(party, 0) for party in who.parties), default=0)
