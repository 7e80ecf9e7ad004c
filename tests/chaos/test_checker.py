"""The checker itself: good histories pass, and each broken guarantee is found, and named."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.phrases import phrase
from tests.chaos.story import Story
from tests.harness import legal
from tests.harness.checker import check
from tests.harness.history import Spoken

ROOT = Path(__file__).parents[2]
ONE, TWO = "1:10", "1:20:t3"


@pytest.fixture
def story() -> Story:
    """Two sessions that talk in turn."""
    told = Story()
    for session in (ONE, TWO, ONE, TWO):
        told.exchange(session)
    told.exchange(ONE, 3)
    return told


def broken(story: Story) -> set[str]:
    return {violation.rule for violation in check(story.history).violations}


def test_a_good_history_passes(story: Story) -> None:
    verdict = check(story.history)
    assert verdict.violations == []
    assert (verdict.messages, verdict.turns, verdict.wasted_calls) == (7, 5, 0)


def test_a_message_without_an_answer_is_found(story: Story) -> None:
    said = story.say(ONE)
    story.exchange(ONE)
    (violation,) = check(story.history).violations
    assert (violation.rule, violation.session) == ("answered", ONE)
    assert said.word in violation.what


def test_a_message_that_was_never_taken_in_is_found(story: Story) -> None:
    story.say(TWO, taken=0)
    assert broken(story) == {"accepted", "answered"}


def test_a_message_taken_in_twice_is_found(story: Story) -> None:
    said = story.say(ONE, taken=2)
    call = story.call(said)
    story.commit(call, said)
    story.deliver(ONE, call.reply)
    assert broken(story) == {"accepted"}


def test_messages_taken_in_in_another_order_are_found(story: Story) -> None:
    story.history.accepted[0], story.history.accepted[2] = story.history.accepted[2], story.history.accepted[0]
    assert broken(story) == {"order"}


def test_two_commits_for_a_message_are_found_although_both_answers_are_alike(story: Story) -> None:
    said = story.say(ONE)
    call = story.call(said)
    story.commit(call, said)
    story.commit(call, said)
    story.fault("kill-worker")
    story.deliver(ONE, call.reply)
    story.deliver(ONE, call.reply)
    assert "doubled" in broken(story)


def test_a_reply_delivered_twice_around_a_worker_s_death_is_counted_and_no_violation(story: Story) -> None:
    said = story.say(ONE)
    call = story.call(said)
    story.commit(call, said)
    story.deliver(ONE, call.reply)
    story.fault("step-delivered")
    story.deliver(ONE, call.reply)
    verdict = check(story.history)
    assert verdict.violations == []
    assert verdict.doubled == {"step-delivered": 1}


def test_a_reply_delivered_again_because_telegram_s_answer_was_lost_is_counted(story: Story) -> None:
    said = story.say(ONE)
    call = story.call(said)
    story.commit(call, said)
    story.deliver(ONE, call.reply, heard=False)
    story.deliver(ONE, call.reply)
    verdict = check(story.history)
    assert verdict.violations == []
    assert verdict.doubled == {"telegram-cut-after": 1}


@pytest.mark.parametrize(("kind", "lingers"), [("kill-worker", legal.CALLING), ("stop-worker", legal.LINGER)])
def test_a_reply_delivered_twice_for_no_reason_is_found(story: Story, kind: str, lingers: float) -> None:
    story.fault(kind)
    story.now += lingers + 1
    said = story.say(ONE)
    call = story.call(said)
    story.commit(call, said)
    story.deliver(ONE, call.reply)
    story.deliver(ONE, call.reply)
    assert broken(story) == {"doubled"}


def test_a_beginning_left_by_a_worker_that_was_killed_is_counted(story: Story) -> None:
    said = story.say(ONE)
    killed = story.call(said)
    story.deliver(ONE, killed.reply[:12])
    story.fault("kill-worker")
    call = story.call(said)
    story.commit(call, said)
    story.deliver(ONE, call.reply)
    verdict = check(story.history)
    assert (verdict.violations, verdict.partials) == ([], 1)


def test_a_beginning_left_for_no_reason_is_found(story: Story) -> None:
    story.deliver(ONE, "echo: m0000")
    assert broken(story) == {"left"}


def test_an_answer_before_an_earlier_one_is_found(story: Story) -> None:
    first, second = story.say(ONE), story.say(ONE)
    calls = []
    for said in (first, second):
        calls.append(story.call(said))
        story.commit(calls[-1], said)
    story.deliver(ONE, calls[1].reply)
    story.deliver(ONE, calls[0].reply)
    assert broken(story) == {"order"}


def test_an_answer_that_grew_whole_and_was_edited_away_is_no_answer_before_an_earlier_one(story: Story) -> None:
    first, second = story.say(ONE), story.say(ONE)
    calls = []
    for said in (first, second):
        calls.append(story.call(said))
        story.commit(calls[-1], said)
    grown = story.deliver(ONE, calls[1].reply)
    story.edit(grown, calls[0].reply)
    story.deliver(ONE, calls[1].reply)
    assert broken(story) == set()


def test_two_turns_at_the_same_time_are_found_when_both_are_committed(story: Story) -> None:
    first = story.exchange(ONE)
    second = story.exchange(ONE)
    story.overlap(first, second)
    assert broken(story) == {"one turn"}


def test_two_turns_at_the_same_time_are_legal_when_one_is_thrown_away(story: Story) -> None:
    said = story.say(ONE)
    story.fault("stop-worker")
    zombie = story.call(said)
    call = story.call(said)
    story.overlap(zombie, call)
    story.commit(call, said)
    story.deliver(ONE, call.reply)
    verdict = check(story.history)
    assert verdict.violations == []
    assert verdict.wasted_calls == 1


def test_foreign_words_in_a_model_call_are_found(story: Story) -> None:
    said = story.say(ONE)
    seen = [*story.history.calls[-1].spoken, Spoken("assistant", "m000002q")]
    story.commit(call := story.call(said, seen=seen), said)
    story.deliver(ONE, call.reply)
    assert "foreign" in broken(story)


def test_foreign_words_in_a_chat_are_found(story: Story) -> None:
    story.deliver(ONE, "by the way: m000002q")
    assert "foreign" in broken(story)


def test_a_forgotten_exchange_is_found(story: Story) -> None:
    said = story.say(ONE)
    call = story.call(said, seen=list(story.history.calls[-1].spoken[:2]))
    story.commit(call, said)
    story.deliver(ONE, call.reply)
    assert broken(story) == {"memory"}


def test_a_failed_turn_in_a_history_is_found(story: Story) -> None:
    said = story.say(ONE)
    full = [*story.history.calls[-1].spoken, Spoken("assistant", story.history.calls[-1].reply)]
    call = story.call(said, seen=[*full, Spoken("user", said.word), Spoken("assistant", "an internal error")])
    story.commit(call, said)
    story.deliver(ONE, call.reply)
    assert broken(story) == {"memory"}


def test_a_history_that_does_not_alternate_is_found(story: Story) -> None:
    last = story.history.calls[-1]
    story.history.calls[-1] = replace(last, spoken=(last.spoken[0], *last.spoken))
    assert "alternation" in broken(story)


def test_a_reply_that_no_model_gave_is_found(story: Story) -> None:
    story.history.committed[0] = replace(story.history.committed[0], texts=("something else",))
    assert "invented" in broken(story)


def test_a_dead_message_whose_user_was_told_is_no_violation(story: Story) -> None:
    said = story.say(ONE)
    story.die(said)
    story.deliver(ONE, phrase("poison"))
    verdict = check(story.history)
    assert (verdict.violations, verdict.dead) == ([], 1)


def test_a_dead_message_whose_user_was_not_told_is_found(story: Story) -> None:
    story.die(story.say(ONE))
    assert broken(story) == {"answered"}


def test_an_apology_stands_for_the_messages_at_its_place_and_for_no_others(story: Story) -> None:
    story.say(ONE)
    story.deliver(ONE, phrase("outage"))
    story.exchange(ONE)
    assert check(story.history).violations == []
    lost = story.say(ONE)
    story.exchange(ONE)
    (violation,) = check(story.history).violations
    assert lost.word in violation.what


def test_what_the_store_still_holds_is_found(story: Story) -> None:
    story.history.left.append("cohort:s:1:10:inbox: 2 unanswered messages")
    assert broken(story) == {"left"}


@pytest.mark.promise("checker-sees")
def test_a_violation_shows_the_history_of_its_session_only(story: Story) -> None:
    story.fault("kill-worker")
    story.say(ONE)
    story.exchange(ONE)
    (violation,) = check(story.history).violations
    shown = "\n".join(violation.shown)
    assert "m000008q" in shown
    assert "m000002q" not in shown
    assert "FAULT kill-worker" in shown


@pytest.mark.promise("docs-true")
def test_the_reasons_for_a_duplicate_are_those_that_the_documents_list() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    section = text.partition("### Exactly which duplicate can reach a user\n")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("|")]
    listed = [frozenset(re.findall(r"`([a-z-]+)`", row[2])) for row in rows[2:]]
    assert listed == [{legal.LOST}, legal.KILLED, legal.PAUSED, legal.AWAY]
