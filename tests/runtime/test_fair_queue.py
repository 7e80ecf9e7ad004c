"""The fair queue alone (pure): shares, round robin, no starvation."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.envelope import Sender
from tasks.session import SessionKey
from tests.runtime.support import ask, inbound
from workers.interfaces import TurnRequest
from workers.runtime.lanes.fair_queue import FairQueue, Ticket, TurnParties, share

PARTIES = [TurnParties(parties=(f"chat {chat}", f"sender {sender}")) for chat in range(4) for sender in range(3)]


class Line:
    """A queue with its lanes, as ``Lanes`` uses it."""

    def __init__(self, lanes: int) -> None:
        self.queue, self.lanes, self.free, self.lent = FairQueue(lanes), lanes, lanes, []
        self.waiting: list[Ticket] = []
        self.called: list[Ticket] = []

    def ask(self, who: TurnParties) -> Ticket:
        ticket = self.queue.join(who)
        self.waiting.append(ticket)
        self.serve()
        return ticket

    def release(self, number: int) -> None:
        self.queue.give_back(self.lent.pop(number % len(self.lent)))
        self.free += 1
        self.serve()

    def serve(self) -> None:
        while self.free and (ticket := self.queue.call()) is not None:
            self.check(ticket)
            self.waiting.remove(ticket)
            self.called.append(ticket)
            self.lent.append(ticket.who)
            self.free -= 1

    def held(self, who: TurnParties) -> int:
        held = Counter(party for lent in self.lent for party in lent.parties)
        return max((held[party] for party in who.parties), default=0)

    @property
    def ready(self) -> int:
        """Turns that wait and may have a lane."""
        waiting = Counter(ticket.who for ticket in self.waiting)
        return sum(min(many, share(self.lanes) - self.held(who)) for who, many in waiting.items())

    def check(self, called: Ticket) -> None:
        """What must hold for each lane that is granted."""
        earlier = self.waiting[: self.waiting.index(called)]
        assert not any(ticket.who == called.who for ticket in earlier), "in order within a chat and a sender"
        assert not self.held(called.who) or all(self.held(ticket.who) for ticket in self.waiting)


@pytest.mark.promise("fair-lanes")
@given(
    st.integers(1, 9),
    st.lists(st.tuples(st.sampled_from(["ask", "release", "leave"]), st.integers(0, 11)), max_size=120),
)
def test_no_party_exceeds_its_share_and_no_lane_is_idle_that_a_share_allows(
    lanes: int, steps: list[tuple[str, int]]
) -> None:
    line = Line(lanes)
    for step, number in steps:
        if step == "ask":
            line.ask(PARTIES[number])
        elif step == "release" and line.lent:
            line.release(number)
        elif step == "leave" and line.waiting:
            line.queue.leave(line.waiting.pop(number % len(line.waiting)))
        assert len(line.queue) == len(line.waiting)
        assert [line.queue.ready(most) for most in (1, 3, 200)] == [min(most, line.ready) for most in (1, 3, 200)]
        assert all(line.held(who) <= share(lanes) for who in PARTIES)
        assert not line.free or all(line.held(ticket.who) == share(lanes) for ticket in line.waiting)
    while line.lent:
        line.release(0)
    assert not line.waiting, "every turn is served in the end"


@pytest.mark.promise("fair-lanes")
@given(st.integers(1, 32), st.integers(0, 100))
def test_a_latecomer_waits_for_one_release_at_most_and_with_one_flood_for_none(lanes: int, topics: int) -> None:
    line = Line(lanes)
    flood, other, third = (TurnParties(parties=(name,)) for name in ("chat 1", "chat 2", "chat 3"))
    for _ in range(topics):
        line.ask(flood)
    first = line.ask(other)
    assert first in line.called or lanes == 1
    for _ in range(topics):
        line.ask(other)
    ticket = line.ask(third)
    while first not in line.called:
        line.release(0)
    if ticket not in line.called:
        line.release(0)
    assert ticket in line.called


@pytest.mark.promise("fair-lanes")
def test_chats_that_wait_are_served_in_turns() -> None:
    line = Line(1)
    line.ask(TurnParties(parties=("running",)))
    for chat, topics in (("a", 4), ("b", 2), ("c", 1)):
        for _ in range(topics):
            line.ask(TurnParties(parties=(chat,)))
    while line.lent:
        line.release(0)
    assert [ticket.who.parties[0] for ticket in line.called[1:]] == ["a", "b", "c", "a", "b", "a", "a"]


@pytest.mark.promise("fair-lanes")
def test_endless_new_chats_do_not_starve_a_chat_that_was_served_before() -> None:
    line = Line(2)
    chat = TurnParties(parties=("chat",))
    line.ask(chat)
    second = line.ask(chat)
    for number in range(20):
        line.ask(TurnParties(parties=(f"latecomer {number}",)))
    before = len(line.called)
    for number in range(20, 60):
        line.ask(TurnParties(parties=(f"latecomer {number}",)))
        line.release(line.lent.index(chat) if chat in line.lent else 0)
        if second in line.called:
            break
    assert len(line.called) - before <= 22, "those that came before it had its turn, and no later ones"
    assert second in line.called


@pytest.mark.promise("many-bots")
@given(st.integers(2, 32), st.integers(1, 60))
def test_a_bot_waits_for_one_release_at_most_however_many_chats_of_another_wait(lanes: int, chats: int) -> None:
    line = Line(lanes)
    for number in range(lanes + chats):
        line.ask(TurnParties(parties=(f"chat {number}",), bot=1))
    late = [line.ask(TurnParties(parties=(f"chat {number}",), bot=2)) for number in range(2)]
    line.release(0)
    assert late[0] in line.called
    line.release(0)
    assert late[1] in line.called or lanes <= 3, "while it holds fewer: of three lanes, each bot holds one now"
    while line.lent:
        line.release(0)
    assert not line.waiting


def test_chats_of_one_bot_are_served_in_turns_while_another_bot_waits() -> None:
    line = Line(1)
    line.ask(TurnParties(parties=("running",), bot=1))
    for chat, topics in (("a", 3), ("b", 1)):
        for _ in range(topics):
            line.ask(TurnParties(parties=(chat,), bot=1))
    for _ in range(2):
        line.ask(TurnParties(parties=("c",), bot=2))
    while line.lent:
        line.release(0)
    assert [ticket.who.parties[0] for ticket in line.called[1:]] == ["a", "b", "c", "a", "c", "a"]


def test_a_turn_belongs_to_its_chat_over_all_topics_and_to_the_sender_of_its_first_message() -> None:
    first = inbound(1, "a", sender=Sender(id=7))
    later = inbound(1, "b", sender=Sender(id=8))
    topics = [TurnParties.of(TurnRequest(SessionKey(42, -5, topic=n), (first, later))) for n in (1, 2)]
    assert topics[0].parties == topics[1].parties == ("chat 42:-5", "sender 7")
    assert topics[0].session != topics[1].session
    business = SessionKey(42, 5, business="abc")
    assert TurnParties.of(TurnRequest(business, (first,))).parties == ("chat 42:5:babc", "sender 7")
    assert TurnParties.of(ask(3, "by a channel")).parties == ("chat 42:3",)


@pytest.mark.parametrize("lanes", [1, 2, 4, 16])
def test_turns_of_inline_messages_hold_one_lane_in_four_together_and_each_is_served(lanes: int) -> None:
    line = Line(lanes)
    asked = [TurnRequest(SessionKey(42, chat, inline=f"m{chat}"), (inbound(chat, "hi"),)) for chat in range(20)]
    tickets = [line.ask(TurnParties.of(request)) for request in asked]
    assert len(line.lent) == max(1, lanes // 4)
    other = line.ask(TurnParties.of(ask(99, "hi")))
    if lanes > 1:
        assert other in line.called, "chats have lanes left"
    while line.lent:
        line.release(0)
    assert set(tickets) <= set(line.called)
