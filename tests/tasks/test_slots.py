from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.session import SessionKey
from tasks.slots import assign, queue_of, slot_of

members = st.lists(st.sampled_from([f"w-{n}" for n in range(12)]), unique=True, max_size=9)
histories = st.lists(members, min_size=1, max_size=30)


def test_a_session_has_the_slot_it_always_had() -> None:
    # Measured once; another hash would send every chat's history to strangers' queues.
    assert [slot_of(SessionKey(1, chat), 64) for chat in range(4)] == [32, 54, 12, 26]
    assert queue_of(7) == "chats.07"


@given(histories, st.integers(1, 200))
@pytest.mark.promise("slots-balanced")
def test_slots_are_balanced_within_one_whatever_the_membership_was(history: list[list[str]], slots: int) -> None:
    assignment: dict[int, str] = {}
    for alive in history:
        assignment = assign(slots, alive, assignment)
        if alive:
            shares = Counter(assignment.values())
            assert set(assignment) == set(range(slots))
            assert set(shares) <= set(alive)
            assert max(shares[one] for one in alive) - min(shares[one] for one in alive) <= 1
        else:
            assert assignment == {}


@given(histories, st.integers(1, 200))
@pytest.mark.promise("slots-fewest-moves")
def test_only_slots_move_that_must(history: list[list[str]], slots: int) -> None:
    before: dict[int, str] = {}
    for alive in history:
        after = assign(slots, alive, before)
        if alive:
            moved = sum(1 for slot, owner in before.items() if after[slot] != owner)
            assert moved == _fewest_moves(slots, alive, before)
        before = after


def _fewest_moves(slots: int, alive: list[str], before: dict[int, str]) -> int:
    """By hand: everybody keeps as much as a balanced share lets it, larger shares going to who holds more."""
    held = sorted((sum(1 for owner in before.values() if owner == one) for one in alive), reverse=True)
    floor, larger = divmod(slots, len(alive))
    kept = sum(min(holds, floor + (1 if place < larger else 0)) for place, holds in enumerate(held))
    return len(before) - kept


@given(members, st.randoms())
def test_the_order_in_which_members_are_seen_does_not_matter(alive: list[str], random: object) -> None:
    shuffled = sorted(alive, key=lambda _: random.random())
    assert assign(64, alive, {}) == assign(64, shuffled, {})
