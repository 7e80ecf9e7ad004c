"""Laws of the planner: whatever an inbox holds, each entry is ended once, in order, and no text is lost."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.envelope import Inbound, Media
from tests.workers.inboxes import DAMAGED, NOW, TOO_NEW, entry
from workers.sessions.planning import planner
from workers.sessions.planning.batching import ALBUM_PAUSE_S
from workers.sessions.planning.parked import Rules
from workers.sessions.planning.planner import Control, HandOff, Move, Run, SessionPlan, Wait
from workers.sessions.turns.failures import Failures

# -- laws

KINDS = ["message", "message", "message", "stop", "new", "choose", "compact", "retry", "reminder"]


@st.composite
def entries(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(KINDS))
    fields: dict[str, Any] = {"text": draw(st.sampled_from(["", "a", "x" * 9_000])), "kind": kind}
    if kind == "choose":
        fields["choice"] = {draw(st.sampled_from(["model", "agent"])): draw(st.sampled_from(["", "a", "b"]))}
    if kind == "message":
        fields["album"] = draw(st.sampled_from([None, None, "x", "y"]))
        fields["message_id"] = draw(st.integers(1, 6))
        fields["edited"] = draw(st.booleans())
        fields["media"] = draw(st.sampled_from([[], [{"kind": "photo", "file_id": "f"}]]))
        fields["at"] = NOW - draw(st.sampled_from([60, 0.1, -1, -5]))
    # The update id is put in by the place.
    return entry(0, **fields)


@st.composite
def inboxes(draw: st.DrawFn) -> list[bytes]:
    drawn = draw(st.lists(entries() | st.sampled_from([TOO_NEW, DAMAGED]), min_size=1, max_size=12))
    return [raw.replace(b'"update_id": 0', b'"update_id": %d' % place) for place, raw in enumerate(drawn)]


modes = st.sampled_from(["collect", "followup", "interrupt"])


def live(inbox: list[bytes], mode: str, fate: st.DataObject) -> list[SessionPlan]:
    """Every step until the inbox is empty, with turns that sometimes never end."""
    plans: list[SessionPlan] = []
    tries, batch_size, isolate_next, now = 1, 0, 0, NOW
    for _ in range(300):
        plan = planner.decide(inbox, planner.Earlier(tries, batch_size, isolate_next), Rules(mode, now, quiet_s=0.8))
        match plan:
            case Wait(seconds):
                assert 0 < seconds <= max(ALBUM_PAUSE_S, 0.8)
                now += seconds
                continue
            case HandOff():
                return [*plans, plan]
            case Run(handled, messages) if fate.draw(st.integers(0, 3)) == 0:
                batch_size = handled.drop if len(messages) > 1 else batch_size
                tries += 1
                continue
            case _:
                pass
        assert not isinstance(plan, Move)
        plans.append(plan)
        then = [plan.then.to_json().encode()] if isinstance(plan, Control) and plan.then else []
        inbox, tries, batch_size, isolate_next = then + inbox[plan.handled.drop :], 1, 0, plan.handled.isolate_next
        if not inbox:
            return plans
    raise AssertionError("it does not come to an end")


@pytest.mark.promise("in-order")
@given(inbox=inboxes(), mode=modes, fate=st.data())
def test_every_entry_is_ended_by_exactly_one_step_in_order(inbox: list[bytes], mode: str, fate: st.DataObject) -> None:
    plans = live(inbox, mode, fate)
    ended: list[int] = []
    dropped = 0
    for plan in plans:
        if isinstance(plan, HandOff):
            assert inbox[dropped] == TOO_NEW
            break
        assert not isinstance(plan, Wait | Move)
        assert 1 <= plan.handled.drop <= len(inbox) - dropped
        ended += plan.handled.answers
        dropped += plan.handled.drop - (isinstance(plan, Control) and plan.then is not None)
    else:
        assert dropped == len(inbox)
    known = [place for place, raw in enumerate(inbox[:dropped]) if raw not in (TOO_NEW, DAMAGED)]
    assert ended == known


@given(inbox=inboxes(), mode=modes)
def test_a_turn_holds_every_text_and_file_that_it_ends_unless_edited_away(inbox: list[bytes], mode: str) -> None:
    plan = planner.decide(inbox, planner.Earlier(), Rules(mode, NOW))
    if not isinstance(plan, Run):
        return
    taken = [Inbound.from_json(raw) for raw in inbox[: plan.handled.drop]]
    current: dict[tuple[int | None, int], tuple[str, tuple[Media, ...]]] = {}
    for place, message in enumerate(taken):
        edits = [key for key in current if message.edited and message.message_id and key[0] == message.message_id]
        current[edits[0] if edits else (message.message_id, place)] = (message.text, message.media)
    captions = [file.caption for message in plan.messages for file in message.media if file.caption]
    held = "\n".join((*(message.text for message in plan.messages), *captions))
    assert sum(len(text) for text, _ in current.values()) <= len(held)
    assert sum(len(media) for _, media in current.values()) == sum(len(message.media) for message in plan.messages)


@given(
    inbox=inboxes(), mode=modes, tries=st.integers(1, 3), batch_size=st.integers(0, 12), isolate_next=st.integers(0, 12)
)
@example([entry(0, "a"), entry(1, "b")], "collect", 2, 0, 0)
def test_nothing_is_asked_of_the_agent_behind_a_stop(
    inbox: list[bytes], mode: str, tries: int, batch_size: int, isolate_next: int
) -> None:
    plan = planner.decide(inbox, planner.Earlier(tries, batch_size, isolate_next), Rules(mode, NOW))
    if not isinstance(plan, Run):
        return
    kinds = []
    for raw in inbox:
        if raw in (TOO_NEW, DAMAGED):
            break
        kinds.append(Inbound.from_json(raw).kind)
    assert not {"stop", "new"} & set(kinds)
    assert set(kinds[: plan.handled.drop]) <= {"message", "reminder"}
    alone = mode == "followup" or tries > 1 or isolate_next
    assert len(plan.messages) == 1 or not alone


# -- pauses between tries


def test_the_pauses_grow_and_then_it_is_given_up() -> None:
    failures, pauses = Failures(), []
    while not (failures := failures.next()).exhausted:
        pauses.append(failures.pause_s(0, 0.5))
    assert pauses == [1, 3, 9, 27]
    assert failures.count == Failures.LIMIT


@given(count=st.integers(1, 5), at_least=st.floats(0, 600), jitter=st.floats(0, 1))
def test_a_pause_is_never_shorter_than_the_provider_asked_for(count: int, at_least: float, jitter: float) -> None:
    pause = Failures(count).pause_s(at_least, jitter)
    assert at_least <= pause <= max(1.5 * at_least, 1.25 * 3 ** (count - 1))
